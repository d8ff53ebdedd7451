//! How many messages may be sent.

use std::time::Duration;

use tokio::time::Instant;

/// What may be sent at once may be sent in so much time.
const WINDOW: Duration = Duration::from_secs(10);
/// How many times that much may be tried before it is hopeless.
const PATIENCE: u32 = 3;

/// Whether a message is let through.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    Refused,
    /// It goes on and on.
    Hopeless,
}

/// Counts messages. Each costs its share of the window; what is owed is paid off by
/// the time that passes. Messages that are refused cost as much: whoever goes on owes more and more.
pub struct Rate {
    cost: Duration,
    paid_at: Instant,
}

impl Rate {
    /// So many `messages` in ten seconds.
    pub fn new(messages: u32, now: Instant) -> Self {
        Self { cost: WINDOW / messages, paid_at: now }
    }

    /// Whether there is still something to be paid off.
    pub fn is_owed(&self, now: Instant) -> bool {
        self.paid_at > now
    }

    /// One more message.
    pub fn count(&mut self, now: Instant) -> Admission {
        self.paid_at = self.paid_at.max(now) + self.cost;
        let owed = self.paid_at - now;
        if owed <= WINDOW {
            Admission::Admitted
        } else if owed <= WINDOW * PATIENCE {
            Admission::Refused
        } else {
            Admission::Hopeless
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_pass_and_floods_do_not() {
        let start = Instant::now();
        let mut rate = Rate::new(20, start);
        let mut at_once =
            |number, now| -> Vec<Admission> { (0..number).map(|_| rate.count(now)).collect() };
        assert!(at_once(20, start).iter().all(|one| *one == Admission::Admitted));
        assert!(at_once(40, start).iter().all(|one| *one == Admission::Refused));
        assert_eq!(at_once(1, start), [Admission::Hopeless]);
        let later = start + Duration::from_secs(21);
        assert_eq!(at_once(2, later), [Admission::Admitted, Admission::Refused]);
    }

    #[test]
    fn a_steady_pace_passes_for_ever() {
        let start = Instant::now();
        let mut rate = Rate::new(20, start);
        let paced = |n| rate.count(start + Duration::from_millis(500) * n) == Admission::Admitted;
        assert!((0..1000).all(paced));
    }
}
