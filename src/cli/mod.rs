//! The command line: a file a command.
//!
//! Results go to stdout, logs to stderr. Exit codes: 0 done, 1 failed, 2 called wrongly.

mod backup;
mod healthcheck;
mod keys;
mod migrate;
mod openapi;
mod progress;
mod prune;
mod serve;
mod sessions;
mod users;

use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::accounts::operator::Operator;
use crate::clock::SharedClock;
use crate::db::{Database, follow_database_time, migrate as schema};
use crate::random::SystemRandom;
use crate::settings::database::{DatabaseArgs, DatabaseSettings};
use crate::settings::logs::LogArgs;
use crate::settings::{EnvironmentArgs, Faults, ServeArgs};

/// Signs people in and keeps them signed in: access and refresh tokens over HTTP, on SQLite or
/// PostgreSQL. Without a command, serves.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve(Box<ServeArgs>),
    /// Bring the database's schema up to date, and stop
    Migrate(CommonArgs),
    /// Make and change accounts
    Users(users::UsersArgs),
    /// End sessions
    Sessions(sessions::SessionsArgs),
    /// Make, list and retire the keys that sign access tokens
    Keys(keys::KeysArgs),
    /// Delete ended sessions, expired links, old audit events and counts now
    Prune(CommonArgs),
    /// Copy the SQLite database into a file, while the service runs
    Backup(backup::BackupArgs),
    /// Print the document that describes the API
    Openapi,
    /// Ask a running service for its health: exits with 0 if it lives
    Healthcheck(healthcheck::HealthcheckArgs),
}

/// What a command prints when it fails.
type Failure = Box<dyn Error>;

/// Runs the command that the process was called with.
pub fn run() -> ExitCode {
    match load_dot_env().and_then(|()| run_command(&parse())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where nobody reads, nothing is left to be done.
            let _unread = writeln!(std::io::stderr(), "symbolon: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(args)) => serve::run(args),
        Some(Command::Migrate(args)) => migrate::run(args),
        Some(Command::Users(args)) => users::run(args),
        Some(Command::Sessions(args)) => sessions::run(args),
        Some(Command::Keys(args)) => keys::run(args),
        Some(Command::Prune(args)) => prune::run(args),
        Some(Command::Backup(args)) => backup::run(args),
        Some(Command::Openapi) => openapi::run(),
        Some(Command::Healthcheck(args)) => healthcheck::run(args),
    }
}

/// Reads the command line and the environment.
fn parse() -> Cli {
    let matches = without_empty_variables(Cli::command()).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Lets every variable that is set to nothing count as unset, so that its default holds: a compose
/// file passes on what is not set as an empty text.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |variable: &std::ffi::OsStr| {
        std::env::var_os(variable).is_some_and(|text| text.to_string_lossy().trim().is_empty())
    };
    command
        .mut_args(|argument| match argument.get_env() {
            Some(variable) if is_empty(variable) => argument.env(None),
            _ => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// Writes a line of a command's result.
fn print(line: impl Display) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

/// Reads `.env`, here or in a folder above, into the environment; unless this is production, where
/// what is set is set knowingly.
fn load_dot_env() -> Result<(), Failure> {
    if is_called_for_production() {
        return Ok(());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let Some(file) = here.ancestors().map(|dir| dir.join(".env")).find(|file| file.is_file())
    else {
        return Ok(());
    };
    dotenvy::from_path(&file).map_err(|error| dot_env_fault(&file, &error).into())
}

/// What is wrong with a `.env`, without any of its text, which may be a secret.
fn dot_env_fault(file: &Path, error: &dotenvy::Error) -> String {
    let file_name = file.display();
    let at_fault = match error {
        dotenvy::Error::LineParse(at_fault, _) => at_fault,
        dotenvy::Error::Io(error) => return format!("cannot read {file_name}: {error}"),
        _ => return format!("cannot read {file_name}"),
    };
    let begin = at_fault.lines().next().unwrap_or_default().trim();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // What is at fault is a line, or what follows its `=`.
    let is_at_fault = |line: &str| {
        let value = line.split_once('=').map_or("", |(_, value)| value);
        [line, value].iter().any(|part| part.trim().starts_with(begin))
    };
    match text.lines().position(is_at_fault) {
        Some(before) => {
            format!("{file_name}: line {} is no NAME=VALUE, or its quotes are open", before + 1)
        }
        None => format!("{file_name}: a line is no NAME=VALUE, or its quotes are open"),
    }
}

/// Whether the environment or a flag says so: clap comes too late, it reads what `.env` set.
fn is_called_for_production() -> bool {
    let args: Vec<_> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let separate = args.windows(2).find(|pair| pair[0] == "--environment").map(|pair| &*pair[1]);
    let joined = || args.iter().find_map(|arg| arg.strip_prefix("--environment="));
    let in_environment = std::env::var("ENVIRONMENT").unwrap_or_default();
    separate.or_else(joined).unwrap_or(&in_environment).trim() == "production"
}

/// Settings of every command that works on the database.
#[derive(Debug, Clone, Args)]
struct CommonArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    logs: LogArgs,
}

impl CommonArgs {
    /// Checks these settings and starts logging.
    fn start(&self, mut faults: Faults) -> Result<DatabaseSettings, Failure> {
        let environment = self.environment.check(&mut faults);
        let database = self.database.check(&mut faults);
        self.logs.check(&mut faults);
        let database = faults.or(database)?;
        self.logs.start(environment.is_production());
        Ok(database)
    }

    /// An operator on this database, whose schema is brought up to date first.
    fn operator(&self, faults: Faults) -> Result<Operator, Failure> {
        operator(&self.start(faults)?)
    }
}

fn operator(settings: &DatabaseSettings) -> Result<Operator, Failure> {
    let database = Database::open(settings)?;
    schema::run(&database)?;
    let clock = Arc::new(SharedClock::default());
    follow_database_time(&database, &clock)?;
    Ok(Operator { database, clock, random: Arc::new(SystemRandom) })
}
