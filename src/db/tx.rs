//! The two ways into the database, and what they do when it falters.
//!
//! Whatever fails *before* `COMMIT` is sent has changed nothing, so it is tried once more; a broken
//! connection out of the pool is replaced as often as the time allows. Whatever fails *at* `COMMIT`
//! may stand, so it is never repeated: the caller answers 503 and the client asks again.

use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager,
};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use opentelemetry::trace::SpanKind;
use opentelemetry::{ContextGuard, KeyValue};

use super::connect::{Connector, Link};
use super::{AnyConnection, Database, DbError};
use crate::traces;

/// Broken connections are replaced for this long. Callers answer 503 within two seconds.
const REPLACE_FOR: Duration = Duration::from_millis(1200);

impl Database {
    /// Runs `work`, which only reads, on one connection.
    pub fn read<T>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, DbError> {
        let _span = self.span("database read");
        attempt(&self.readers, |link| {
            work(link).map_err(|error| Failure::of(link, error, Stage::BeforeCommit))
        })
    }

    /// Runs `work` in one durable transaction, which commits when `work` returns `Ok`.
    ///
    /// A failed sign-in, a caught theft and the like are *values* of an `Ok`: an `Err` rolls back.
    /// `work` runs again if the database aborts it (deadlock, lock timeout, lost connection).
    pub fn write<T>(
        &self,
        mut work: impl FnMut(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, DbError> {
        let _span = self.span("database write");
        attempt(&self.writers, |link| {
            begin(link).map_err(|error| Failure::of(link, error, Stage::BeforeCommit))?;
            match work(link) {
                Ok(value) => match commit(link) {
                    Ok(()) => Ok(value),
                    Err(error) => Err(Failure::of(link, error, Stage::Commit)),
                },
                Err(error) => {
                    let failure = Failure::of(link, error, Stage::BeforeCommit);
                    if rollback(link).is_err() {
                        link.discard();
                    }
                    Err(failure)
                }
            }
        })
    }

    /// Runs `work`, which only reads and may take its time, on one view of the database that does
    /// not change meanwhile. Never runs it again: it may have passed on what it read.
    pub fn snapshot<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, DbError> {
        let mut link =
            self.readers.get().map_err(|error| DbError::Unavailable(error.to_string()))?;
        let done = begin_snapshot(&mut link).and_then(|()| work(&mut link));
        // Closing the connection ends the transaction, which has nothing to commit.
        link.discard();
        done.map_err(DbError::Query)
    }

    fn span(&self, name: &'static str) -> Option<ContextGuard> {
        traces::span(name, SpanKind::Client, || [KeyValue::new("db.system.name", self.system)])
    }

    /// Asks the database for a sign of life.
    pub fn ping(&self) -> Result<(), DbError> {
        self.read(|connection| connection.batch_execute("SELECT 1"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    BeforeCommit,
    Commit,
}

/// What a failed attempt means for the next.
enum Failure {
    /// The connection was broken before anything could stand.
    BrokenBefore(Error),
    /// The database aborted the transaction for a passing reason.
    Aborted(Error),
    /// Nobody can tell whether the transaction stands.
    Unclear,
    /// The same would happen again.
    Final(Error),
}

impl Failure {
    fn of(link: &mut Link, error: Error, stage: Stage) -> Self {
        let broken = link.note(&error);
        match error {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) if !broken => {
                Self::Aborted(error)
            }
            _ if stage == Stage::Commit => {
                link.discard();
                tracing::warn!(%error, "a commit is unclear");
                Self::Unclear
            }
            _ if broken => Self::BrokenBefore(error),
            // A server that was demoted: another host of the URL may be the one to write to.
            Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
                link.discard();
                Self::BrokenBefore(error)
            }
            // Deadlocks and lock timeouts come as `Unknown`.
            Error::DatabaseError(DatabaseErrorKind::Unknown, _) => Self::Aborted(error),
            _ => Self::Final(error),
        }
    }
}

/// Runs `once`, again where that may help; what comes of it is noted in the present span.
fn attempt<T>(
    pool: &r2d2::Pool<Connector>,
    once: impl FnMut(&mut Link) -> Result<T, Failure>,
) -> Result<T, DbError> {
    try_again(pool, once).inspect_err(|error| {
        // Which is an answer, and no failure.
        if !error.is_unique_violation() {
            traces::failed(error.kind());
        }
    })
}

fn try_again<T>(
    pool: &r2d2::Pool<Connector>,
    mut once: impl FnMut(&mut Link) -> Result<T, Failure>,
) -> Result<T, DbError> {
    let started = Instant::now();
    let mut aborted_before = false;
    loop {
        let mut link = pool.get().map_err(|error| DbError::Unavailable(error.to_string()))?;
        match once(&mut link) {
            Ok(value) => return Ok(value),
            Err(Failure::Unclear) => return Err(DbError::Unclear),
            Err(Failure::Final(error)) => return Err(DbError::Query(error)),
            Err(Failure::Aborted(error)) if aborted_before => {
                return Err(DbError::Aborted(error));
            }
            Err(Failure::Aborted(_)) => aborted_before = true,
            Err(Failure::BrokenBefore(error)) if started.elapsed() > REPLACE_FOR => {
                return Err(DbError::Unavailable(error.to_string()));
            }
            Err(Failure::BrokenBefore(_)) => {}
        }
    }
}

/// SQLite must take its write lock at once: a transaction that reads first and writes later fails
/// with "database is locked" whatever the timeout.
fn begin(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(connection) => {
            AnsiTransactionManager::begin_transaction(connection)
        }
        AnyConnection::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
        }
    }
}

/// Whoever reads from a pipe may pause for longer than a session may idle.
fn begin_snapshot(connection: &mut AnyConnection) -> QueryResult<()> {
    connection.batch_execute(match connection {
        AnyConnection::Postgres(_) => {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = '60s'"
        }
        AnyConnection::Sqlite(_) => "BEGIN",
    })
}

type Manager = <AnyConnection as Connection>::TransactionManager;

fn commit(connection: &mut AnyConnection) -> QueryResult<()> {
    Manager::commit_transaction(connection)
}

fn rollback(connection: &mut AnyConnection) -> QueryResult<()> {
    Manager::rollback_transaction(connection)
}
