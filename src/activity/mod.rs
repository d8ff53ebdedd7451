//! How much is going on: sign-ins, refreshes and caught reuses, counted by the hour.
//!
//! A refresh must not cost a row, so counts are kept in memory and added to the `hourly_counts` table
//! every ten seconds, before they are shown, and at the end. A process that is killed loses what it
//! has counted since. What has to be known for good is in [`crate::audit`].

pub mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::background::Background;
use crate::clock::Clock;
use crate::db::{Database, DbError, Moment};

/// How often counts are written.
const EVERY: Duration = Duration::from_secs(10);
/// One hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// Hours of a day: the counts that are shown, and those that are kept apart in memory.
pub const HOURS: usize = 24;
/// How many kinds there are.
const KINDS: usize = Kind::ALL.len();

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody signed in or registered.
    SignIn,
    /// A refresh was answered with tokens.
    Refresh,
    /// A refresh token was used again after it had been replaced.
    Reuse,
}

impl Kind {
    /// Every kind, in the order of its counters.
    pub const ALL: [Self; 3] = [Self::SignIn, Self::Refresh, Self::Reuse];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Refresh => "refresh",
            Self::Reuse => "reuse",
        }
    }
}

/// So often something happened within an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// When the hour began.
    pub hour: Moment,
    /// What happened.
    pub kind: Kind,
    /// How often.
    pub count: i64,
}

/// Counts what happens on this instance.
pub struct Activity {
    database: Database,
    clock: Arc<dyn Clock>,
    /// By the hour of the day, then by kind: what is not written yet.
    counters: [[AtomicI64; KINDS]; HOURS],
}

impl Activity {
    /// Counts from nothing.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, counters: Default::default() }
    }

    /// Counts one more at `now`.
    pub fn count(&self, kind: Kind, now: Moment) {
        self.counters[slot(now)][kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Writes what was counted; keeps it for the next time where the database does not take it.
    pub fn flush(&self) -> Result<(), DbError> {
        let counts = self.take();
        if counts.is_empty() {
            return Ok(());
        }
        let write = || self.database.write(|connection| store::add(connection, &counts));
        let written = match write() {
            // Another instance has added the hour's row at the same moment.
            Err(error) if error.is_unique_violation() => write(),
            written => written,
        };
        // What may stand in the table is not counted twice.
        if !matches!(written, Ok(()) | Err(DbError::Unclear)) {
            for count in &counts {
                let counter = &self.counters[slot(count.hour)][count.kind as usize];
                counter.fetch_add(count.count, Ordering::Relaxed);
            }
        }
        written
    }

    /// What was counted and not written yet, which from now on it counts as.
    fn take(&self) -> Vec<Count> {
        // Who counts may have asked the time a moment later than this, in the next hour.
        let next = self.clock.now().whole_hour() + HOUR;
        let mut counts = Vec::new();
        let mut hour = next;
        for _ in 0..HOURS {
            for kind in Kind::ALL {
                let count = self.counters[slot(hour)][kind as usize].swap(0, Ordering::Relaxed);
                if count > 0 {
                    counts.push(Count { hour, kind, count });
                }
            }
            hour = hour.before(HOUR);
        }
        counts
    }

    /// Writes counts from now on, until it is stopped.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Background> {
        let activity = Arc::clone(self);
        Background::start("activity", EVERY, move |_| {
            activity.flush_or_warn();
            EVERY
        })
    }

    /// Writes what was counted; a failure is logged.
    pub fn flush_or_warn(&self) {
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "counts were not written");
        }
    }
}

/// The counters of the hour that `moment` is in.
fn slot(moment: Moment) -> usize {
    let hours = moment.unix_seconds().div_euclid(3600);
    usize::try_from(hours.rem_euclid(24)).unwrap_or(0)
}
