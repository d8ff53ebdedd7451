//! How the service stops.

use std::time::{Duration, Instant};

use super::house::{House, SECRET};
use crate::support::Db;
use crate::support::client::claims;

/// Security: J7.
#[test]
fn everybody_is_told_when_it_stops() {
    let mut house = House::open();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let sockets: Vec<_> = [&ada, &ada, &bob, &bob]
        .map(|who| house.handshake(&room).bearer(&who.access).connect())
        .into();
    let began = Instant::now();
    house.terminate();
    for mut socket in sockets {
        assert_eq!(socket.closed(), (1001, "The service stops".into()));
    }
    assert!(house.wait().success());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// However many leave at the same moment, of which nobody needs to be told any more.
///
/// Security: J7.
#[test]
fn a_full_room_is_told_too() {
    let mut house = House::on(Db::sqlite(), &[], &[("INTROSPECTION_CLIENT", "")]);
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("at+jwt".into());
    let mut said = claims(&ada.access);
    let closed: Vec<_> = std::thread::scope(|scope| {
        let reading: Vec<_> = (0..300)
            .map(|number| {
                said["sub"] = format!("01890000-0000-7000-8000-{:012}", number / 5).into();
                let token = jsonwebtoken::encode(&header, &said, &key).unwrap();
                let mut socket = house.handshake(&room).bearer(&token).connect();
                scope.spawn(move || socket.closed())
            })
            .collect();
        house.terminate();
        reading.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(closed.iter().all(|closed| *closed == (1001, "The service stops".into())));
    assert!(house.wait().success());
}

#[test]
fn who_says_no_goodbye_does_not_keep_it_from_stopping() {
    let mut house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let _idle = house.handshake(&room).bearer(&ada.access).connect();
    let began = Instant::now();
    house.terminate();
    assert!(house.wait().success());
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}
