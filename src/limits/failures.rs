//! The growing wait of an account whose password is being guessed.

use std::time::Duration;

use crate::db::Moment;

/// From this failure in a row on, an account waits.
pub const FIRST: u32 = 10;
/// The longest wait. Short enough that nobody is locked out for good: whoever knows the password
/// gets in after it, however many strangers fail.
pub const LONGEST: Duration = Duration::from_secs(900);
/// The longest wait while an attempt is being judged. It keeps guesses from getting through all at
/// once, and costs the owner little if the judgement never comes.
pub const WHILE_JUDGED: Duration = Duration::from_secs(10);
/// Failures are forgotten this long after the last.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(86_400);

/// What is known of an account, whether it exists or not.
///
/// An attempt counts as a failure until it has succeeded, so that any number of them at once are not
/// more guesses than so many one after another. `attempt.lua` and `failed.lua` state the same rule
/// for Redis.
#[derive(Debug, Clone, Copy)]
pub struct Failures {
    count: u32,
    latest: Moment,
    opens: Moment,
}

impl Failures {
    /// None so far.
    pub fn none(now: Moment) -> Self {
        Self { count: 0, latest: now, opens: now }
    }

    /// How long the account has to wait; zero where it has not.
    pub fn wait(&self, now: Moment) -> Duration {
        let wait = self.opens.since(now);
        // Nothing waits that long: the clock was wrong.
        if wait > LONGEST { Duration::ZERO } else { wait }
    }

    /// Counts an attempt that is about to be judged.
    pub fn count(&mut self, now: Moment) {
        if now >= self.latest + FORGOTTEN_AFTER {
            *self = Self::none(now);
        }
        self.count = self.count.saturating_add(1);
        self.latest = now;
        self.opens = now + wait_after(self.count).min(WHILE_JUDGED);
    }

    /// Makes the account wait: an attempt has failed.
    pub fn failed(&mut self, now: Moment) {
        self.opens = self.opens.max(now + wait_after(self.count));
    }
}

/// A second from the [`FIRST`] failure on, doubling up to the [`LONGEST`].
fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FIRST) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(10)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_unix_seconds(1_772_366_400);

    /// After so many failures, each as soon as it was possible; and when that was.
    fn after(failures: u32) -> (Failures, Moment) {
        let (mut account, mut now) = (Failures::none(START), START);
        for _ in 0..failures {
            now = now + account.wait(now);
            account.count(now);
            account.failed(now);
        }
        (account, now)
    }

    /// Security: G2, G3.
    #[test]
    fn the_wait_doubles_from_the_tenth_failure_on_up_to_a_quarter_of_an_hour() {
        let waits = [(9, 0), (10, 1), (11, 2), (12, 4), (19, 512), (20, 900), (21, 900), (99, 900)];
        for (failures, seconds) in waits {
            let (account, now) = after(failures);
            assert_eq!(account.wait(now), Duration::from_secs(seconds), "{failures}");
        }
    }

    /// Security: G2.
    #[test]
    fn attempts_at_once_are_no_more_guesses_than_attempts_one_after_another() {
        let (mut account, mut passed) = (Failures::none(START), 0);
        while account.wait(START).is_zero() {
            account.count(START);
            passed += 1;
        }
        assert_eq!(passed, 10);
        // While the wait is long, an attempt that is never judged holds the owner up but briefly.
        let (mut account, now) = after(30);
        let now = now + LONGEST;
        account.count(now);
        assert_eq!(account.wait(now), WHILE_JUDGED);
    }

    #[test]
    fn failures_are_forgotten_after_a_day() {
        let (mut account, now) = after(30);
        account.count(now + FORGOTTEN_AFTER);
        assert_eq!(account.wait(now + FORGOTTEN_AFTER), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_was_wrong_holds_nobody_up() {
        let (account, now) = after(30);
        assert_eq!(account.wait(now.before(Duration::from_secs(2 * 86_400))), Duration::ZERO);
    }
}
