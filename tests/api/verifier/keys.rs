//! Keys that are fetched: how often, and what becomes of callers meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon::signing::key_file::KeyAlgorithm::{EdDsa, Es256};
use symbolon::verifier::{BuildError, Verifier};

use super::issuer::{ISSUER, Issuer};
use super::{Service, verifier, with_secret};
use crate::support::{Db, TestServer, at_once};

const GOOD: (u16, &str) = (200, "");
const INVALID: (u16, &str) = (401, "TOKEN_INVALID");
const UNAVAILABLE: (u16, &str) = (503, "UNAVAILABLE");

#[track_caller]
fn expect(service: &Service, token: &str, expected: (u16, &str)) {
    let (status, code) = service.judge(token);
    assert_eq!((status, &*code), expected);
}

/// Waits until the thread that fetches has asked so often.
fn wait_for_requests(issuer: &Issuer, count: usize) {
    let started = Instant::now();
    while issuer.key_requests() < count {
        assert!(started.elapsed() < Duration::from_secs(20), "{}", issuer.key_requests());
        std::thread::sleep(Duration::from_millis(10));
    }
}

on_both_databases! {
    /// Security: A15. Of the real service, whose address is all that was given.
    fn a_replaced_key_breaks_no_token(db) {
        let server = TestServer::with_keys(db, &[]);
        server.add_key(Es256);
        let service = Service::start(verifier(&server));
        let ada = server.register("ada@example.com");
        let answer = service.ask(&ada.access).expect(200);
        assert!(answer.text.starts_with(&format!("{} {} user", ada.user, ada.session)));
        server.add_key(EdDsa);
        server.clock.step(600.0);
        let newer = server.login("ada@example.com");
        for token in [&ada.access, &newer.access] {
            service.ask(token).expect(200);
        }
    }

    fn a_shared_secret_needs_no_keys(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        // The issuer is asked for, or given: then Symbolon may even be away.
        let asking = Service::start(with_secret(&server));
        let given = with_secret(&server).issuer("https://auth.test");
        let given = Service::start(given);
        for service in [&asking, &given] {
            expect(service, &ada.access, GOOD);
            expect(service, &server.forge_access(&ada.access).key(b"another").sign(), INVALID);
            expect(service, &ada.refresh, INVALID);
        }
        // Without the secret, nothing it has signed is believed.
        let other = Service::start(verifier(&server));
        expect(&other, &ada.access, UNAVAILABLE);
    }
}

#[test]
fn those_who_ask_at_once_share_one_fetch() {
    let issuer = Issuer::start();
    let [first, second] = [Es256, EdDsa].map(|algorithm| issuer.make_key(algorithm));
    issuer.publish(&[&first]);
    let service = Service::start(issuer.verifier());
    expect(&service, &issuer.token(&first, 60), GOOD);
    assert_eq!(issuer.key_requests(), 1, "what is known is not asked for");

    issuer.clock.step(5.0);
    issuer.publish(&[&first, &second]);
    issuer.set_pause(Duration::from_millis(300));
    let token = issuer.token(&second, 60);
    let judged = at_once(30, |_| service.judge(&token));
    assert!(judged.iter().all(|(status, _)| *status == 200), "{judged:?}");
    assert_eq!(issuer.key_requests(), 2);
}

/// A key that is gone is believed no longer than until the keys are fetched again.
#[test]
fn a_key_that_is_gone_is_refused() {
    let issuer = Issuer::start();
    let [stolen, next] = [Es256, EdDsa].map(|algorithm| issuer.make_key(algorithm));
    issuer.publish(&[&stolen]);
    let service = Service::start(issuer.verifier());
    expect(&service, &issuer.token(&stolen, 600), GOOD);
    issuer.publish(&[&next]);
    issuer.clock.step(5.0);
    expect(&service, &issuer.token(&next, 600), GOOD);
    expect(&service, &issuer.token(&stolen, 600), INVALID);
}

/// Security: A9. However many tokens name keys that do not exist.
#[test]
fn unknown_keys_are_asked_for_seldom() {
    let issuer = Issuer::start();
    let [known, unknown] = [Es256, EdDsa].map(|algorithm| issuer.make_key(algorithm));
    issuer.publish(&[&known]);
    let service = Service::start(issuer.verifier());
    expect(&service, &issuer.token(&known, 600), GOOD);
    issuer.clock.step(5.0);
    for round in 1..=3 {
        let token = issuer.token(&unknown, 600);
        let judged = at_once(8, |_| (0..5).map(|_| service.judge(&token)).collect::<Vec<_>>());
        let invalid = (INVALID.0, INVALID.1.to_owned());
        assert!(judged.iter().flatten().all(|judged| *judged == invalid), "{judged:?}");
        assert_eq!(issuer.key_requests(), 1 + round);
        issuer.clock.step(5.0);
    }
    // Nor for what could never be good.
    let token = issuer.token(&unknown, 600);
    let (_, signed) = token.split_once('.').unwrap();
    expect(
        &service,
        &format!("eyJhbGciOiJIUzI1NiIsImtpZCI6IngiLCJ0eXAiOiJhdCtqd3QifQ.{signed}"),
        INVALID,
    );
    expect(&service, "nonsense", INVALID);
    assert_eq!(issuer.key_requests(), 4);
}

/// Who cannot be told is told so: 503, not that the token is bad.
#[test]
fn while_the_issuer_is_away_what_is_known_is_used() {
    let issuer = Issuer::start();
    let [known, other] = [Es256, EdDsa].map(|algorithm| issuer.make_key(algorithm));
    issuer.publish(&[&known, &other]);
    issuer.set_down(true);
    let service = Service::start(issuer.verifier());
    expect(&service, &issuer.token(&known, 60), UNAVAILABLE);
    issuer.set_down(false);
    // Those that wait for the first keys cause fetches no oftener than others.
    issuer.clock.step(5.0);
    expect(&service, &issuer.token(&known, 60), GOOD);

    issuer.set_down(true);
    let newer = issuer.make_key(EdDsa);
    issuer.clock.step(5.0);
    expect(&service, &issuer.token(&newer, 60), UNAVAILABLE);
    expect(&service, &issuer.token(&known, 60), GOOD);
    issuer.clock.step(86_000.0);
    expect(&service, &issuer.token(&other, 60), GOOD);
    issuer.clock.step(400.0);
    expect(&service, &issuer.token(&known, 60), UNAVAILABLE);
    issuer.set_down(false);
    issuer.publish(&[&newer]);
    issuer.clock.step(5.0);
    expect(&service, &issuer.token(&newer, 60), GOOD);
    expect(&service, &issuer.token(&known, 60), INVALID);
}

/// By a thread beside the requests, as often as the answer says.
#[test]
fn what_grows_old_is_fetched_again() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    // Never oftener than this, whatever the answer says.
    issuer.set_cache_control("max-age=0");
    let verifier = issuer.verifier().build().unwrap();
    let started = Instant::now();
    wait_for_requests(&issuer, 2);
    assert!(started.elapsed() > Duration::from_secs(4), "{:?}", started.elapsed());
    drop(verifier);
}

#[test]
fn a_failed_fetch_is_tried_again_soon() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.set_down(true);
    let service = Service::start(issuer.verifier().issuer(ISSUER));
    wait_for_requests(&issuer, 1);
    issuer.set_down(false);
    issuer.publish(&[&key]);
    wait_for_requests(&issuer, 2);
    let started = Instant::now();
    while service.judge(&issuer.token(&key, 60)).0 != 200 {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Security: A2. Whoever can write the document does not get a secret or another algorithm accepted.
#[test]
fn only_what_we_sign_with_is_taken_from_the_document() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    let public: Value = serde_json::to_value(&key.public).unwrap();
    let with = |name: &str, value: Value| {
        let mut changed = public.clone();
        changed[name] = value;
        changed
    };
    let service = |keys: Vec<Value>| {
        issuer.publish_raw(keys);
        Service::start(issuer.verifier())
    };
    let token = issuer.token(&key, 60);
    let secret = json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": key.kid()});
    for unusable in [secret.clone(), with("alg", json!("ES384")), with("alg", json!("EdDSA"))] {
        expect(&service(vec![unusable]), &token, UNAVAILABLE);
    }
    // What others publish beside it does no harm.
    let rsa = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256", "kid": "rsa"});
    let no_kid = with("kid", Value::Null);
    let service = service(vec![secret, rsa, no_kid, public.clone()]);
    expect(&service, &token, GOOD);
    let hmac = jsonwebtoken::EncodingKey::from_secret(b"secret");
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    (header.typ, header.kid) = (Some("at+jwt".into()), Some(key.kid().to_owned()));
    let claims = crate::support::client::claims(&token);
    expect(&service, &jsonwebtoken::encode(&header, &claims, &hmac).unwrap(), INVALID);
}

#[test]
fn issuer_and_audience_are_exact() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    let token = issuer.token(&key, 60);
    let judge = |verifier| Service::start(verifier).judge(&token).0;
    assert_eq!(judge(issuer.verifier().issuer(ISSUER)), 200);
    assert_eq!(judge(issuer.verifier().audience(ISSUER)), 200);
    assert_eq!(judge(issuer.verifier().issuer(format!("{ISSUER}/"))), 401);
    assert_eq!(judge(issuer.verifier().audience("https://other.test")), 401);
}

/// Security: A6.
#[test]
fn leeway_is_what_was_asked_for() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    let strict = Service::start(issuer.verifier());
    let lenient = Service::start(issuer.verifier().leeway(Duration::from_secs(30)));
    let token = issuer.token(&key, 60);
    issuer.clock.step(60.0);
    expect(&strict, &token, (401, "TOKEN_EXPIRED"));
    expect(&lenient, &token, GOOD);
    issuer.clock.step(30.0);
    expect(&lenient, &token, (401, "TOKEN_EXPIRED"));
}

#[test]
fn an_address_has_to_be_one() {
    for wrong in ["", "auth.example.com", "ftp://auth.example.com"] {
        let refused = Verifier::builder(wrong).build().err();
        assert!(matches!(refused, Some(BuildError::Url(_))), "{wrong}");
    }
}

/// Security: A15. A verifier on SQLite's server of the real kind, started before there is any key.
#[test]
fn a_service_may_start_before_there_is_a_key() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let service = Service::start(verifier(&server));
    let ada = server.register("ada@example.com");
    expect(&service, &ada.access, UNAVAILABLE);
    server.add_key(Es256);
    server.clock.step(5.0);
    expect(&service, &server.login("ada@example.com").access, GOOD);
    expect(&service, &ada.access, INVALID);
}
