//! `POST /auth/login`.

mod password;

use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, TestServer};

fn login(server: &Client, email: &str, password: &str) -> Answer {
    server.post("/auth/login").json(&json!({"email": email, "password": password})).send()
}

on_both_databases! {
    fn it_opens_a_session(db) {
        let server = TestServer::start(db);
        let registered = server.register("ada@example.com");
        server.clock.step(60.0);
        let answer = login(&server, "ada@example.com", PASSWORD).expect(200);
        let ada = answer.signed_in();
        assert_eq!(ada.user, registered.user);
        assert_ne!(ada.session, registered.session);
        assert_eq!(answer.json()["sessionExpiresIn"], 2_592_000);
        assert_eq!(answer.json()["user"], server.me(&registered.access).json());
        for session in [&ada, &registered] {
            server.me(&session.access).expect(200);
            server.refresh(&session.refresh).expect(200);
        }
        assert_eq!(server.db.audited("signed_in", &ada.session), 1);
        let now = server.now();
        let at = format!("SELECT COUNT(*) FROM users WHERE last_login_at = {now}");
        assert_eq!(server.db.number(&at), 1);
    }

    fn an_address_has_many_spellings(db) {
        let server = TestServer::start(db);
        let ada = server.register("Ada@bücher.example");
        for email in ["ada@bücher.example", "ADA@BÜCHER.EXAMPLE", "ada@xn--bcher-kva.example"] {
            assert_eq!(login(&server, email, PASSWORD).expect(200).signed_in().user, ada.user);
        }
    }

    /// Status, headers and body are the same but for the request's own id.
    ///
    /// Security: F1.
    fn failures_are_all_alike(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        let off = server.register("off@example.com");
        server.disable(&off.user);
        let before = server.db.dump();
        let failures = [
            login(&server, "ada@example.com", "another horse"),
            login(&server, "nobody@example.com", PASSWORD),
            login(&server, "off@example.com", PASSWORD),
            login(&server, "off@example.com", "another horse"),
            login(&server, "no address", PASSWORD),
            login(&server, "", ""),
            login(&server, "ada@example.com", "short"),
            login(&server, "ada\u{0}@example.com", "short\u{0}"),
            login(&server, &"a".repeat(10_000), PASSWORD),
        ];
        let seen: Vec<_> = failures.into_iter().map(|answer| {
            let answer = answer.expect_failure(401, "INVALID_CREDENTIALS");
            assert!(answer.header("set-cookie").is_none());
            let id = answer.header("x-request-id").unwrap();
            let body = answer.text.replace(id, "-");
            let mut headers: Vec<_> = answer.headers.iter()
                .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            headers.sort();
            (headers, body)
        }).collect();
        for other in &seen {
            assert_eq!(*other, seen[0]);
        }
        assert_eq!(server.db.dump(), before);
    }

    /// Security: F1, K1.
    fn a_failure_blames_no_access_token(db) {
        let server = TestServer::start(db);
        let failed = login(&server, "nobody@example.com", PASSWORD);
        let challenge = failed.header("www-authenticate").unwrap().to_owned();
        assert_eq!(challenge, r#"Bearer realm="symbolon""#);
    }

    fn its_body_is_checked(db) {
        let server = TestServer::start(db);
        for body in [json!({}), json!({"email": "ada@example.com"}), json!({"password": PASSWORD}),
            json!({"email": 1, "password": PASSWORD}),
            json!({"email": {"$gt": ""}, "password": {"$gt": ""}}),
            json!({"email": "ada@example.com", "password": null}),
            json!({"email": "ada@example.com", "password": PASSWORD, "refreshTransport": "header"})]
        {
            let answer = server.post("/auth/login").json(&body).send();
            assert_eq!(answer.code(), "VALIDATION_FAILED", "{body}");
            answer.expect_failure(400, "VALIDATION_FAILED");
        }
        for body in [r#"["ada@example.com", "correct horse battery"]"#, r#"{"email": "\ud800"}"#, "{]"] {
            let call = server.post("/auth/login").body(body.as_bytes());
            let answer = call.header("content-type", "application/json").send();
            answer.expect_failure(400, "MALFORMED_REQUEST");
        }
        let deep = format!(r#"{{"email": {}"#, "[".repeat(15_000));
        let call = server.post("/auth/login").body(deep.as_bytes());
        let answer = call.header("content-type", "application/json").send();
        assert_eq!(answer.status, 400);
    }

    /// Security: B8.
    fn it_ends_the_session_whose_cookie_it_overwrites(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        let with = |email: &str, password: &str, cookie: &str| {
            let body = json!({"email": email, "password": password});
            server.post("/auth/login").json(&body).cookie(cookie).send()
        };
        with("ada@example.com", "another horse", &ada.refresh).expect_failure(401, "INVALID_CREDENTIALS");
        server.me(&ada.access).expect(200);
        let again = with("ada@example.com", PASSWORD, &ada.refresh).expect(200).signed_in();
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(server.db.audited("session_revoked", &ada.session), 1);
        // Whosever it was: the browser no longer has it.
        with("bob@example.com", PASSWORD, &again.refresh).expect(200);
        server.refresh(&again.refresh).expect_failure(401, "SESSION_REVOKED");
        server.me(&bob.access).expect(200);
        // An old generation names the session as well.
        let new = server.refresh(&bob.refresh).expect(200);
        server.clock.step(60.0);
        with("bob@example.com", PASSWORD, &bob.refresh).expect(200);
        server.me(&new.access_token()).expect_failure(401, "SESSION_REVOKED");
    }

    /// Security: B8, B10.
    fn it_ends_no_session_whose_cookie_proves_nothing(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let phone = server.register_in_body("phone@example.com");
        let forged = server.forge_refresh(&ada.refresh).key(b"guessed").sign();
        let expired = server.forge_refresh(&ada.refresh).claim("exp", server.seconds()).sign();
        for cookie in ["", "nonsense", &*forged, &expired, &ada.access, &phone.refresh] {
            let body = json!({"email": "ada@example.com", "password": PASSWORD});
            server.post("/auth/login").json(&body).cookie(cookie).send().expect(200);
        }
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "refreshTransport": "body"});
        server.post("/auth/login").json(&body).cookie(&ada.refresh).send().expect(200);
        server.me(&ada.access).expect(200);
        server.me(&phone.access).expect(200);
    }

    /// Security: F6.
    fn there_is_no_account_that_nobody_made(db) {
        let server = TestServer::start(db);
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 0);
        login(&server, "admin@example.com", "admin").expect_failure(401, "INVALID_CREDENTIALS");
    }
}
