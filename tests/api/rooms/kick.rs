//! Moderators throw users out.

use std::time::Duration;

use serde_json::json;

use super::house::House;
use super::socket::Heard;
use crate::support::{Db, at_once};

/// Security: J7, J9.
#[test]
fn a_moderator_throws_every_socket_of_a_user_out() {
    let house = House::open();
    at_once(2, |number| {
        let role = ["moderator", "admin"][number];
        let keeper = house.somebody_who_is(role, &format!("keeper-{role}"));
        let [bob, eve] = ["bob", "eve"].map(|name| house.somebody(&format!("{name}-{role}")));
        let [room, other] = [(); 2].map(|()| house.room(&keeper));
        let mut moderator = house.handshake(&room).bearer(&keeper.access).connect();
        let mut witness = house.handshake(&room).bearer(&eve.access).connect();
        let mut elsewhere = house.handshake(&other).bearer(&bob.access).connect();
        elsewhere.next("presence");
        let mut sockets = [(); 2].map(|()| house.handshake(&room).bearer(&bob.access).connect());
        witness.until_present(3);
        witness.until_present(3);

        moderator.kick(&bob);
        for socket in &mut sockets {
            assert_eq!(socket.closed(), (1008, "Kicked by moderator".into()));
        }
        let kicked = json!({"userId": bob.user, "by": keeper.user});
        assert_eq!(witness.next("user.kicked"), kicked);
        let present = witness.next("presence");
        assert_eq!(present["users"].as_array().unwrap().len(), 2, "{present}");
        assert_eq!(moderator.until("user.kicked"), kicked);
        elsewhere.expect_silence("still here");

        moderator.kick(&bob);
        assert_eq!(moderator.error(), "This user is not in the room");
    });
}

/// Security: J9.
#[test]
fn others_may_not() {
    let house = House::open();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let mut first = house.handshake(&room).bearer(&ada.access).connect();
    let mut second = house.handshake(&room).bearer(&bob.access).connect();
    second.until_present(2);
    // Not even the room's owner.
    first.kick(&bob);
    assert_eq!(first.error(), "Insufficient permissions");
    second.expect_silence("nothing was heard of it");
}

on_both_databases! {
    /// Security: J9.
    fn a_role_acts_on_the_sockets_that_are_open(db) {
        let house = House::on(db, &[], &[]);
        let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
        let room = house.room(&ada);
        let mut first = house.handshake(&room).bearer(&ada.access).connect();
        let mut second = house.handshake(&room).bearer(&bob.access).connect();
        second.until_present(2);
        first.kick(&bob);
        assert_eq!(first.error(), "Insufficient permissions");
        house.set_role(&ada, "moderator");
        // Noticed within five seconds; a message a tenth is less than the rate that is allowed.
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(500));
            first.kick(&bob);
            if let Heard::Frame { event, .. } = first.hear() && event == "user.kicked" {
                assert_eq!(second.closed().0, 1008);
                return;
            }
        }
        panic!("the new role was not noticed");
    }
}

/// Without introspection, a newer token tells of the role.
///
/// Security: J9.
#[test]
fn a_renewal_brings_the_new_role() {
    let house = House::on(Db::sqlite(), &[], &[("INTROSPECTION_CLIENT", "")]);
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let mut first = house.handshake(&room).bearer(&ada.access).connect();
    let mut second = house.handshake(&room).bearer(&bob.access).connect();
    second.until_present(2);
    house.set_role(&ada, "moderator");
    first.kick(&bob);
    assert_eq!(first.error(), "Insufficient permissions");
    first.auth(&house.auth.login(&ada.email).access);
    first.chat("renewed");
    first.until("chat");
    first.kick(&bob);
    assert_eq!(second.closed().0, 1008);
}
