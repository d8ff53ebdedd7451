//! The database: one binary speaks to SQLite and to PostgreSQL.
//!
//! Queries are written once, for [`AnyConnection`]; only those that take many sessions at once have
//! statements of their own for each database. [`Database::read`] and [`Database::write`] are the two ways in.

mod any;
pub mod backup;
mod connect;
pub mod lease;
pub mod migrate;
pub mod schema;
mod shared_time;
pub mod turns;
mod tx;
pub mod types;

use std::time::Duration;

use thiserror::Error;

pub use any::{AnyConnection, MultiBackend, MultiRawValue};
pub use diesel::result::QueryResult;
pub use shared_time::follow_database_time;
pub use types::{Id, Moment};

use crate::settings::database::{DatabaseSettings, DatabaseUrl};
use connect::Connector;

/// How long a request waits for the database in all before it is answered 503: within two seconds.
pub const PATIENCE: Duration = Duration::from_millis(1800);

/// How long a caller waits for a free connection before it is told that there is none.
const POOL_WAIT: Duration = Duration::from_secs(1);

/// Why the database did not do as asked.
#[derive(Debug, Error)]
pub enum DbError {
    /// It could not be reached, or all its connections were busy. Nothing was changed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection broke while a transaction was being committed: it may or may not stand.
    #[error("the connection was lost during a commit")]
    Unclear,
    /// It aborted the transaction twice, for a reason that may pass (a deadlock, a row that stays
    /// locked) or that it has no name for. Nothing was changed.
    #[error("the database aborted the transaction: {0}")]
    Aborted(diesel::result::Error),
    /// It refused the statement. Nothing was changed.
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
}

impl DbError {
    /// Whether a row was refused because one like it exists.
    pub fn is_unique_violation(&self) -> bool {
        use diesel::result::{DatabaseErrorKind, Error};
        matches!(self, Self::Query(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }
}

/// The error that undoes a transaction for a reason of our own.
pub fn rollback() -> diesel::result::Error {
    diesel::result::Error::RollbackTransaction
}

/// Pools of connections to one database.
///
/// SQLite has one writer whatever is tried, so it gets exactly one connection that writes (eight
/// of them gave worst cases of seconds) beside a few that read. PostgreSQL has one pool for both.
#[derive(Clone)]
pub struct Database {
    readers: r2d2::Pool<Connector>,
    writers: r2d2::Pool<Connector>,
}

impl Database {
    /// Opens the database named by `settings`, without asking it anything yet.
    pub fn open(settings: &DatabaseSettings) -> Result<Self, DbError> {
        if let DatabaseUrl::Sqlite(path) = &settings.url {
            connect::create_private(path)?;
        }
        let connector = Connector::new(&settings.url);
        let pool = |size| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .connection_timeout(POOL_WAIT)
                .test_on_check_out(false)
                .error_handler(Box::new(connect::LogSeldom::default()))
                .build_unchecked(connector.clone())
        };
        match settings.url {
            DatabaseUrl::Sqlite(_) => {
                let writers = pool(1);
                // The first connection makes a new file one with a journal (WAL): two at once would
                // lock each other out. Where there is none to be had, whoever needs one is told.
                drop(writers.get());
                Ok(Self { readers: pool(settings.pool_size), writers })
            }
            DatabaseUrl::Postgres(_) => {
                let both = pool(settings.pool_size);
                Ok(Self { readers: both.clone(), writers: both })
            }
        }
    }

    /// A connection that may write, outside of any transaction: for migrations.
    fn writer(&self) -> Result<r2d2::PooledConnection<Connector>, DbError> {
        self.writers.get().map_err(|error| DbError::Unavailable(error.to_string()))
    }
}
