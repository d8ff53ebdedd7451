//! One room: who is in it, and what they hear.
//!
//! Everything that happens in a room happens under its lock, so everybody hears it in one order; and
//! nothing under the lock waits for anybody, because outboxes never do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytestring::ByteString;
use serde::Serialize;
use symbolon::id::Id;
use symbolon::moment::Moment;
use symbolon::verifier::Caller;

use super::outbox::{Ending, Outbox};
use crate::frames::{Present, ToClient};

/// Sockets in one room at most, or a few more where several come at the same moment.
const MOST_MEMBERS: usize = 500;

/// What there is to know of a room.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    pub id: Id,
    pub name: String,
    pub owner_id: Id,
    pub created_at: Moment,
}

/// A room.
pub struct Room {
    pub about: About,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    list: Vec<Member>,
    /// How many have ever joined.
    joined: u64,
}

/// A socket in a room. A user may have several.
struct Member {
    number: u64,
    user: Id,
    name: String,
    outbox: Outbox,
}

/// How a user is called: by the token's name, where there is one.
pub fn name_of(caller: &Caller) -> String {
    caller.name.clone().unwrap_or_else(|| caller.user.to_string())
}

impl Room {
    /// A room that nobody is in.
    pub fn new(about: About) -> Self {
        Self { about, members: Mutex::default() }
    }

    /// Whether as many are in it as may be: everybody is told who else is here.
    pub fn is_full(&self) -> bool {
        self.members().list.len() >= MOST_MEMBERS
    }

    /// Lets the socket behind `outbox` in, until the membership is dropped.
    pub fn join(self: Arc<Self>, caller: &Caller, outbox: Outbox) -> Membership {
        let mut members = self.members();
        let number = members.joined;
        members.joined += 1;
        members.list.push(Member { number, user: caller.user, name: name_of(caller), outbox });
        members.tell_who_is_here();
        drop(members);
        Membership { room: self, number }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn tell(&self, text: &ByteString) {
        self.list.iter().for_each(|member| member.outbox.send(text.clone()));
    }

    /// Tells everybody who is here, each user once.
    fn tell_who_is_here(&self) {
        let mut users: Vec<Present<'_>> = Vec::new();
        for Member { user, name, .. } in &self.list {
            if !users.iter().any(|present| present.user_id == *user) {
                users.push(Present { user_id: *user, name });
            }
        }
        let list = ToClient::Presence { users }.text();
        self.list.iter().for_each(|member| member.outbox.send_presence(list.clone()));
    }

    fn has(&self, number: u64) -> bool {
        self.list.iter().any(|member| member.number == number)
    }
}

/// A socket's being in a room, which ends when this is dropped.
pub struct Membership {
    room: Arc<Room>,
    number: u64,
}

impl Membership {
    /// Says `text` to everybody, the speaker included. One who was thrown out is not heard any more.
    pub fn say(&self, speaker: &Caller, text: &str, at: Moment) {
        let members = self.room.members();
        if members.has(self.number) {
            let (user_id, name) = (speaker.user, &*name_of(speaker));
            members.tell(&ToClient::Chat { user_id, name, text, at }.text());
        }
    }

    /// Throws all sockets of `target` out; whether there were any.
    pub fn kick(&self, target: Id, by: Id) -> bool {
        let mut members = self.room.members();
        if !members.has(self.number) {
            return false;
        }
        let is_target = |member: &mut Member| member.user == target;
        let kicked: Vec<Member> = members.list.extract_if(.., is_target).collect();
        if kicked.is_empty() {
            return false;
        }
        for member in kicked {
            member.outbox.end(Ending::Kicked);
        }
        members.tell(&ToClient::Kicked { user_id: target, by }.text());
        members.tell_who_is_here();
        tracing::info!(room = %self.room.about.id, user = %target, %by, "kicked");
        true
    }

    /// Takes up the name of a newer token.
    pub fn rename(&self, caller: &Caller) {
        let mut members = self.room.members();
        let name = name_of(caller);
        let own = members.list.iter_mut().find(|member| member.number == self.number);
        if let Some(member) = own.filter(|member| member.name != name) {
            member.name = name;
            members.tell_who_is_here();
        }
    }

    /// The room's id.
    pub fn room_id(&self) -> Id {
        self.room.about.id
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut members = self.room.members();
        if members.has(self.number) {
            members.list.retain(|member| member.number != self.number);
            members.tell_who_is_here();
        }
    }
}

#[cfg(test)]
mod tests {
    use symbolon::role::Role;

    use super::*;
    use crate::hub::outbox::Queue;

    const NOW: Moment = Moment::from_unix_seconds(0);

    fn user(byte: u8) -> Caller {
        let id = Id::from_bytes([byte; 16]);
        let (name, email) = (Some(format!("user {byte}")), None);
        Caller { user: id, session: id, role: Role::User, email, name, expires_at: NOW }
    }

    fn heard(queue: &mut Queue) -> Vec<String> {
        let texts = std::iter::from_fn(|| queue.try_next());
        texts.map(|message| format!("{message:?}").replace('\\', "")).collect()
    }

    #[test]
    fn who_was_kicked_is_not_heard_any_more_and_kicks_nobody() {
        let id = Id::from_bytes([9; 16]);
        let about = About { id, name: String::new(), owner_id: id, created_at: NOW };
        let room = Arc::new(Room::new(about));
        let [ada, bob] = [1, 2].map(user);
        let [(adas, mut to_ada), (bobs, mut to_bob)] = [(); 2].map(|()| Outbox::new());
        let ada_is_in = Arc::clone(&room).join(&ada, adas);
        let bob_is_in = room.join(&bob, bobs);
        bob_is_in.say(&bob, "hello", NOW);
        assert!(heard(&mut to_ada).last().unwrap().contains(r#""name":"user 2","text":"hello""#));

        assert!(ada_is_in.kick(bob.user, ada.user));
        let told = heard(&mut to_ada);
        assert!(told[0].contains("user.kicked") && told[1].contains("presence"), "{told:?}");
        assert!(!told[1].contains("user 2"), "{told:?}");
        heard(&mut to_bob);
        bob_is_in.say(&bob, "still here", NOW);
        assert!(!bob_is_in.kick(ada.user, bob.user));
        assert!(!ada_is_in.kick(bob.user, ada.user));
        drop(bob_is_in);
        assert_eq!(heard(&mut to_ada), [""; 0]);
        assert_eq!(heard(&mut to_bob), [""; 0]);
    }
}
