//! Deleting what nobody needs any more: sessions past their end, audit events past their time.
//!
//! A session's row stays until `ends_at`, however long it is idle or revoked, so that a restored
//! backup or a late token finds it and gets a true answer.

use std::sync::Arc;
use std::time::Duration;

use super::store;
use crate::audit;
use crate::clock::Clock;
use crate::db::{Database, DbError, Moment};
use crate::random::{self, Random};

/// Rows deleted in one transaction: few enough that no request waits for it.
const BATCH: i64 = 500;
/// A pause between transactions, so that others get their turn.
const PAUSE: Duration = Duration::from_millis(50);
/// How often to look, on average.
const EVERY: Duration = Duration::from_secs(3600);

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Sessions.
    pub sessions: usize,
    /// Audit events.
    pub events: usize,
}

/// Deletes all there is to delete at `now`, keeping audit events for `retention`.
pub fn prune(database: &Database, now: Moment, retention: Duration) -> Result<Pruned, DbError> {
    let sessions =
        in_batches(|| database.write(|connection| store::delete_ended(connection, now, BATCH)))?;
    let oldest = now.before(retention);
    let events = in_batches(|| {
        database.write(|connection| audit::store::delete_older(connection, oldest, BATCH))
    })?;
    Ok(Pruned { sessions, events })
}

fn in_batches(delete: impl Fn() -> Result<usize, DbError>) -> Result<usize, DbError> {
    let mut total = 0;
    loop {
        let deleted = delete()?;
        total += deleted;
        if deleted == 0 {
            return Ok(total);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Prunes about every hour, in a thread of its own. The time is spread, so that several instances
/// do not come at once; if they do, the second finds nothing left.
pub fn keep_pruning(
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    retention: Duration,
) -> std::io::Result<()> {
    let keep_pruning = move || {
        loop {
            let [spread] = random::bytes(&*random);
            std::thread::sleep(EVERY / 2 + EVERY * u32::from(spread) / 255);
            match prune(&database, clock.now(), retention) {
                Ok(Pruned { sessions: 0, events: 0 }) => {}
                Ok(Pruned { sessions, events }) => tracing::info!(sessions, events, "pruned"),
                Err(error) => tracing::warn!(%error, "could not prune; will try again"),
            }
        }
    };
    std::thread::Builder::new().name("prune".into()).spawn(keep_pruning).map(drop)
}
