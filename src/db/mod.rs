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
mod waits;

use std::time::Duration;

use thiserror::Error;

pub use any::{AnyConnection, MultiBackend, MultiRawValue};
pub use diesel::result::QueryResult;
pub use shared_time::follow_database_time;
pub use types::{Id, Moment};
pub use waits::Waits;

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
    /// What kind of failure it is, in a word.
    fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Unclear => "unclear",
            Self::Aborted(_) => "aborted",
            Self::Query(_) => "refused",
        }
    }

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
    /// Each of them once, with its name.
    pools: Vec<(&'static str, r2d2::Pool<Connector>)>,
    waits: Waits,
    /// What kind of database it is, by OpenTelemetry's names.
    system: &'static str,
}

/// How it stands with a pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    /// `read` or `write`; `all` where one does both.
    pub pool: &'static str,
    /// Connections that nobody uses.
    pub idle: u32,
    /// Connections in use.
    pub busy: u32,
    /// Connections there may be.
    pub most: u32,
}

impl Database {
    /// Opens the database named by `settings`, without asking it anything yet.
    pub fn open(settings: &DatabaseSettings) -> Result<Self, DbError> {
        if let DatabaseUrl::Sqlite(path) = &settings.url {
            connect::create_private(path)?;
        }
        let connector = Connector::new(&settings.url);
        let waits = Waits::default();
        let pool = |name, size| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .connection_timeout(POOL_WAIT)
                .test_on_check_out(false)
                .event_handler(waits.of(name))
                .error_handler(Box::new(connect::LogSeldom::default()))
                .build_unchecked(connector.clone())
        };
        match settings.url {
            DatabaseUrl::Sqlite(_) => {
                let writers = pool("write", 1);
                // The first connection makes a new file one with a journal (WAL): two at once would
                // lock each other out. Where there is none to be had, whoever needs one is told.
                drop(writers.get());
                let readers = pool("read", settings.pool_size);
                let pools = vec![("read", readers.clone()), ("write", writers.clone())];
                Ok(Self { readers, writers, pools, waits, system: "sqlite" })
            }
            DatabaseUrl::Postgres(_) => {
                let both = pool("all", settings.pool_size);
                let pools = vec![("all", both.clone())];
                Ok(Self {
                    readers: both.clone(),
                    writers: both,
                    pools,
                    waits,
                    system: "postgresql",
                })
            }
        }
    }

    /// How it stands with each pool.
    pub fn pools(&self) -> Vec<PoolState> {
        let mut states = Vec::with_capacity(self.pools.len());
        for (name, pool) in &self.pools {
            let r2d2::State { connections, idle_connections: idle, .. } = pool.state();
            let (busy, most) = (connections - idle, pool.max_size());
            states.push(PoolState { pool: name, idle, busy, most });
        }
        states
    }

    /// How long callers have waited for connections.
    pub fn waits(&self) -> &Waits {
        &self.waits
    }

    /// A connection that may write, outside of any transaction: for migrations.
    fn writer(&self) -> Result<r2d2::PooledConnection<Connector>, DbError> {
        self.writers.get().map_err(|error| DbError::Unavailable(error.to_string()))
    }
}
