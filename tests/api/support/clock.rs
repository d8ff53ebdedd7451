//! A clock that moves only when told to.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use symbolon::clock::Clock;
use symbolon::db::Moment;

/// Starts at 2026-03-01T12:00:00.25Z: between two seconds, as every real request.
#[derive(Debug)]
pub struct TestClock {
    micros: AtomicI64,
    broken: AtomicBool,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { micros: AtomicI64::new(1_772_366_400_250_000), broken: AtomicBool::new(false) }
    }
}

impl TestClock {
    /// Moves on by so many seconds, or back.
    pub fn step(&self, seconds: f64) {
        #[allow(clippy::cast_possible_truncation, reason = "a few days in microseconds")]
        self.micros.fetch_add((seconds * 1e6).round() as i64, Ordering::SeqCst);
    }

    /// Makes whoever asks panic, or no longer.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        assert!(!self.broken.load(Ordering::SeqCst), "the clock is broken");
        Moment::from_unix_micros(self.micros.load(Ordering::SeqCst))
    }
}
