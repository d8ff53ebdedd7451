//! `symbolon keys`: the keys that sign access tokens.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::fmt;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::clock::{Clock, SharedClock};
use crate::moment::Moment;
use crate::settings::Faults;
use crate::settings::signing::{SigningArgs, SigningSettings};
use crate::signing::key_file::{KeyAlgorithm, KeyFile};
use crate::signing::rule::{self, Duty};
use crate::{private_files, signing};

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
    /// Let a key sign nothing more; delete it once no token of it can be good
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
    kid: String,
    /// Delete it at once, which refuses every token that it signed: for a key that was stolen
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
    lifetime: Duration,
}

impl FolderArgs {
    fn read(&self) -> Result<Keys, Failure> {
        let mut faults = Faults::default();
        let lifetime = self.signing.access_ttl(&mut faults);
        let settings = self.signing.check(&mut faults);
        if settings.is_none() {
            faults.note("SIGNING_KEYS_DIR", "is missing; name the folder of the keys");
        }
        let settings = faults.or(settings)?.ok_or("SIGNING_KEYS_DIR is missing")?;
        let files = signing::read(&settings.folder, settings.activation)?;
        let now = SharedClock::default().now();
        let duties = rule::duties(&signing::times(&files), now, lifetime);
        Ok(Keys { settings, files, duties, now, lifetime })
    }
}

impl Keys {
    fn lines(&self) -> impl Iterator<Item = String> {
        self.files.iter().zip(&self.duties).map(|(key, duty)| {
            let algorithm = key.algorithm;
            format!("{} {algorithm:?} {}", key.kid(), Told(*duty, key.times.signs_from))
        })
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
            (Duty::Done, _) => f.write_str("done, can be deleted with `keys retire`"),
        }
    }
}

fn generate(args: &GenerateArgs) -> Result<(), Failure> {
    let Keys { settings, now, .. } = args.folder.read()?;
    private_files::make_dir(&settings.folder)?;
    let made = KeyFile::make(&settings.folder, args.alg, now, settings.activation, args.now)?;
    let keys = args.folder.read()?;
    let line = keys.lines().find(|line| line.starts_with(made.kid()));
    print(line.unwrap_or_default())?;
    Ok(())
}

fn list(args: &FolderArgs) -> Result<(), Failure> {
    args.read()?.lines().try_for_each(print)?;
    Ok(())
}

fn retire(args: &RetireArgs) -> Result<(), Failure> {
    let Keys { mut files, duties, now, lifetime, .. } = args.folder.read()?;
    let position = files.iter().position(|key| key.kid() == args.kid);
    let position = position.ok_or_else(|| format!("there is no key {}", args.kid))?;
    let is_needed = !matches!(duties[position], Duty::Done | Duty::Verifies { .. });
    let others = files.iter().enumerate().filter(|(other, _)| *other != position);
    let others_can_sign = others.clone().any(|(_, key)| key.times.retired.is_none());
    if is_needed && !others_can_sign {
        return Err("no other key could sign: make one first, with `keys generate`".into());
    }
    if args.now || duties[position] == Duty::Done {
        files.remove(position).delete()?;
        print(format_args!("{} deleted", args.kid))?;
        return Ok(());
    }
    if files[position].times.retired.is_none() {
        files[position].retire(now)?;
    }
    let duty = rule::duties(&signing::times(&files), now, lifetime)[position];
    let file = &files[position];
    print(format_args!("{} retired, {}", file.kid(), Told(duty, file.times.signs_from)))?;
    Ok(())
}
