//! The rooms there are. In memory: a restart forgets them.

pub mod outbox;
pub mod rate;
pub mod room;
pub mod seats;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon::id::Id;
use symbolon::moment::Moment;
use uuid::{NoContext, Timestamp, Uuid};

use room::{About, Room};

/// Rooms at most.
const MOST_ROOMS: usize = 10_000;
/// Rooms of one owner at most.
const MOST_ROOMS_OF_ONE: usize = 100;

/// There are as many rooms as there may be, and somebody is in each of them.
#[derive(Debug)]
pub struct Full;

/// All rooms, by id: the oldest first, because ids begin with the time.
#[derive(Default)]
pub struct Hub(Mutex<BTreeMap<Id, Arc<Room>>>);

impl Hub {
    /// Opens a room. Where there are too many, the oldest that nobody is in gives way: first of the
    /// owner's own, so that nobody opens rooms until all others are gone.
    pub fn open(&self, name: String, owner: Id, now: Moment) -> Result<About, Full> {
        let mut rooms = self.rooms();
        let is_own = |room: &Room| room.about.owner_id == owner;
        let own = rooms.values().filter(|room| is_own(room)).count();
        if own >= MOST_ROOMS_OF_ONE {
            drop_oldest_empty(&mut rooms, is_own)?;
        }
        if rooms.len() >= MOST_ROOMS {
            drop_oldest_empty(&mut rooms, |_| true)?;
        }
        let about = About { id: new_id(now), name, owner_id: owner, created_at: now };
        rooms.insert(about.id, Arc::new(Room::new(about.clone())));
        Ok(about)
    }

    /// The room `id`, which does not give way as long as somebody holds it.
    pub fn room(&self, id: Id) -> Option<Arc<Room>> {
        self.rooms().get(&id).cloned()
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<Id, Arc<Room>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever is in a room, or on the way into it, holds it; the map alone holds the others.
fn drop_oldest_empty(
    rooms: &mut BTreeMap<Id, Arc<Room>>,
    may_go: impl Fn(&Room) -> bool,
) -> Result<(), Full> {
    let is_empty = |room: &Arc<Room>| Arc::strong_count(room) == 1;
    let oldest = rooms.iter().find(|(_, room)| may_go(room) && is_empty(room));
    let id = *oldest.ok_or(Full)?.0;
    rooms.remove(&id);
    Ok(())
}

/// A version 7 UUID of this moment.
fn new_id(now: Moment) -> Id {
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or_default();
    let micros = u32::try_from(now.unix_micros().rem_euclid(1_000_000)).unwrap_or_default();
    let at = Timestamp::from_unix(NoContext, seconds, micros * 1000);
    Id::from_bytes(*Uuid::new_v7(at).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment::from_unix_micros(millis * 1000)
    }

    #[test]
    fn the_oldest_empty_room_of_the_owner_gives_way() {
        let hub = Hub::default();
        let [ada, bob] = [1, 2].map(|byte| Id::from_bytes([byte; 16]));
        let bobs = hub.open("Bob's".into(), bob, at(0)).unwrap();
        let open = |millis| hub.open("Ada's".into(), ada, at(millis)).unwrap().id;
        let first = open(1);
        let somebody_is_in_it = hub.room(first);
        let second = open(2);
        for millis in 3..=100 {
            open(millis);
        }
        assert!(hub.room(second).is_some());
        open(101);
        assert!(somebody_is_in_it.is_some() && hub.room(first).is_some());
        assert!(hub.room(second).is_none());
        assert!(hub.room(bobs.id).is_some());
    }

    #[test]
    fn rooms_that_somebody_is_in_stay() {
        let hub = Hub::default();
        let ada = Id::from_bytes([1; 16]);
        let open = |millis| hub.open(String::new(), ada, at(millis));
        let held: Vec<_> = (0..100).map(|millis| hub.room(open(millis).unwrap().id)).collect();
        assert!(open(100).is_err());
        drop(held);
        assert!(open(101).is_ok());
    }
}
