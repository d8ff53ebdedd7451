//! The command line: a file a command.
//!
//! Results go to stdout, logs to stderr. Exit codes: 0 done, 1 failed, 2 called wrongly.

mod healthcheck;
mod migrate;
mod prune;
mod serve;
mod sessions;
mod users;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

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
    /// Delete ended sessions and old audit events now
    Prune(CommonArgs),
    /// Ask a running service for its health: exits with 0 if it lives
    Healthcheck(healthcheck::HealthcheckArgs),
}

/// What a command prints when it fails.
type Failure = Box<dyn Error>;

/// Runs the command that the process was called with.
pub fn run() -> ExitCode {
    load_dot_env();
    let cli = Cli::parse();
    let done = match cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Migrate(args)) => migrate::run(&args),
        Some(Command::Users(args)) => users::run(&args),
        Some(Command::Sessions(args)) => sessions::run(&args),
        Some(Command::Prune(args)) => prune::run(&args),
        Some(Command::Healthcheck(args)) => healthcheck::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("symbolon: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Reads `.env` into the environment, unless this is production, where what is set is set
/// knowingly.
fn load_dot_env() {
    if is_called_for_production(std::env::args()) {
        return;
    }
    match dotenvy::dotenv() {
        Err(error) if !error.not_found() => eprintln!("symbolon: .env was not read: {error}"),
        _ => {}
    }
}

/// Whether the environment or a flag says so: clap comes too late, it reads what `.env` set.
fn is_called_for_production(args: impl Iterator<Item = String>) -> bool {
    let args: Vec<_> = args.collect();
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
