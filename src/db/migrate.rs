//! Bringing the schema up to date.
//!
//! Migrations run under a lock, so that instances starting at once all come up. Where nothing is
//! pending nothing is written: the role that serves needs no right to change the schema.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;

use super::{AnyConnection, Database, DbError};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The key of the advisory lock that migrating instances take on PostgreSQL: "symbolon" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"symbolon");
/// How long one instance waits for another that migrates.
const WAIT: Duration = Duration::from_secs(60);

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database holds migrations that this binary does not know.
    #[error(
        "the database is at schema version {0}, which this binary does not know: it is older than \
         the schema. Start a newer symbolon"
    )]
    BinaryTooOld(String),
    /// A migration failed; what it had done was rolled back.
    #[error("a migration failed: {0}")]
    Failed(String),
    /// The database could not be reached.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs every migration the database has not seen; returns the versions that were run.
pub fn run(database: &Database) -> Result<Vec<String>, MigrateError> {
    let mut link = database.writer()?;
    let outcome = match &mut **link {
        AnyConnection::Postgres(connection) => on_postgres(connection),
        AnyConnection::Sqlite(connection) => on_sqlite(connection),
    };
    // It waits longer than a request may, and holds the lock until it is closed.
    link.discard();
    outcome
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

fn on_postgres(connection: &mut PgConnection) -> Result<Vec<String>, MigrateError> {
    let is_pending = |connection: &mut PgConnection| {
        let table = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS yes";
        if !diesel::sql_query(table).get_result::<Exists>(connection)?.yes {
            return Ok(true);
        }
        let applied = diesel::sql_query(APPLIED).load(connection)?;
        is_pending::<Pg>(&POSTGRES, &applied)
    };
    if !is_pending(connection)? {
        return Ok(Vec::new());
    }
    let wait = format!("SET statement_timeout = 0; SET lock_timeout = '{}s'", WAIT.as_secs());
    connection.batch_execute(&wait)?;
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(LOCK).execute(connection)?;
    // Whoever had the lock may have been newer.
    if is_pending(connection)? { run_pending(connection, POSTGRES) } else { Ok(Vec::new()) }
}

fn on_sqlite(connection: &mut SqliteConnection) -> Result<Vec<String>, MigrateError> {
    connection.batch_execute(&format!("PRAGMA busy_timeout = {}", WAIT.as_millis()))?;
    connection.immediate_transaction(|connection| {
        let table = "SELECT count(*) > 0 AS yes FROM sqlite_master \
                     WHERE name = '__diesel_schema_migrations'";
        let known = diesel::sql_query(table).get_result::<Exists>(connection)?.yes;
        if known {
            let applied = diesel::sql_query(APPLIED).load(connection)?;
            if !is_pending::<Sqlite>(&SQLITE, &applied)? {
                return Ok(Vec::new());
            }
        }
        run_pending(connection, SQLITE)
    })
}

/// The versions that stand in the database.
const APPLIED: &str = "SELECT version FROM __diesel_schema_migrations ORDER BY version";

/// Whether `source` holds migrations that are not among `applied`; or that this binary is too old.
fn is_pending<B: diesel::backend::Backend>(
    source: &EmbeddedMigrations,
    applied: &[Version],
) -> Result<bool, MigrateError>
where
    EmbeddedMigrations: MigrationSource<B>,
{
    let migrations =
        source.migrations().map_err(|error| MigrateError::Failed(error.to_string()))?;
    let known: Vec<String> =
        migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    if let Some(newer) = applied.iter().rfind(|applied| !known.contains(&applied.version)) {
        return Err(MigrateError::BinaryTooOld(newer.version.clone()));
    }
    Ok(known.len() > applied.len())
}

fn run_pending<C>(
    connection: &mut C,
    source: EmbeddedMigrations,
) -> Result<Vec<String>, MigrateError>
where
    C: MigrationHarness<C::Backend> + Connection,
    C::Backend: diesel::backend::Backend,
    EmbeddedMigrations: MigrationSource<C::Backend>,
{
    let versions = connection
        .run_pending_migrations(source)
        .map_err(|error| MigrateError::Failed(error.to_string()))?;
    Ok(versions.iter().map(ToString::to_string).collect())
}
