//! What access and refresh tokens say, how long they are good, and where they may be.

mod forged;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::client::claims;
use crate::support::{PASSWORD, TestServer};

/// The JSON of a token's header.
fn header(token: &str) -> Value {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&header).unwrap()
}

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

on_both_databases! {
    /// Security: A7, A16.
    fn an_access_token_says_who_and_nothing_personal(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        assert_eq!(header(&ada.access), json!({"typ": "at+jwt", "alg": "HS256"}));
        let said = claims(&ada.access);
        let all = ["aud", "exp", "iat", "iss", "jti", "role", "sid", "sub"];
        assert_eq!(names(&said), BTreeSet::from(all));
        assert_eq!(said["iss"], "https://auth.test");
        assert_eq!(said["aud"], "https://auth.test");
        assert_eq!(said["sub"], *ada.user);
        assert_eq!(said["role"], "user");
        assert_eq!(said["iat"], server.seconds());
        assert_eq!(said["exp"], server.seconds() + 15 * 60);
        let again = server.login("ada@example.com");
        assert_ne!(claims(&again.access)["jti"], said["jti"]);
    }

    /// Security: A16.
    fn an_access_token_says_what_was_asked_for(db) {
        let flags = [("--access-token-claims", "email,name"), ("--access-token-ttl", "2m")];
        let server = TestServer::with(db, &flags);
        let body = json!({"email": "Ada@Example.com", "password": PASSWORD, "name": " Ada L. "});
        let named = server.post("/auth/register").json(&body).send().expect(201);
        let said = claims(&named.access_token());
        let all = ["aud", "email", "exp", "iat", "iss", "jti", "name", "role", "sid", "sub"];
        assert_eq!(names(&said), BTreeSet::from(all));
        assert_eq!((&said["email"], &said["name"]), (&json!("Ada@Example.com"), &json!("Ada L.")));
        assert_eq!(said["exp"], server.seconds() + 120);
        assert_eq!(named.json()["expiresIn"], 120);
        let unnamed = claims(&server.register("bob@example.com").access);
        assert!(unnamed.get("name").is_none());
    }

    /// Security: A5, A16.
    fn a_refresh_token_says_what_its_row_holds(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        assert_eq!(header(&ada.refresh), json!({"typ": "rt+jwt", "alg": "HS256"}));
        let said = claims(&ada.refresh);
        assert_eq!(names(&said), BTreeSet::from(["aud", "exp", "gen", "iat", "iss", "sid", "sub"]));
        assert_ne!(said["aud"], claims(&ada.access)["aud"]);
        assert_eq!(said["sid"], *ada.session);
    }

    /// Security: B7.
    fn no_table_holds_a_token_or_a_key(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh_with_key(&ada.refresh, "a-key-of-the-phone").expect(200);
        let dump = server.db.dump();
        for token in [&ada.refresh, &live.refresh_token(), &ada.access] {
            assert!(!dump.contains(token.rsplit('.').next().unwrap()));
        }
        let id = server.db.id(&ada.session);
        let key = format!("SELECT retry_key FROM refresh_tokens WHERE id = {id}");
        let length = server.db.number(&format!("SELECT length(({key}))"));
        assert_eq!(length, 32);
        assert!(!dump.contains("a-key-of-the-phone"));
        assert!(!dump.contains(PASSWORD));
    }

    /// Security: A6.
    fn a_token_is_good_only_before_its_exp(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        // It was issued a quarter of a second after its `iat`.
        server.clock.step(899.74);
        server.me(&ada.access).expect(200);
        server.clock.step(0.01);
        server.me(&ada.access).expect_failure(401, "TOKEN_EXPIRED");
        server.clock.step(3600.0);
        let answer = server.me(&ada.access).expect_failure(401, "TOKEN_EXPIRED");
        assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
        // "Expired" is said of what we signed only.
        let forged = server.forge_access(&ada.access).key(b"guessed").sign();
        server.me(&forged).expect_failure(401, "TOKEN_INVALID");
        let forged = server.forge_refresh(&ada.refresh).claim("exp", 1).key(b"guessed").sign();
        server.refresh(&forged).expect_failure(401, "REFRESH_TOKEN_INVALID");
        let expired = server.forge_refresh(&ada.refresh).claim("exp", server.seconds()).sign();
        server.refresh(&expired).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        let alive = server.forge_refresh(&ada.refresh).claim("exp", server.seconds() + 1).sign();
        server.refresh(&alive).expect(200);
    }

    /// Security: A7.
    fn a_token_is_not_good_before_its_nbf(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let good = server.forge_access(&ada.access);
        let from = |start: i64| good.clone().claim("nbf", server.seconds() + start).sign();
        server.me(&from(0)).expect(200);
        server.me(&from(1)).expect_failure(401, "TOKEN_INVALID");
        server.me(&good.clone().claim("nbf", "tomorrow").sign()).expect_failure(401, "TOKEN_INVALID");
        let later = from(1);
        server.clock.step(1.0);
        server.me(&later).expect(200);
    }

    /// Security: A17.
    fn an_access_token_dies_with_its_session_everywhere(db) {
        let server = TestServer::start(db);
        let ways: [fn(&TestServer, &crate::support::SignedIn); 6] = [
            |server, ada| drop(server.logout(&ada.access, &ada.refresh).expect(204)),
            |server, ada| {
                let path = format!("/auth/sessions/{}", ada.session);
                server.delete(&path).bearer(&ada.access).send().expect(204);
            },
            |server, ada| server.db.set_session(&ada.session, "ends_at = created_at"),
            |server, ada| server.disable(&ada.user),
            |server, ada| {
                let id = server.db.id(&ada.session);
                server.db.execute(&format!("DELETE FROM refresh_tokens WHERE id = {id}"));
            },
            |server, ada| {
                let id = server.db.id(&ada.user);
                server.db.execute(&format!("DELETE FROM users WHERE id = {id}"));
            },
        ];
        for (number, end) in ways.iter().enumerate() {
            let ada = server.register(&format!("ada{number}@example.com"));
            end(&server, &ada);
            let session = format!("/auth/sessions/{}", ada.session);
            let before = server.db.dump();
            for (method, path, body) in [
                ("GET", "/auth/me", None),
                ("PATCH", "/auth/me", Some(json!({"name": "Ada"}))),
                ("DELETE", "/auth/me", Some(json!({"password": PASSWORD}))),
                ("GET", "/auth/sessions", None),
                ("DELETE", "/auth/sessions", None),
                ("DELETE", "/auth/sessions?keep=current", None),
                ("DELETE", &session, None),
                ("POST", "/auth/change-password",
                    Some(json!({"currentPassword": PASSWORD, "newPassword": "another horse"}))),
                ("POST", "/auth/logout", None),
            ] {
                let call = server.call(method, path).bearer(&ada.access).cookie(&ada.refresh);
                let call = match &body {
                    Some(body) => call.json(body),
                    None => call,
                };
                let answer = call.send();
                let found = (answer.status, &*answer.code());
                assert_eq!(found, (401, "SESSION_REVOKED"), "way {number}: {method} {path}");
                assert!(answer.header("set-cookie").is_none());
            }
            assert_eq!(server.db.dump(), before, "way {number}");
        }
    }

    /// Security: A18.
    fn there_is_one_credential_in_one_place(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        for second in [&ada.access, &bob.access, "nonsense"] {
            let two = server.get("/auth/me").bearer(&ada.access).bearer(second).send();
            two.expect_failure(400, "MALFORMED_REQUEST");
        }
        for name in ["access_token", "token", "accessToken"] {
            let path = format!("/auth/me?{name}={}", ada.access);
            server.get(&path).send().expect_failure(401, "TOKEN_MISSING");
            let path = format!("/auth/me?{name}={}", bob.access);
            let answer = server.get(&path).bearer(&ada.access).send().expect(200);
            assert_eq!(answer.json()["id"], *ada.user);
        }
        let cookie = format!("accessToken={0}; access_token={0}", ada.access);
        server.get("/auth/me").header("cookie", &cookie).send().expect_failure(401, "TOKEN_MISSING");
        server.get("/auth/me").cookie(&ada.access).send().expect_failure(401, "TOKEN_MISSING");
        server.post("/auth/refresh-token").bearer(&ada.refresh).send()
            .expect_failure(401, "REFRESH_TOKEN_MISSING");
        let path = format!("/auth/refresh-token?refreshToken={}", ada.refresh);
        server.post(&path).send().expect_failure(401, "REFRESH_TOKEN_MISSING");
    }

    /// Security: K1.
    fn an_authorization_header_is_bearer_and_one_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let with = |value: &str| server.get("/auth/me").header("authorization", value).send();
        // RFC 9110, 11.1: the scheme's case does not count.
        with(&format!("bearer {}", ada.access)).expect(200);
        with(&format!("BEARER  {}", ada.access)).expect(200);
        for none in [&*ada.access, "", "Basic YTpi", "Token x", &format!("DPoP {}", ada.access)] {
            let answer = with(none).expect_failure(401, "TOKEN_MISSING");
            assert!(!answer.header("www-authenticate").unwrap().contains("error"), "{none:?}");
        }
        for bad in ["Bearer", "Bearer ", "Bearer x", "Bearer a b", &format!("Bearer {0},{0}", ada.access)] {
            let answer = with(bad).expect_failure(401, "TOKEN_INVALID");
            assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
        }
    }
}
