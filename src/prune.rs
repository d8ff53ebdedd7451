//! Deleting what nobody needs any more: sessions past their end, links past their time, old audit
//! events and counts. Sent mail needs none of this: its row goes when it is sent.
//!
//! A session's row stays until `ends_at`, however long it is idle or revoked, so that a restored
//! backup or a late token finds it and gets a true answer.

use std::sync::Arc;
use std::time::Duration;

use crate::activity;
use crate::audit;
use crate::background::{Background, Stop};
use crate::clock::Clock;
use crate::db::{AnyConnection, Database, DbError, Id, Moment, QueryResult, lease};
use crate::mail::outbox;
use crate::one_time;
use crate::random::{self, Random};
use crate::sessions;

/// Rows deleted in one transaction: few enough that no request waits for it.
const BATCH: i64 = 500;
/// A pause between transactions, so that others get their turn.
const PAUSE: Duration = Duration::from_millis(50);
/// How often to look, on average.
const EVERY: Duration = Duration::from_secs(3600);
/// What only one instance does at a time.
const LEASE: &str = "prune";
/// How long an instance that is deleting has before another may take over, from each batch.
const LEASE_WHILE_DELETING: Duration = Duration::from_secs(60);
/// How long the others need not look once one has finished.
const LEASE_WHEN_DONE: Duration = Duration::from_secs(1800);
/// A token that has expired stays as long as the mail that carries it may wait, and longer: it is
/// renewed when that is sent.
const EXPIRED_TOKENS: Duration = Duration::from_secs(2 * outbox::GIVE_UP.as_secs());

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Sessions.
    pub sessions: usize,
    /// One-time tokens that were never used.
    pub tokens: usize,
    /// Audit events.
    pub events: usize,
    /// Hourly counts.
    pub counts: usize,
}

/// Deletes in batches.
pub struct Pruner {
    /// Where from.
    pub database: Database,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long audit events and hourly counts are kept.
    pub retention: Duration,
    /// Who this is among several instances; `None` for an operator, who asks nobody.
    pub instance: Option<Id>,
}

impl Pruner {
    /// Deletes all there is to delete now; stops early if told to, or if another instance is at it.
    pub fn prune(&self, stop: &Stop) -> Result<Pruned, DbError> {
        let now = self.clock.now();
        let oldest = now.before(self.retention);
        let pruned = Pruned {
            sessions: self.in_batches(stop, |connection| {
                sessions::store::delete_ended(connection, now, BATCH)
            })?,
            tokens: self.in_batches(stop, |connection| {
                one_time::store::delete_expired(connection, now.before(EXPIRED_TOKENS), BATCH)
            })?,
            events: self.in_batches(stop, |connection| {
                audit::store::delete_older(connection, oldest, BATCH)
            })?,
            counts: self.in_batches(stop, |connection| {
                activity::store::delete_older(connection, oldest, BATCH)
            })?,
        };
        if !stop.is_told() {
            self.database.write(|connection| self.may_go_on(connection, LEASE_WHEN_DONE))?;
        }
        Ok(pruned)
    }

    fn in_batches(
        &self,
        stop: &Stop,
        delete: impl Fn(&mut AnyConnection) -> QueryResult<usize>,
    ) -> Result<usize, DbError> {
        let mut total = 0;
        loop {
            let deleted = self.database.write(|connection| {
                let may_go_on = self.may_go_on(connection, LEASE_WHILE_DELETING)?;
                if may_go_on { delete(connection) } else { Ok(0) }
            })?;
            total += deleted;
            if deleted == 0 || stop.rest(PAUSE) {
                return Ok(total);
            }
        }
    }

    fn may_go_on(&self, connection: &mut AnyConnection, lasts: Duration) -> QueryResult<bool> {
        let Some(instance) = self.instance else { return Ok(true) };
        let now: Moment = self.clock.now();
        lease::take(connection, LEASE, instance, now, now + lasts)
    }

    /// Prunes about every hour from now on, until it is stopped. The time is spread, so that several
    /// instances do not come at once.
    pub fn start(self, random: Arc<dyn Random>) -> std::io::Result<Background> {
        let next = move || {
            let [spread] = random::bytes(&*random);
            EVERY / 2 + EVERY * u32::from(spread) / 255
        };
        Background::start("prune", next(), move |stop| {
            match self.prune(stop) {
                Ok(pruned) if pruned == Pruned::default() => {}
                Ok(Pruned { sessions, tokens, events, counts }) => {
                    tracing::info!(sessions, tokens, events, counts, "pruned");
                }
                Err(error) => tracing::warn!(%error, "could not prune; will try again"),
            }
            next()
        })
    }
}
