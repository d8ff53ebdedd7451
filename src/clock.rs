//! Time, asked for in one place only.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::moment::Moment;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment, in whole microseconds: what both databases store.
    fn now(&self) -> Moment;

    /// How far the machine's own clock is ahead of the one that is gone by, in seconds; 0 where there
    /// is no other.
    fn skew_seconds(&self) -> f64 {
        0.0
    }
}

/// This machine's clock, corrected by the offset to the clock that all instances share.
///
/// Instances on one PostgreSQL take their time from it, so that an instance whose own clock is
/// wrong neither expires nor revives anybody's session.
#[derive(Debug, Default)]
pub struct SharedClock {
    offset_micros: AtomicI64,
}

impl SharedClock {
    /// This machine's own idea of the time, uncorrected.
    pub fn local(&self) -> Moment {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
        let now = SystemTime::now();
        now.into()
    }

    /// Corrects this clock by `micros` microseconds from now on.
    pub fn set_offset(&self, micros: i64) {
        self.offset_micros.store(micros, Ordering::Relaxed);
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Moment {
        let micros = self.local().unix_micros();
        Moment::from_unix_micros(micros.saturating_add(self.offset_micros.load(Ordering::Relaxed)))
    }

    fn skew_seconds(&self) -> f64 {
        let offset = self.offset_micros.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "exact for offsets of up to 285 years")]
        let micros = offset as f64;
        (0.0 - micros) / 1e6
    }
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
