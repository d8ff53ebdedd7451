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

/// What the database was last seen to hold.
#[derive(Debug, Clone, Default)]
pub struct Watched(Arc<Mutex<Seen>>);

/// `None` where it is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// The outbox.
    pub outbox: Option<Outbox>,
    /// Sessions that can still be refreshed.
    pub sessions: Option<i64>,
}

/// Mails that wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outbox {
    /// How many.
    pub mails: i64,
    /// Since when the oldest does.
    pub oldest: Option<Moment>,
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

/// Looks from now on, until it is stopped.
pub fn start(app: &Arc<App>) -> std::io::Result<Background> {
    let app = Arc::clone(app);
    let mut count_at = Instant::now();
    Background::start("metrics", Duration::ZERO, move |_| {
        look_at_outbox(&app);
        let started = Instant::now();
        if started >= count_at {
            count_sessions(&app);
            count_at = Instant::now() + (started.elapsed() * SHARE).max(SESSIONS_EVERY);
        }
        EVERY
    })
}

/// Looks at the outbox once.
pub fn look_at_outbox(app: &App) {
    let outbox = app.database.read(|connection| {
        let mails = mail::store::count(connection)?;
        Ok(Outbox { mails, oldest: mail::store::oldest(connection)? })
    });
    app.metrics.watched.set(|seen| seen.outbox = or_unknown(outbox));
}

/// Counts sessions once.
pub fn count_sessions(app: &App) {
    let live = app.database.read(|connection| sessions::store::count_live(connection, app.now()));
    app.metrics.watched.set(|seen| seen.sessions = or_unknown(live));
}

fn or_unknown<T>(seen: Result<T, DbError>) -> Option<T> {
    seen.inspect_err(|error| tracing::debug!(%error, "the database could not be looked at")).ok()
}
