//! `symbolon keys`: the keys that sign access tokens.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::fmt;
use std::io::Write;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::clock::{Clock, SharedClock};
use crate::moment::Moment;
use crate::private_files;
use crate::settings::Faults;
use crate::settings::signing::{SigningArgs, SigningSettings};
use crate::signing::key_file::{KeyAlgorithm, KeyFile};
use crate::signing::rule::{self, Duty, Times};
use crate::signing::{self, Folder};

/// Make, list and retire the keys that sign access tokens.
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key: the first signs at once, a further one after KEY_ACTIVATION
    Generate(GenerateArgs),
    /// List the keys, and what each does now
    List(FolderArgs),
    /// Let a key sign nothing more
    Retire(RetireArgs),
}

#[derive(Debug, Args)]
struct FolderArgs {
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Debug, Args)]
struct GenerateArgs {
    /// What the key signs with
    #[arg(long, default_value = "ES256", value_name = "ALGORITHM", ignore_case = true)]
    alg: KeyAlgorithm,
    /// Let it sign at once: whoever keeps a copy of the published keys has to fetch them again
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Debug, Args)]
struct RetireArgs {
    /// The key's id, as `keys list` shows it
    #[arg(allow_hyphen_values = true)]
    kid: String,
    /// Delete it: what it signed is refused by this service at once, by others once they have fetched the keys again. For a key that was stolen, or is done
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    folder: FolderArgs,
}

/// Does what was asked.
pub(super) fn run(args: &KeysArgs) -> Result<(), Failure> {
    match &args.command {
        KeysCommand::Generate(args) => generate(args),
        KeysCommand::List(args) => list(args),
        KeysCommand::Retire(args) => retire(args),
    }
}

/// The keys there are, and what each does.
struct Keys {
    settings: SigningSettings,
    files: Vec<KeyFile>,
    duties: Vec<Duty>,
    now: Moment,
}

impl FolderArgs {
    /// What can be used of what is there; the rest is said to stderr, and stops nobody from taking a
    /// stolen key away.
    fn read(&self) -> Result<Keys, Failure> {
        let mut faults = Faults::default();
        let lifetime = self.signing.access_ttl(&mut faults);
        let settings = self.signing.folder(&mut faults);
        if settings.is_none() {
            faults.note("SIGNING_KEYS_DIR", "is missing; name the folder of the keys");
        }
        let settings = faults.or(settings)?.ok_or("SIGNING_KEYS_DIR is missing")?;
        let Folder { keys: files, faults } = signing::read(&settings.folder, settings.activation)?;
        faults.iter().try_for_each(|fault| writeln!(std::io::stderr(), "symbolon: {fault}"))?;
        let now = SharedClock::default().now();
        let times: Vec<Times> = files.iter().map(|key| key.times).collect();
        let duties = rule::duties(&times, now, lifetime);
        Ok(Keys { settings, files, duties, now })
    }
}

impl Keys {
    fn lines(&self) -> impl Iterator<Item = String> {
        self.files.iter().zip(&self.duties).map(|(key, duty)| {
            let algorithm = key.algorithm;
            format!("{} {algorithm:?} {}", key.kid(), Told(*duty, key.times.signs_from))
        })
    }

    fn line(&self, kid: &str) -> String {
        self.lines().find(|line| line.starts_with(kid)).unwrap_or_default()
    }
}

/// What a key does, in words.
struct Told(Duty, Moment);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Duty::Next, from) => write!(f, "next, signs from {from}"),
            (Duty::Signs, _) => f.write_str("signs"),
            (Duty::Verifies { until }, _) => write!(f, "verifies until {until}"),
            (Duty::Done, _) => f.write_str("done, can be deleted by `keys retire --now`"),
        }
    }
}

fn generate(args: &GenerateArgs) -> Result<(), Failure> {
    let Keys { settings, now, .. } = args.folder.read()?;
    private_files::make_dir(&settings.folder)?;
    let made = KeyFile::make(&settings.folder, args.alg, now, settings.activation, args.now)?;
    print(args.folder.read()?.line(made.kid()))?;
    Ok(())
}

fn list(args: &FolderArgs) -> Result<(), Failure> {
    args.read()?.lines().try_for_each(print)?;
    Ok(())
}

fn retire(args: &RetireArgs) -> Result<(), Failure> {
    let Keys { mut files, duties, now, .. } = args.folder.read()?;
    let position = files.iter().position(|key| key.kid() == args.kid);
    let position = position.ok_or_else(|| format!("there is no key {}", args.kid))?;
    // An older key does not come back, so that its successor has to be there already.
    let has_successor = files[position + 1..].iter().any(|key| key.times.retired.is_none());
    if duties[position] == Duty::Signs && !has_successor {
        return Err("no other key could sign next: make one first, with `keys generate`".into());
    }
    if args.now {
        files.remove(position).delete()?;
        print(format_args!("{} deleted", args.kid))?;
        return Ok(());
    }
    if files[position].times.retired.is_none() {
        files[position].retire(now)?;
    }
    print(args.folder.read()?.line(&args.kid))?;
    Ok(())
}
