//! `symbolon users import`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use clap::Args;

use crate::accounts::import::{self, Fault};
use crate::cli::progress::Progress;
use crate::cli::{CommonArgs, Failure, print};
use crate::settings::Faults;

/// Add users from a file with one JSON object a line: all of them, or none where a line is at fault
///
/// Every fault is listed with the number of its line. No mail is sent. A running service goes on
/// meanwhile; on SQLite, what it writes waits while the users are written.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct ImportArgs {
    /// The file; `-` reads standard input
    file: PathBuf,
    /// Check every line and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    common: CommonArgs,
}

const EXAMPLE: &str = r#"A line, of which only `email` is required:
  {"email":"ada@example.com","name":"Ada","passwordHash":"$2b$12$…","emailVerified":true}

emailVerified  whether the address is proven; false by default
disabled       whether the account is disabled; false by default
passwordHash   bcrypt ($2a$, $2b$, $2y$) or passlib's $bcrypt-sha256$v=2, of a cost from 4 to 15.
               Without one, the account can be used after a mailed password reset
role           user (default), moderator or admin
createdAt      RFC 3339; now by default

  symbolon users import --dry-run users.jsonl
  symbolon users export | DATABASE_URL=postgres://… symbolon users import -"#;

/// So many faults are listed.
const SHOWN: usize = 50;

pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let input = open(args)?;
    let operator = args.common.operator(Faults::default())?;

    let checked = Progress::of("checked", "lines", None);
    let now = operator.clock.now();
    let reading = import::read(input, now, &*operator.random, |line| checked.at(line))?;
    let (users, mut faults) = (reading.users, reading.faults);
    faults.extend(operator.taken(&users)?);
    checked.end();
    if !faults.is_empty() {
        return Err(list("nothing was imported", faults));
    }
    if args.dry_run {
        print(format_args!("{} users can be imported", users.len()))?;
        return Ok(());
    }

    let written = Progress::of("wrote", "users", Some(users.len()));
    let is_imported = operator.import(&users, |done| written.at(done))?;
    written.end();
    if !is_imported {
        let taken = operator.taken(&users)?;
        return Err(list("nothing was imported, an address was taken meanwhile", taken));
    }
    print(format_args!("imported {} users", users.len()))?;
    Ok(())
}

fn open(args: &ImportArgs) -> Result<Box<dyn BufRead>, Failure> {
    if args.file.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(&args.file)
        .map_err(|error| format!("cannot read {}: {error}", args.file.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// What came of it, and the faults in the order of their lines.
fn list(outcome: &str, mut faults: Vec<Fault>) -> Failure {
    faults.sort_by_key(|fault| fault.line);
    let mut lines = vec![format!("{outcome}: {} faults", faults.len())];
    let shown = faults.iter().take(SHOWN);
    lines.extend(shown.map(|fault| format!("line {}: {}", fault.line, fault.message)));
    if faults.len() > SHOWN {
        lines.push(format!("and {} more", faults.len() - SHOWN));
    }
    lines.join("\n  ").into()
}
