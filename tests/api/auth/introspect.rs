//! `POST /auth/introspect` (RFC 7662).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::client::claims;
use crate::support::{Answer, Db, TestServer};

const CLIENTS: (&str, &str) = ("--introspection-clients", "rooms:s3cret, chat:p%+ s");

fn introspect_as(server: &TestServer, client: &str, token: &str) -> Answer {
    let form =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    form_as(server, client, &form)
}

fn form_as(server: &TestServer, client: &str, form: &str) -> Answer {
    server
        .post("/auth/introspect")
        .header("authorization", &format!("Basic {}", STANDARD.encode(client)))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.as_bytes())
        .send()
}

fn introspect(server: &TestServer, token: &str) -> Value {
    introspect_as(server, "rooms:s3cret", token).expect(200).json()
}

#[track_caller]
fn expect_inactive(server: &TestServer, token: &str) {
    assert_eq!(introspect(server, token), json!({"active": false}), "nothing else is said");
}

on_both_databases! {
    fn it_says_whose_a_good_token_is(db) {
        let server = TestServer::with(db, &[CLIENTS]);
        let ada = server.register("ada@example.com");
        let said = claims(&ada.access);
        let answer = introspect_as(&server, "rooms:s3cret", &ada.access).expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json(), json!({
            "active": true, "token_type": "Bearer", "iss": said["iss"], "aud": said["aud"],
            "sub": ada.user, "sid": ada.session, "role": "user",
            "iat": said["iat"], "exp": said["exp"], "jti": said["jti"],
        }));
        // Asking changes nothing.
        assert_eq!(introspect(&server, &ada.access)["active"], true);
        server.refresh(&ada.refresh).expect(200);
        assert_eq!(introspect(&server, &ada.access)["active"], true, "it is good until its exp");
    }

    /// Security: A13, A17, I2.
    fn a_token_is_active_only_while_its_holder_may_act(db) {
        let server = TestServer::with(db, &[CLIENTS]);
        let ada = server.register("ada@example.com");
        expect_inactive(&server, &ada.refresh);
        for nonsense in ["", " ", "a.b.c", "nonsense", &"x".repeat(5000)] {
            expect_inactive(&server, nonsense);
        }
        expect_inactive(&server, &server.forge_access(&ada.access).key(b"another").sign());

        server.db.set_user(&ada.user, "role = 'moderator'");
        let said = introspect(&server, &ada.access);
        assert_eq!((&said["role"], &claims(&ada.access)["role"]), (&json!("moderator"), &json!("user")));

        let again = server.login("ada@example.com");
        server.logout(&ada.access, &ada.refresh).expect(204);
        expect_inactive(&server, &ada.access);
        assert_eq!(introspect(&server, &again.access)["active"], true);

        server.disable(&again.user);
        expect_inactive(&server, &again.access);
        server.db.set_user(&again.user, "disabled_at = NULL");
        assert_eq!(introspect(&server, &again.access)["active"], true);
        server.clock.step(15.0 * 60.0);
        expect_inactive(&server, &again.access);

        let bob = server.register("bob@example.com");
        let delete = server.delete("/auth/me").bearer(&bob.access);
        delete.json(&json!({"password": crate::support::PASSWORD})).send().expect(204);
        expect_inactive(&server, &bob.access);
    }

    fn who_has_to_verify_first_is_not_active(db) {
        let server = TestServer::with(db, &[CLIENTS, ("--require-verified-email", "true")]);
        let ada = server.register("ada@example.com");
        expect_inactive(&server, &ada.access);
        let token = server.letter("Verify your e-mail address").token();
        server.post("/auth/verify-email").json(&json!({"token": token})).send().expect(204);
        assert_eq!(introspect(&server, &ada.access)["active"], true);
    }

    /// Security: G7.
    fn wrong_credentials_are_refused_and_bounded(db) {
        let flags = [CLIENTS, ("--login-rate-limit", "5/1m")];
        let server = TestServer::with(db, &flags);
        let ada = server.register("ada@example.com");
        let wrong = |client: &str| introspect_as(&server, client, &ada.access);
        for client in ["rooms:", "rooms", "rooms:S3cret", "room:s3cret", ":s3cret", ""] {
            let answer = wrong(client).expect_failure(401, "INVALID_CLIENT");
            let challenge = r#"Basic realm="symbolon", charset="UTF-8""#;
            assert_eq!(answer.header("www-authenticate"), Some(challenge));
        }
        let form = || {
            let form = server.post("/auth/introspect");
            form.header("content-type", "application/x-www-form-urlencoded").body(b"token=x")
        };
        form().send().expect_failure(401, "INVALID_CLIENT");
        form().bearer(&ada.access).send().expect_failure(401, "INVALID_CLIENT");
        form().header("authorization", "Basic !").send().expect_failure(401, "INVALID_CLIENT");
        wrong("rooms:10th").expect_failure(401, "INVALID_CLIENT");
        let refused = wrong("rooms:11th").expect_failure(429, "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), Some("60"));
        // However many others try, who knows the secret is served, as often as it asks.
        for _ in 0..50 {
            assert_eq!(introspect(&server, &ada.access)["active"], true);
        }
        server.clock.step(60.0);
        wrong("rooms:again").expect_failure(401, "INVALID_CLIENT");
    }
}

/// RFC 6749, 2.3.1 wants credentials encoded as in a form; most programs send them as they are.
#[test]
fn credentials_may_be_encoded() {
    let server = TestServer::with(Db::sqlite(), &[CLIENTS]);
    let ada = server.register("ada@example.com");
    for client in ["chat:p%+ s", "chat:p%25%2B+s", "chat:p%25%2B%20s"] {
        introspect_as(&server, client, &ada.access).expect(200);
    }
    for other in ["chat:p%25", "chat:p%25%2B+s&", "&chat:p%25%2B+s", "chat=:p%25%2B+s"] {
        introspect_as(&server, other, &ada.access).expect_failure(401, "INVALID_CLIENT");
    }
}

#[test]
fn without_clients_nobody_may_ask() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    introspect_as(&server, ":", &ada.access).expect_failure(401, "INVALID_CLIENT");
}

#[test]
fn the_body_is_a_form_with_one_token() {
    let server = TestServer::with(Db::sqlite(), &[CLIENTS]);
    let ada = server.register("ada@example.com");
    let form = |form: &str| form_as(&server, "rooms:s3cret", form);
    let token = &ada.access;
    for extra in [
        format!("token={token}&token_type_hint=access_token"),
        format!("unknown=1&token={token}&unknown=2"),
        format!("&&token={token}&"),
    ] {
        assert_eq!(form(&extra).expect(200).json()["active"], true, "{extra}");
    }
    for none in ["", "token", "Token=x", "tokens=x"] {
        let answer = form(none);
        if none == "token" {
            assert_eq!(answer.expect(200).json()["active"], false);
        } else {
            let failure = answer.expect_failure(400, "VALIDATION_FAILED");
            assert_eq!(failure.json()["errors"][0]["field"], "token", "{none}");
        }
    }
    form("token=a&token=b").expect_failure(400, "MALFORMED_REQUEST");
    form(&"x".repeat(17_000)).expect_failure(413, "PAYLOAD_TOO_LARGE");
    let typed = |media_type: &str| {
        let basic = format!("Basic {}", STANDARD.encode("rooms:s3cret"));
        let call = server.post("/auth/introspect").header("authorization", &basic);
        call.header("content-type", media_type).body(format!("token={token}").as_bytes()).send()
    };
    typed("application/x-www-form-urlencoded; charset=UTF-8").expect(200);
    for other in ["application/json", "text/plain", "multipart/form-data"] {
        typed(other).expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let twice = server.post("/auth/introspect").bearer(token).bearer(token).send();
    twice.expect_failure(400, "MALFORMED_REQUEST");
    server.get("/auth/introspect").send().expect_failure(405, "METHOD_NOT_ALLOWED");
}

/// Security: M8. Whoever cannot be told is not told that a token is bad.
#[test]
fn without_its_database_it_is_unavailable() {
    let server = TestServer::with(Db::postgres(), &[CLIENTS]);
    let ada = server.register("ada@example.com");
    server.db.shut_out();
    introspect_as(&server, "rooms:s3cret", &ada.access).expect_failure(503, "UNAVAILABLE");
    let verify = server.get("/auth/verify").bearer(&ada.access).send();
    verify.expect_failure(503, "UNAVAILABLE");
    // What needs no database is still known.
    expect_inactive(&server, "nonsense");
    server.get("/.well-known/jwks.json").send().expect(200);
}
