//! The rule of a limit: an exact sliding log.

use std::collections::VecDeque;
use std::time::Duration;

use crate::db::Moment;

/// So many hits within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The most hits, at least one.
    pub most: u32,
    /// Within any span of this length.
    pub window: Duration,
}

/// The hits that were let through of late, the oldest first.
///
/// A hit counts from its moment until `window` later, which is exclusive: so no half-open span of
/// that length ever holds more than `most` of them. What is refused is not recorded and so delays
/// nothing. `attempt.lua` states the same rule for Redis.
#[derive(Debug, Clone, Default)]
pub struct SlidingLog {
    hits: VecDeque<Moment>,
}

impl SlidingLog {
    /// How long until there is room for another hit; zero where there is. Forgets hits that no
    /// longer count.
    pub fn wait(&mut self, rate: Rate, now: Moment) -> Duration {
        self.forget(rate, now);
        if self.left(rate) > 0 { Duration::ZERO } else { self.frees_in(rate, now) }
    }

    /// Records a hit, in order even where the clock went back a little.
    pub fn record(&mut self, now: Moment) {
        let latest = self.hits.back().map_or(now, |latest| now.max(*latest));
        self.hits.push_back(latest);
    }

    /// How many more hits there is room for.
    pub fn left(&self, rate: Rate) -> u32 {
        let hits = u32::try_from(self.hits.len()).unwrap_or(u32::MAX);
        rate.most.saturating_sub(hits)
    }

    /// How long until there is room for one more than now; zero where there are no hits.
    pub fn frees_in(&self, rate: Rate, now: Moment) -> Duration {
        // The limit may have been lowered since: then more than one has to leave.
        let excess = self.hits.len().saturating_sub(rate.most as usize);
        self.hits.get(excess).map_or(Duration::ZERO, |hit| (*hit + rate.window).since(now))
    }

    fn forget(&mut self, rate: Rate, now: Moment) {
        // No hit is that new: the clock was wrong, and would hold everybody up until it came true.
        if self.hits.back().is_some_and(|latest| *latest > now + rate.window) {
            self.hits.clear();
        }
        let present = self.hits.back().map_or(now, |latest| now.max(*latest));
        while self.hits.front().is_some_and(|hit| *hit + rate.window <= present) {
            self.hits.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { most: 5, window: Duration::from_secs(60) };

    fn at(micros: i64) -> Moment {
        Moment::from_unix_micros(1_772_366_400_250_000 + micros)
    }

    fn attempt(log: &mut SlidingLog, rate: Rate, now: Moment) -> Duration {
        let wait = log.wait(rate, now);
        if wait.is_zero() {
            log.record(now);
        }
        wait
    }

    /// Security: G1.
    #[test]
    fn the_sixth_within_any_minute_is_refused_to_the_microsecond() {
        let mut log = SlidingLog::default();
        for second in [0, 10, 20, 30, 40] {
            assert_eq!(attempt(&mut log, RATE, at(second * 1_000_000)), Duration::ZERO);
        }
        let left = Duration::from_micros(1);
        assert_eq!(attempt(&mut log, RATE, at(59_999_999)), left);
        assert_eq!(attempt(&mut log, RATE, at(60_000_000)), Duration::ZERO);
        assert_eq!(attempt(&mut log, RATE, at(60_000_000)), Duration::from_secs(10));
    }

    #[test]
    fn a_lower_limit_holds_at_once() {
        let mut log = SlidingLog::default();
        for second in [0, 10, 20, 30, 40] {
            attempt(&mut log, RATE, at(second * 1_000_000));
        }
        let two = Rate { most: 2, ..RATE };
        assert_eq!(log.wait(two, at(50_000_000)), Duration::from_secs(40));
        assert_eq!(log.wait(two, at(90_000_000)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_was_wrong_holds_nobody_up() {
        let mut log = SlidingLog::default();
        for _ in 0..5 {
            attempt(&mut log, RATE, at(86_400_000_000));
        }
        assert_eq!(attempt(&mut log, RATE, at(0)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_goes_back_a_little_lets_nobody_through() {
        let mut log = SlidingLog::default();
        for second in [10, 9, 8, 7, 6] {
            assert_eq!(attempt(&mut log, RATE, at(second * 1_000_000)), Duration::ZERO);
        }
        assert_eq!(attempt(&mut log, RATE, at(5_000_000)), Duration::from_secs(65));
        assert_eq!(attempt(&mut log, RATE, at(69_999_999)), Duration::from_micros(1));
        assert_eq!(attempt(&mut log, RATE, at(70_000_000)), Duration::ZERO);
    }

    proptest! {
        /// Against a model that keeps every hit and counts afresh.
        ///
        /// Security: G1, G6.
        #[test]
        fn no_span_ever_holds_more(
            most in 1_u32..6,
            window in 1_u32..100,
            steps in prop::collection::vec(0_i64..30, 1..200),
        ) {
            let rate = Rate { most, window: Duration::from_micros(window.into()) };
            let (mut log, mut hits, mut now) = (SlidingLog::default(), Vec::<i64>::new(), 0_i64);
            for step in steps {
                now += step;
                let has_room = |hits: &[i64], now: i64| {
                    let counting = hits.iter().filter(|hit| now - **hit < i64::from(window));
                    counting.count() < most as usize
                };
                let wait = attempt(&mut log, rate, at(now));
                if wait.is_zero() {
                    prop_assert!(has_room(&hits, now));
                    hits.push(now);
                } else {
                    // Refused only where it must be, and it passes exactly when it says.
                    let wait = i64::try_from(wait.as_micros()).unwrap();
                    prop_assert!(!has_room(&hits, now) && !has_room(&hits, now + wait - 1));
                    prop_assert!(has_room(&hits, now + wait));
                }
            }
        }
    }
}
