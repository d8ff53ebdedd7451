//! What is signed by which key when, and what stays good meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use symbolon::clock::Clock;
use symbolon::signing::key_file::KeyAlgorithm::{EdDsa, Es256};
use symbolon::signing::key_file::KeyFile;

use crate::support::keys::{ACTIVATION, header, kid, make_key};
use crate::support::{Db, PASSWORD, TestServer};

const MINUTE: f64 = 60.0;

on_both_databases! {
    /// Security: A15.
    fn a_key_is_replaced_without_breaking_a_token(db) {
        let server = TestServer::with_keys(db, &[]);
        let first = server.add_key(Es256);
        let ada = server.register("ada@example.com");
        assert_eq!(kid(&ada.access), first);
        server.me(&ada.access).expect(200);

        let second = server.add_key(EdDsa);
        assert_eq!(server.published(), [&*first, &*second]);
        server.clock.step(9.99 * MINUTE);
        let last_of_first = server.login("ada@example.com").access;
        assert_eq!(kid(&last_of_first), first, "the second is only published for now");

        server.clock.step(0.01 * MINUTE);
        let of_second = server.login("ada@example.com").access;
        assert_eq!(kid(&of_second), second);
        assert_eq!(server.published(), [&*first, &*second]);
        for token in [&ada.access, &last_of_first, &of_second] {
            server.me(token).expect(200);
        }

        // Every token is good to its end, whatever has become of its key.
        server.clock.step(14.97 * MINUTE);
        server.me(&ada.access).expect_failure(401, "TOKEN_EXPIRED");
        server.me(&last_of_first).expect(200);
        server.clock.step(0.03 * MINUTE);
        server.me(&last_of_first).expect_failure(401, "TOKEN_EXPIRED");

        assert_eq!(server.published(), [&*first, &*second], "another instance may be a little late");
        server.clock.step(5.0);
        assert_eq!(server.published(), [&*second]);
        let newest = server.login("ada@example.com").access;
        assert_eq!(kid(&newest), second);
    }

    /// Refresh tokens are ours alone and stay as they are: nobody is signed out by a change of keys.
    fn sessions_outlive_every_change_of_keys(db) {
        let server = TestServer::with_keys(db, &[]);
        let ada = server.register("ada@example.com");
        assert_eq!(header(&ada.access), json!({"typ": "at+jwt", "alg": "HS256"}));
        let mut cookie = ada.refresh;
        for algorithm in [Es256, EdDsa, Es256] {
            let key = server.add_key(algorithm);
            server.clock.step(11.0 * MINUTE);
            let answer = server.refresh(&cookie).expect(200);
            cookie = answer.refresh_token();
            assert_eq!(header(&cookie), json!({"typ": "rt+jwt", "alg": "HS256"}));
            assert_eq!(kid(&answer.access_token()), key);
            server.me(&answer.access_token()).expect(200);
            // What was signed before there was a key is no longer good.
            server.me(&ada.access).expect_failure(401, "TOKEN_INVALID");
        }
    }

    fn instances_that_share_a_folder_agree(db) {
        let db = Arc::new(db);
        let folder = db.keys_dir().to_string_lossy().into_owned();
        let clock = Arc::default();
        let start =
            || TestServer::on(Arc::clone(&db), Arc::clone(&clock), &[("--signing-keys-dir", &folder)]);
        let one = start();
        let first = one.add_key(EdDsa);
        let other = start();
        let ada = one.register("ada@example.com");
        other.me(&ada.access).expect(200);
        clock.step(1.0);
        // One notices the second key late: it goes on signing with the first, which the other takes.
        let second = make_key(&db.keys_dir(), EdDsa, clock.now()).kid().to_owned();
        other.notice_keys();
        one.clock.step(10.0 * MINUTE);
        let late = one.login("ada@example.com").access;
        assert_eq!(kid(&late), first);
        other.me(&late).expect(200);
        let early = other.login("ada@example.com").access;
        assert_eq!(kid(&early), second);
        one.me(&early).expect_failure(401, "TOKEN_INVALID");
        one.notice_keys();
        one.me(&early).expect(200);
    }
}

/// Security: A15. A key may come later than it was made: copied by hand, or by whatever distributes
/// secrets. What this process has signed is good to its end, and others are given time to know it.
#[test]
fn a_key_that_comes_late_breaks_no_token() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let first = server.add_key(Es256);
    let elsewhere = server.db.dir.path().join("elsewhere");
    server.clock.step(1.0);
    let late = make_key(&elsewhere, EdDsa, server.clock.now());
    server.clock.step(60.0 * MINUTE);
    let ada = server.register("ada@example.com");
    std::fs::copy(&late.path, server.db.keys_dir().join("late.pem")).unwrap();
    server.notice_keys();
    server.me(&ada.access).expect(200);
    assert_eq!(server.published(), [&*first, late.kid()]);
    server.clock.step(9.0 * MINUTE);
    let last = server.login("ada@example.com").access;
    assert_eq!(kid(&last), first, "it waits from when it came");
    server.clock.step(1.0 * MINUTE);
    assert_eq!(kid(&server.login("ada@example.com").access), late.kid());
    server.me(&last).expect(200);
    server.clock.step(13.9 * MINUTE);
    server.me(&last).expect(200);

    // One that is to sign at once does, and still nothing breaks.
    let now = server.clock.now();
    let at_once = KeyFile::make(&elsewhere, Es256, now, ACTIVATION, true).unwrap();
    server.clock.step(60.0 * MINUTE);
    let bob = server.register("bob@example.com");
    assert_eq!(kid(&bob.access), late.kid());
    std::fs::copy(&at_once.path, server.db.keys_dir().join("at_once.pem")).unwrap();
    server.notice_keys();
    assert_eq!(kid(&server.login("bob@example.com").access), at_once.kid());
    server.clock.step(14.9 * MINUTE);
    server.me(&bob.access).expect(200);
}

/// Whoever lets a key sign at once has a reason to: the one before does not come back.
#[test]
fn a_key_that_signs_at_once_stays_the_one() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    server.add_key(Es256);
    server.clock.step(1.0);
    let now = server.clock.now();
    let newest = KeyFile::make(&server.db.keys_dir(), Es256, now, ACTIVATION, true).unwrap();
    server.notice_keys();
    for _ in 0..4 {
        assert_eq!(kid(&server.login_or_register("ada@example.com")), newest.kid());
        server.clock.step(5.0 * MINUTE);
    }
    assert_eq!(server.published(), [newest.kid()]);
}

impl TestServer {
    /// An access token of `email`.
    fn login_or_register(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.post("/auth/login").json(&body).send();
        if answer.status == 200 { answer.access_token() } else { self.register(email).access }
    }
}

/// Security: A14. Nothing but what RFC 7517 wants of a public key, its `kid` computed by hand.
#[test]
fn what_is_published_has_no_private_part() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    server.add_key(Es256);
    server.add_key(EdDsa);
    let keys = server.get("/.well-known/jwks.json").send().expect(200).json()["keys"].clone();
    let [ec, ed] = keys.as_array().unwrap().as_slice() else { panic!("{keys}") };
    let members = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(members(ec), named(&["alg", "crv", "kid", "kty", "use", "x", "y"]));
    assert_eq!(members(ed), named(&["alg", "crv", "kid", "kty", "use", "x"]));
    for (key, kind) in [(ec, ["ES256", "EC", "P-256"]), (ed, ["EdDSA", "OKP", "Ed25519"])] {
        assert_eq!([&key["alg"], &key["kty"], &key["crv"]], kind);
        assert_eq!(key["use"], "sig");
        // RFC 7638, 3.2: the required members only, in the order of their names, without a space.
        let y = if key["y"].is_string() { format!(r#","y":{}"#, key["y"]) } else { String::new() };
        let required =
            format!(r#"{{"crv":{},"kty":{},"x":{}{y}}}"#, key["crv"], key["kty"], key["x"]);
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(required));
        assert_eq!(key["kid"], thumbprint);
    }
}

/// Security: A15. Whoever keeps a copy knows a key before it signs.
#[test]
fn a_copy_is_kept_for_half_the_wait_at_most() {
    let kept = |flags: &[(&str, &str)], has_key: bool| {
        let server = TestServer::with_keys(Db::sqlite(), flags);
        if has_key {
            server.add_key(Es256);
        }
        let answer = server.get("/.well-known/jwks.json").send().expect(200);
        answer.header("cache-control").unwrap().to_owned()
    };
    assert_eq!(kept(&[], true), "public, max-age=300");
    assert_eq!(kept(&[("--key-activation", "1d")], true), "public, max-age=300");
    assert_eq!(kept(&[("--key-activation", "1m")], true), "public, max-age=30");
    assert_eq!(kept(&[("--key-activation", "0s")], true), "public, max-age=0");
    // The first key signs at once.
    assert_eq!(kept(&[], false), "public, max-age=0");
}

/// The same claims in the same second may be signed differently: nothing rests on their bytes.
#[test]
fn a_replay_answers_with_the_same_refresh_token_whatever_signs() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    server.add_key(Es256);
    let ada = server.register("ada@example.com");
    let rotated = server.refresh(&ada.refresh).expect(200);
    let replayed = server.refresh(&ada.refresh).expect(200);
    assert_eq!(rotated.refresh_token(), replayed.refresh_token());
    server.me(&rotated.access_token()).expect(200);
    server.me(&replayed.access_token()).expect(200);
}
