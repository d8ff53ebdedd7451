//! How many sockets each user has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon::id::Id;

/// Sockets of one user at most, in all rooms together.
const MOST_OF_ONE: usize = 5;

/// The sockets of all users, by user.
#[derive(Default)]
pub struct Seats(Mutex<HashMap<Id, usize>>);

/// One socket's, given back when dropped.
pub struct Seat {
    seats: Arc<Seats>,
    user: Id,
}

impl Seats {
    /// A seat for one more socket of `user`; `None` where there are enough.
    pub fn take(self: &Arc<Self>, user: Id) -> Option<Seat> {
        let mut taken = self.taken();
        let number = taken.entry(user).or_default();
        if *number >= MOST_OF_ONE {
            return None;
        }
        *number += 1;
        Some(Seat { seats: Arc::clone(self), user })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Id, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(number) = taken.get_mut(&self.user) {
            *number -= 1;
            if *number == 0 {
                taken.remove(&self.user);
            }
        }
    }
}
