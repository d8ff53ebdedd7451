//! Who gets a socket, and who is refused before there is one.

use std::time::{Duration, Instant};

use super::house::{CLIENT, House};
use crate::support::process::on;
use crate::support::{Db, at_once};

/// Security: J2.
#[test]
fn the_token_comes_by_one_of_three_ways() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let handshake = || house.handshake(&room);
    let token = &ada.access;
    let by_query = format!("token={token}");
    let by_subprotocol = format!("bearer, {token}");

    assert_eq!(handshake().bearer(token).connect().protocol, None);
    assert_eq!(handshake().query(&by_query).connect().protocol, None);
    // The answer names the way, and never repeats the token.
    let socket = handshake().subprotocols(&by_subprotocol).connect();
    assert_eq!(socket.protocol.as_deref(), Some("bearer"));

    for several in [
        handshake().bearer(token).query(&by_query),
        handshake().bearer(token).subprotocols(&by_subprotocol),
        handshake().query(&by_query).subprotocols(&by_subprotocol),
        handshake().query(&by_query).query(&by_query),
        handshake().bearer(token).bearer(token),
        handshake().subprotocols(&by_subprotocol).subprotocols(&by_subprotocol),
    ] {
        let refused = several.refused();
        assert_eq!((refused.status, &*refused.code), (400, "MALFORMED_REQUEST"));
    }
}

/// Security: J1.
#[test]
fn whoever_is_refused_is_so_before_the_101() {
    let house = House::on(Db::sqlite(), &[("ACCESS_TOKEN_TTL", "4s")], &[]);
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let cut = &ada.access[..ada.access.len() - 4];
    for (handshake, code) in [
        (house.handshake(&room), "TOKEN_MISSING"),
        (house.handshake(&room).subprotocols("bearer"), "TOKEN_MISSING"),
        (house.handshake(&room).bearer("nonsense"), "TOKEN_INVALID"),
        (house.handshake(&room).bearer(cut), "TOKEN_INVALID"),
        (house.handshake(&room).query("token="), "TOKEN_INVALID"),
        (house.handshake(&room).query(&format!("token={cut}")), "TOKEN_INVALID"),
        (house.handshake(&room).subprotocols(&format!("bearer, {cut}")), "TOKEN_INVALID"),
        (house.handshake(&room).bearer(&ada.refresh), "TOKEN_INVALID"),
        // Whether there is a room is told to those only who may know.
        (house.handshake("0199d3c0-0000-7000-8000-000000000000"), "TOKEN_MISSING"),
    ] {
        let refused = handshake.refused();
        assert_eq!((refused.status, &*refused.code), (401, code));
        let challenge = refused.header("www-authenticate").unwrap();
        assert_eq!(challenge.contains("invalid_token"), code != "TOKEN_MISSING", "{challenge}");
    }
    let nowhere = house.handshake("0199d3c0-0000-7000-8000-000000000000");
    let refused = nowhere.bearer(&ada.access).refused();
    assert_eq!((refused.status, &*refused.code), (404, "NOT_FOUND"));

    // `revoked.rs` has those whose session has ended.
    let began = Instant::now();
    loop {
        match house.handshake(&room).bearer(&ada.access).attempt() {
            Err(refused) if refused.code == "TOKEN_EXPIRED" => break,
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not expire");
    }
}

#[test]
fn what_is_no_handshake_is_refused() {
    let house = House::open();
    let ada = house.somebody("ada");
    let path = format!("/rooms/{}/ws", house.room(&ada));
    house.get(&path).send().expect_failure(401, "TOKEN_MISSING");
    house.get(&path).bearer(&ada.access).send().expect_failure(400, "MALFORMED_REQUEST");
    // None of these has taken a seat.
    for _ in 0..6 {
        house.get(&path).bearer(&ada.access).send().expect(400);
    }
    let other_version = house
        .get(&path)
        .bearer(&ada.access)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==")
        .header("sec-websocket-version", "12");
    other_version.send().expect_failure(400, "MALFORMED_REQUEST");
}

/// Security: J3.
#[test]
fn pages_of_other_origins_are_refused() {
    let listed = ("ALLOWED_ORIGINS", "https://app.test, http://localhost:5173");
    let house = House::on(Db::sqlite(), &[], &[listed]);
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let from = |origin: &str| house.handshake(&room).bearer(&ada.access).header("origin", origin);
    from("https://app.test").connect();
    from("http://localhost:5173").connect();
    house.handshake(&room).bearer(&ada.access).connect();
    let own = house.base.clone();
    for origin in
        ["https://evil.test", "http://app.test", "https://app.test.evil.test", "null", &own]
    {
        let refused = from(origin).refused();
        assert_eq!((refused.status, &*refused.code), (403, "ORIGIN_REJECTED"), "{origin}");
    }
    let twice = from("https://app.test").header("origin", "https://app.test").refused();
    assert_eq!(twice.code, "ORIGIN_REJECTED");
    let nobody = house.handshake(&room).header("origin", "https://evil.test").refused();
    assert_eq!(nobody.code, "ORIGIN_REJECTED");
}

/// Security: J3.
#[test]
fn without_a_list_only_pages_of_the_own_host_connect() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let from = |origin: &str| house.handshake(&room).bearer(&ada.access).header("origin", origin);
    from(&house.base).connect();
    for origin in ["https://evil.test", "http://127.0.0.1", "null"] {
        assert_eq!(from(origin).refused().code, "ORIGIN_REJECTED", "{origin}");
    }
}

#[test]
fn tokens_of_published_keys_are_taken() {
    at_once(2, |number| {
        let db = Db::sqlite();
        let folder = db.dir.path().join("keys");
        let folder = folder.to_str().unwrap().to_owned();
        let mut generate = on(&db);
        generate.args(["keys", "generate", "--alg", ["ES256", "EdDSA"][number]]);
        let made = generate.env("SIGNING_KEYS_DIR", &folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let auth = [("SIGNING_KEYS_DIR", &*folder), ("INTROSPECTION_CLIENTS", CLIENT)];
        let house = House::with(db, &auth, &[("INTROSPECTION_CLIENT", CLIENT)]);
        let ada = house.somebody("ada");
        let room = house.room(&ada);
        let mut socket = house.handshake(&room).bearer(&ada.access).connect();
        socket.until_present(1);
        let forged = ada.access.rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
        assert_eq!(house.handshake(&room).bearer(&forged).refused().code, "TOKEN_INVALID");
    });
}

#[test]
fn while_symbolon_is_away_nobody_is_let_in_whom_it_has_to_vouch_for() {
    let mut house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let mut inside = house.handshake(&room).bearer(&ada.access).connect();
    let bob = house.somebody("bob");
    // Until it has ended it answers on connections that are kept.
    house.auth.terminate();
    house.auth.wait_until_ended();
    let refused = house.handshake(&room).bearer(&bob.access).refused();
    assert_eq!((refused.status, &*refused.code), (503, "UNAVAILABLE"));
    assert!(refused.header("retry-after").is_some());
    // After a round of asking, whoever is inside still is: that nobody can be asked says nothing.
    std::thread::sleep(Duration::from_millis(2800));
    inside.chat("still here");
    assert_eq!(inside.until("chat")["text"], "still here");
}
