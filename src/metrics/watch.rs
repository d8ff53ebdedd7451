//! What the database holds, looked at now and then: what everybody who asks for metrics would
//! otherwise have counted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::app::App;
use crate::background::Background;
use crate::db::{DbError, Moment};
use crate::{mail, sessions};

/// How often to look.
const EVERY: Duration = Duration::from_secs(10);
/// Counting sessions reads all of them. It may take this share of one connection's time at most.
const SHARE: u32 = 50;
/// How often to count sessions at most.
const SESSIONS_EVERY: Duration = Duration::from_secs(30);

/// What was seen is told for this long beyond the next look. A database that hangs holds the look
/// up, and what it held before that would pass for the present.
const GRACE: Duration = Duration::from_secs(20);

/// What the database was last seen to hold.
#[derive(Debug, Clone, Default)]
pub struct Watched(Arc<Mutex<Seen>>);

/// `None` where it is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// The outbox, until it has to be looked at again.
    outbox: Option<(Outbox, Instant)>,
    /// Sessions that can still be refreshed, until they have to be counted again.
    sessions: Option<(i64, Instant)>,
}

/// Mails that wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outbox {
    /// How many.
    pub mails: i64,
    /// Since when the oldest does.
    pub oldest: Option<Moment>,
}

impl Seen {
    /// The outbox at `now`, if it is known.
    pub(super) fn outbox(&self, now: Instant) -> Option<Outbox> {
        fresh(self.outbox, now)
    }

    /// The number of live sessions at `now`, if it is known.
    pub(super) fn sessions(&self, now: Instant) -> Option<i64> {
        fresh(self.sessions, now)
    }
}

fn fresh<T>(seen: Option<(T, Instant)>, now: Instant) -> Option<T> {
    seen.filter(|(_, until)| now < *until).map(|(value, _)| value)
}

impl Watched {
    /// What was last seen.
    pub(super) fn get(&self) -> Seen {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Looks from now on, until they are stopped. Counting sessions may take its time, so that it is not
/// to hold up the rest.
pub fn start(app: &Arc<App>) -> std::io::Result<[Background; 2]> {
    let (looking, counting) = (Arc::clone(app), Arc::clone(app));
    let outbox = Background::start("watch-outbox", Duration::ZERO, move |_| {
        look_at_outbox(&looking);
        EVERY
    })?;
    let sessions =
        Background::start("watch-sessions", Duration::ZERO, move |_| count_sessions(&counting))?;
    Ok([outbox, sessions])
}

/// Looks at the outbox once.
pub fn look_at_outbox(app: &App) {
    let outbox = app.database.read(|connection| {
        let mails = mail::store::count(connection)?;
        Ok(Outbox { mails, oldest: mail::store::oldest(connection)? })
    });
    let until = Instant::now() + EVERY + GRACE;
    app.metrics.watched.set(|seen| seen.outbox = or_unknown(outbox, until));
}

/// Counts sessions once; returns how long to rest until the next time.
pub fn count_sessions(app: &App) -> Duration {
    let started = Instant::now();
    let live =
        app.database.snapshot(|connection| sessions::store::count_live(connection, app.now()));
    let rest = (started.elapsed() * SHARE).max(SESSIONS_EVERY);
    let until = Instant::now() + rest + started.elapsed() + GRACE;
    app.metrics.watched.set(|seen| seen.sessions = or_unknown(live, until));
    rest
}

fn or_unknown<T>(seen: Result<T, DbError>, until: Instant) -> Option<(T, Instant)> {
    let seen =
        seen.inspect_err(|error| tracing::debug!(%error, "the database could not be looked at"));
    seen.ok().map(|seen| (seen, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_long_ago_is_not_known() {
        let now = Instant::now();
        let seen = Seen { sessions: Some((7, now + GRACE)), ..Seen::default() };
        assert_eq!((seen.sessions(now), seen.sessions(now + GRACE)), (Some(7), None));
        assert!(seen.outbox(now).is_none());
    }
}
