//! Time, asked for in one place only.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::moment::Moment;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment, in whole microseconds: what both databases store.
    fn now(&self) -> Moment;

    /// By how many microseconds this machine's own clock was ahead of the shared one (negative:
    /// behind it) when that was asked last; 0 where there is none.
    fn skew_micros(&self) -> i64 {
        0
    }
}

/// The clock that all instances share, or this machine's own until that has been asked.
///
/// Instances on one PostgreSQL take their time from it, so that an instance whose own clock is
/// wrong neither expires nor revives anybody's session. Between two measurements time goes on by a
/// clock that nobody can set: this machine's may jump, and nobody is logged out by that.
#[derive(Debug)]
pub struct SharedClock {
    made: Instant,
    /// What the shared clock said when this one was made; [`UNKNOWN`] until it has been asked.
    shared_when_made: AtomicI64,
    skew_micros: AtomicI64,
}

const UNKNOWN: i64 = i64::MIN;

impl Default for SharedClock {
    fn default() -> Self {
        Self {
            made: Instant::now(),
            shared_when_made: AtomicI64::new(UNKNOWN),
            skew_micros: AtomicI64::new(0),
        }
    }
}

impl SharedClock {
    /// Sets this clock: the shared one said `theirs` between the moments `asked` and `answered`.
    pub fn set(&self, theirs: Moment, asked: Instant, answered: Instant) {
        let between = asked + answered.duration_since(asked) / 2;
        let theirs = theirs.unix_micros();
        self.shared_when_made.store(theirs - self.micros_until(between), Ordering::Relaxed);
        let skew = self.local_ahead();
        self.skew_micros.store(skew, Ordering::Relaxed);
    }

    /// By how many microseconds this machine's own clock has jumped since the shared one was asked,
    /// which also happens where the machine slept: then it is this clock that is wrong.
    pub fn jump_micros(&self) -> i64 {
        self.local_ahead() - self.skew_micros()
    }

    fn local_ahead(&self) -> i64 {
        local().unix_micros() - self.now().unix_micros()
    }

    fn micros_until(&self, moment: Instant) -> i64 {
        let since = moment.saturating_duration_since(self.made);
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Moment {
        match self.shared_when_made.load(Ordering::Relaxed) {
            UNKNOWN => local(),
            shared => {
                Moment::from_unix_micros(shared.saturating_add(self.micros_until(Instant::now())))
            }
        }
    }

    fn skew_micros(&self) -> i64 {
        self.skew_micros.load(Ordering::Relaxed)
    }
}

/// This machine's own idea of the time.
fn local() -> Moment {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    let now = SystemTime::now();
    now.into()
}

/// Cut to the microsecond.
impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |m| -m),
        };
        Self::from_unix_micros(micros)
    }
}

/// For libraries that want the system's type.
impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        let micros = u64::try_from(moment.unix_micros()).unwrap_or(0);
        UNIX_EPOCH + std::time::Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_goes_by_the_shared_clock_once_that_was_asked() {
        let clock = SharedClock::default();
        assert_eq!(clock.skew_micros(), 0);
        let before = local();
        assert!((before..before + Duration::from_secs(60)).contains(&clock.now()));
        // Asked for ten seconds: it told its time in the middle of them.
        let theirs = Moment::from_unix_seconds(1_000_000_000);
        let asked = Instant::now();
        clock.set(theirs, asked, asked + Duration::from_secs(10));
        let set = theirs.before(Duration::from_secs(5));
        assert!((set..set + Duration::from_secs(60)).contains(&clock.now()));
        let ahead = before.unix_micros() - set.unix_micros();
        assert!((ahead..ahead + 60_000_000).contains(&clock.skew_micros()));
        assert!(clock.jump_micros().abs() < 60_000_000, "nobody has moved this machine's clock");
    }
}
