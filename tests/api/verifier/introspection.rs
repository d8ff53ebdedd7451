//! Services that must notice at once when a session ends.

use std::time::Duration;

use serde_json::json;
use symbolon::signing::key_file::KeyAlgorithm::Es256;
use symbolon::verifier::Verifier;

use super::issuer::Issuer;
use super::{Service, with_secret};
use crate::support::process::{Process, free_port};
use crate::support::{Db, TestServer, at_once};

const CLIENTS: (&str, &str) = ("--introspection-clients", "rooms:s3cret");

on_both_databases! {
    /// Security: A17, I2.
    fn an_ended_session_is_noticed_with_the_next_request(db) {
        let server = TestServer::with(db, &[CLIENTS]);
        let asking = with_secret(&server).introspection("rooms", "s3cret", Duration::ZERO);
        let (asking, trusting) = (Service::start(asking), Service::start(with_secret(&server)));
        let ada = server.register("ada@example.com");
        asking.ask(&ada.access).expect(200);
        server.db.set_user(&ada.user, "role = 'moderator'");
        let said = asking.ask(&ada.access).expect(200).text;
        assert!(said.contains(" moderator "), "the role is that of now: {said}");

        server.logout(&ada.access, &ada.refresh).expect(204);
        assert_eq!(asking.judge(&ada.access), (401, "TOKEN_INVALID".to_owned()));
        trusting.ask(&ada.access).expect(200);
        let again = server.login("ada@example.com");
        server.disable(&ada.user);
        assert_eq!(asking.judge(&again.access), (401, "TOKEN_INVALID".to_owned()));
        // What is no token at all is not even asked about.
        assert_eq!(asking.judge("nonsense"), (401, "TOKEN_INVALID".to_owned()));
    }

    /// Why a token is not active is not said, and the client is not told that its session is over:
    /// the user may just have to verify the address first.
    fn whoever_may_not_act_yet_is_told_nothing_wrong(db) {
        let server = TestServer::with(db, &[CLIENTS, ("--require-verified-email", "true")]);
        let asking = with_secret(&server).introspection("rooms", "s3cret", Duration::ZERO);
        let service = Service::start(asking);
        let ada = server.register("ada@example.com");
        assert_eq!(service.judge(&ada.access), (401, "TOKEN_INVALID".to_owned()));
        let token = server.letter("Verify your e-mail address").token();
        server.post("/auth/verify-email").json(&json!({"token": token})).send().expect(204);
        service.ask(&ada.access).expect(200);
    }

    fn wrong_credentials_let_nobody_in(db) {
        let server = TestServer::with(db, &[CLIENTS]);
        let wrong = with_secret(&server).introspection("rooms", "guess", Duration::ZERO);
        let service = Service::start(wrong);
        let ada = server.register("ada@example.com");
        assert_eq!(service.judge(&ada.access), (503, "UNAVAILABLE".to_owned()));
    }
}

#[test]
fn an_answer_is_believed_for_as_long_as_was_asked() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    let keep = Duration::from_secs(3);
    let service = Service::start(issuer.verifier().introspection("a", "b", keep));
    let (one, other) = (issuer.token(&key, 600), issuer.token(&key, 601));
    for _ in 0..5 {
        service.ask(&one).expect(200);
    }
    assert_eq!(issuer.introspections(), 1);
    service.ask(&other).expect(200);
    assert_eq!(issuer.introspections(), 2, "each token has an answer of its own");

    issuer.say_of_tokens(json!({"active": false}));
    issuer.clock.step(2.9);
    service.ask(&one).expect(200);
    issuer.clock.step(0.1);
    assert_eq!(service.judge(&one), (401, "TOKEN_INVALID".to_owned()));
    assert_eq!(service.judge(&one), (401, "TOKEN_INVALID".to_owned()));
    assert_eq!(issuer.introspections(), 3);
}

/// Asking is part of the trace that the caller's request is part of (W3C Trace Context).
#[test]
fn the_callers_trace_goes_on() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    let service = Service::start(issuer.verifier().introspection("a", "b", Duration::ZERO));
    let token = issuer.token(&key, 600);
    service.ask(&token).expect(200);
    assert_eq!(issuer.traceparent(), None);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = service.client.get("/").bearer(&token);
    call.header("traceparent", traceparent).send().expect(200);
    assert_eq!(issuer.traceparent().as_deref(), Some(traceparent));
}

/// The issuer's clock may be a little ahead: what has expired by it has only expired.
#[test]
fn a_token_about_to_expire_is_refreshed_not_given_up() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    let service = Service::start(issuer.verifier().introspection("a", "b", Duration::ZERO));
    issuer.say_of_tokens(json!({"active": false}));
    assert_eq!(service.judge(&issuer.token(&key, 7)), (401, "TOKEN_INVALID".to_owned()));
    for seconds in 1..=5 {
        let token = issuer.token(&key, seconds);
        assert_eq!(service.judge(&token), (401, "TOKEN_EXPIRED".to_owned()), "{seconds}");
    }
}

/// Who cannot be told is told so, and nobody gets in meanwhile.
#[test]
fn while_it_cannot_be_asked_nobody_gets_in() {
    let issuer = Issuer::start();
    let key = issuer.make_key(Es256);
    issuer.publish(&[&key]);
    let service = Service::start(issuer.verifier().introspection("a", "b", Duration::ZERO));
    let token = issuer.token(&key, 600);
    service.ask(&token).expect(200);
    issuer.set_down(true);
    let answer = service.ask(&token).expect(503);
    assert_eq!((&*answer.code(), answer.header("retry-after")), ("UNAVAILABLE", Some("1")));
    issuer.set_down(false);
    for wrong in
        [json!({}), json!([]), json!({"active": "yes"}), json!({"active": true, "role": 1})]
    {
        issuer.say_of_tokens(wrong.clone());
        assert_eq!(service.judge(&token), (503, "UNAVAILABLE".to_owned()), "{wrong}");
    }
    // Without a role that we know there is no right at all.
    issuer.say_of_tokens(json!({"active": true}));
    assert_eq!(service.judge(&token).0, 401);
    issuer.say_of_tokens(json!({"active": true, "role": "admin", "more": 1}));
    service.client.get("/admins").bearer(&token).send().expect(200);
}

/// Kept connections that a restart has closed are not taken for an answer.
#[test]
fn a_restart_of_symbolon_costs_no_request() {
    let db = Db::sqlite();
    let port = free_port();
    let start = || Process::start(&db, port, &[("INTROSPECTION_CLIENTS", "rooms:s3cret")]);
    let process = start();
    let ada = process.register("ada@example.com");
    let secret = std::fs::read_to_string(db.dir.path().join("jwt_secret")).unwrap();
    let verifier = Verifier::builder(&process.base).secret(secret.trim());
    let service = Service::start(verifier.introspection("rooms", "s3cret", Duration::ZERO));
    let ask = || {
        let answers = at_once(20, |_| (0..5).map(|_| service.judge(&ada.access).0).collect());
        assert!(answers.iter().all(|statuses: &Vec<u16>| *statuses == [200; 5]), "{answers:?}");
    };
    ask();
    process.kill();
    assert_eq!(service.judge(&ada.access).0, 503);
    let _process = start();
    ask();
}
