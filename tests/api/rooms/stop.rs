//! How the service stops.

use std::time::{Duration, Instant};

use super::house::House;

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

#[test]
fn who_does_not_read_does_not_keep_it_from_stopping() {
    let mut house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let _idle = house.handshake(&room).bearer(&ada.access).connect();
    let began = Instant::now();
    house.terminate();
    assert!(house.wait().success());
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}
