//! Instances that share a PostgreSQL take their time from it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::types::sql;
use super::{AnyConnection, Database, DbError, Moment};
use crate::clock::{Clock, SharedClock};

/// How often the database is asked.
const EVERY: Duration = Duration::from_secs(60);
/// How often this machine's clock is looked at, which may have jumped.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From here on a skew is worth a warning, and a jump worth asking the database.
const NOTEWORTHY_MICROS: i64 = 1_000_000;

diesel::define_sql_function! {
    /// PostgreSQL's clock, which moves within a transaction.
    fn clock_timestamp() -> sql::Moment;
}

/// Sets `clock` by the database's clock now, and again every minute in a thread of its own, or as
/// soon as this machine's own clock jumps.
///
/// On SQLite there is one machine and so one clock: nothing is done.
pub fn follow_database_time(database: &Database, clock: &Arc<SharedClock>) -> Result<(), DbError> {
    if !measure(database, clock)? {
        return Ok(());
    }
    let (database, clock) = (database.clone(), Arc::clone(clock));
    let keep_measuring = move || {
        let mut asked = Instant::now();
        loop {
            std::thread::sleep(LOOK_EVERY);
            if asked.elapsed() < EVERY && clock.jump_micros().abs() < NOTEWORTHY_MICROS {
                continue;
            }
            asked = Instant::now();
            if let Err(error) = measure(&database, &clock) {
                tracing::debug!(%error, "the database did not tell its time");
            }
        }
    };
    let spawned = std::thread::Builder::new().name("shared-time".into()).spawn(keep_measuring);
    spawned.map(drop).map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Sets the clock; `false` where the database has none of its own.
fn measure(database: &Database, clock: &SharedClock) -> Result<bool, DbError> {
    database.read(|connection| {
        let AnyConnection::Postgres(connection) = connection else {
            return Ok(false);
        };
        let asked = Instant::now();
        let theirs: Moment = diesel::select(clock_timestamp()).get_result(connection)?;
        clock.set(theirs, asked, Instant::now());
        let skew = clock.skew_micros();
        if skew.abs() > NOTEWORTHY_MICROS {
            let seconds_ahead = skew / 1_000_000;
            tracing::warn!(seconds_ahead, "this machine's clock differs from the database's");
        }
        Ok(true)
    })
}
