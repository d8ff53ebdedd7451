//! What happens when a token ends, and how to go on with a newer one.

use std::time::{Duration, Instant};

use symbolon::clock::{Clock, SharedClock};
use symbolon::moment::Moment;

use super::house::{CLIENT, House};
use super::socket::Heard;
use crate::support::client::claims;
use crate::support::{Db, at_once};

/// Tokens live so long in these tests.
const TTL: (&str, &str) = ("ACCESS_TOKEN_TTL", "4s");

fn house() -> House {
    House::on(Db::sqlite(), &[TTL], &[])
}

/// Security: J6, J7.
#[test]
fn a_socket_is_closed_when_its_token_ends() {
    // With and without introspection.
    at_once(2, |number| {
        let client = [CLIENT, ""][number];
        let house = House::on(Db::sqlite(), &[TTL], &[("INTROSPECTION_CLIENT", client)]);
        let ada = house.somebody("ada");
        let room = house.room(&ada);
        let mut socket = house.handshake(&room).bearer(&ada.access).connect();
        let began = Instant::now();
        socket.next("presence");
        let left = socket.next("auth.expiring")["inSeconds"].as_u64().unwrap();
        assert!((0..=2).contains(&left), "{left}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!(socket.hear(), Heard::Closed(4401, "Unauthorized".into()));
        let ends = Moment::from_unix_seconds(claims(&ada.access)["exp"].as_i64().unwrap());
        let now = SharedClock::default().now();
        assert!((ends..ends + Duration::from_millis(600)).contains(&now), "{ends} {now}");
    });
}

/// Security: J6.
#[test]
fn a_newer_token_keeps_it_open() {
    let house = house();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let mut socket = house.handshake(&room).bearer(&ada.access).connect();
    let began = Instant::now();
    socket.until("auth.expiring");
    let renewed = house.auth.refresh(&ada.refresh).expect(200);
    socket.auth(&renewed.access_token());
    // It is announced for the newer token, too.
    socket.next("auth.expiring");
    while began.elapsed() < Duration::from_millis(4300) {
        std::thread::sleep(Duration::from_millis(20));
    }
    socket.chat("longer than one token");
    assert_eq!(socket.next("chat")["text"], "longer than one token");
    assert_eq!(socket.closed(), (4401, "Unauthorized".into()));
}

/// Security: J6.
#[test]
fn a_renewal_that_fails_leaves_the_old_token() {
    let house = house();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let mut socket = house.handshake(&room).bearer(&ada.access).connect();
    socket.next("presence");
    for (token, told) in [
        ("nonsense", "This token is not valid"),
        (&*ada.refresh, "This token is not valid"),
        (&bob.access, "This token is another user's"),
    ] {
        socket.auth(token);
        assert_eq!(socket.error(), told);
    }
    socket.chat("as before");
    assert_eq!(socket.until("chat")["userId"], *ada.user);
    assert_eq!(socket.closed(), (4401, "Unauthorized".into()));
}
