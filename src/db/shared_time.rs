//! Instances that share a PostgreSQL take their time from it.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;

use super::types::sql;
use super::{AnyConnection, Database, DbError, Moment};
use crate::clock::SharedClock;

/// How often the offset to the database's clock is measured.
const EVERY: Duration = Duration::from_secs(60);
/// From here on a skew is worth a warning.
const WORTH_A_WARNING_MICROS: i64 = 1_000_000;

diesel::define_sql_function! {
    /// PostgreSQL's clock, which moves within a transaction.
    fn clock_timestamp() -> sql::Moment;
}

/// Sets `clock` by the database's clock now, and again every minute in a thread of its own.
///
/// On SQLite there is one machine and so one clock: nothing is done.
pub fn follow_database_time(database: &Database, clock: &Arc<SharedClock>) -> Result<(), DbError> {
    if !measure(database, clock)? {
        return Ok(());
    }
    let (database, clock) = (database.clone(), Arc::clone(clock));
    let keep_measuring = move || {
        loop {
            std::thread::sleep(EVERY);
            if let Err(error) = measure(&database, &clock) {
                tracing::debug!(%error, "the database did not tell its time");
            }
        }
    };
    let spawned = std::thread::Builder::new().name("shared-time".into()).spawn(keep_measuring);
    spawned.map(drop).map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Sets the clock's offset; `false` where the database has no clock of its own.
fn measure(database: &Database, clock: &SharedClock) -> Result<bool, DbError> {
    database.read(|connection| {
        let AnyConnection::Postgres(connection) = connection else {
            return Ok(false);
        };
        let asked = clock.local();
        let theirs: Moment = diesel::select(clock_timestamp()).get_result(connection)?;
        let answered = clock.local();
        let ours = i64::midpoint(asked.unix_micros(), answered.unix_micros());
        let offset = theirs.unix_micros() - ours;
        if offset.abs() > WORTH_A_WARNING_MICROS {
            let seconds = offset / 1_000_000;
            tracing::warn!(seconds, "this machine's clock differs from the database's");
        }
        clock.set_offset(offset);
        Ok(true)
    })
}
