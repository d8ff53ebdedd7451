//! What each user takes up: sockets, and messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon::id::Id;
use tokio::time::Instant;

use super::rate::{Admission, Rate};

/// Sockets of one user at most, in all rooms together.
const MOST_OF_ONE: usize = 5;

/// The sockets and the messages of all users, by user.
pub struct Seats {
    /// Messages of one user in ten seconds.
    message_rate: u32,
    taken: Mutex<HashMap<Id, Taken>>,
}

/// What one user takes up. It is forgotten when there is no socket and nothing is owed any more: by
/// connecting again nobody gets anything anew.
struct Taken {
    sockets: usize,
    messages: Rate,
    /// Everybody in a room is told who comes, so that is bounded as messages are.
    joins: Rate,
}

/// One socket's seat, given back when dropped.
pub struct Seat {
    seats: Arc<Seats>,
    user: Id,
}

impl Seats {
    /// All are free.
    pub fn new(message_rate: u32) -> Self {
        Self { message_rate, taken: Mutex::default() }
    }

    /// Messages of one user in ten seconds.
    pub fn message_rate(&self) -> u32 {
        self.message_rate
    }

    /// A seat for one more socket of `user`; `None` where there are enough, or were too many just now.
    pub fn take(self: &Arc<Self>, user: Id, now: Instant) -> Option<Seat> {
        let mut all = self.taken();
        all.retain(|_, taken| {
            taken.sockets > 0 || taken.messages.is_owed(now) || taken.joins.is_owed(now)
        });
        let rate = || Rate::new(self.message_rate, now);
        let nothing = || Taken { sockets: 0, messages: rate(), joins: rate() };
        let taken = all.entry(user).or_insert_with(nothing);
        if taken.sockets >= MOST_OF_ONE || taken.joins.count(now) != Admission::Admitted {
            return None;
        }
        taken.sockets += 1;
        Some(Seat { seats: Arc::clone(self), user })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Id, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// One more message of this user, by whichever socket.
    pub fn count(&self, now: Instant) -> Admission {
        let mut all = self.seats.taken();
        all.get_mut(&self.user).map_or(Admission::Hopeless, |taken| taken.messages.count(now))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(taken) = self.seats.taken().get_mut(&self.user) {
            taken.sockets -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_comes_again_owes_what_was_owed() {
        let seats = Arc::new(Seats::new(20));
        let (ada, now) = (Id::from_bytes([1; 16]), Instant::now());
        let held: Vec<_> = (0..5).map(|_| seats.take(ada, now).unwrap()).collect();
        assert!(seats.take(ada, now).is_none());
        for _ in 0..20 {
            assert_eq!(held[0].count(now), Admission::Admitted);
        }
        assert_eq!(held[1].count(now), Admission::Refused);
        drop(held);
        let again = seats.take(ada, now).unwrap();
        assert_eq!(again.count(now), Admission::Refused);
        drop(again);
        for _ in 6..20 {
            assert!(seats.take(ada, now).is_some());
        }
        assert!(seats.take(ada, now).is_none(), "nobody comes and goes all the time");
        let bob = seats.take(Id::from_bytes([2; 16]), now);
        let later = now + Duration::from_secs(30);
        assert!(bob.is_some() && seats.take(ada, later).is_some());
        drop(bob);
        seats.take(Id::from_bytes([3; 16]), later + Duration::from_secs(30));
        assert_eq!(seats.taken().len(), 1, "who owes nothing is forgotten");
    }
}
