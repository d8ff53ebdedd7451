//! A token is never logged.

use std::time::{Duration, Instant};

use tungstenite::Message;

use super::house::{CLIENT, House, SECRET};
use crate::support::Db;

/// Security: J4.
#[test]
fn no_token_is_ever_logged() {
    let loud = "trace,actix_http=trace,actix_http::h1=trace,actix_web=trace,ureq=trace";
    let house = House::on(Db::sqlite(), &[], &[("RUST_LOG", loud)]);
    let ada = house.somebody("ada");
    let later = house.auth.login(&ada.email);
    let room = house.room(&ada);
    let token = &ada.access;
    let handshake = || house.handshake(&room);
    let mut socket = handshake().query(&format!("token={token}")).connect();
    handshake().subprotocols(&format!("bearer, {token}")).connect().leave();
    handshake().bearer(token).query(&format!("token={token}")).refused();
    handshake().query(&format!("token={token}x")).refused();
    house.handshake(token).query(&format!("token={token}")).refused();
    house.get(&format!("/{token}?token={token}")).bearer(token).send().expect(404);
    house.call("PUT", &format!("/rooms/{room}/ws?token={token}")).send().expect(405);
    house.raw(format!("GET /?token={token} HTTP/9\r\nauthorization: {token}\r\n\r\n").as_bytes());
    socket.auth(&format!("{}x", later.access));
    assert_eq!(socket.error(), "This token is not valid");
    socket.auth(&later.access);
    socket.chat(token);
    socket.until("chat");
    socket.send_text(format!("{{\"event\":\"{token}\"}}"));
    socket.error();
    socket.write(Message::binary(later.access.clone().into_bytes()));
    assert_eq!(socket.closed().0, 1003);

    // It is read by another thread.
    let began = Instant::now();
    while house.logged().matches("ending=").count() < 2 {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", house.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = house.logged();
    // It says enough for this to mean something.
    for said in ["joined", "left", "answered", "/rooms/{id}/ws", &ada.user, &room] {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert!(!log.contains("TRACE actix") && !log.contains("DEBUG actix"), "{log}");
    let secrets = [SECRET, CLIENT.split_once(':').unwrap().1];
    let parts = [&ada.access, &later.access].into_iter().flat_map(|token| token.split('.').skip(1));
    for secret in secrets.into_iter().chain(parts) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
