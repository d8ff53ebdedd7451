//! `/auth/me`.

use serde_json::json;

use crate::support::{Answer, PASSWORD, SignedIn, TestServer};

fn rename(server: &TestServer, ada: &SignedIn, body: &str) -> Answer {
    let call = server.call("PATCH", "/auth/me").bearer(&ada.access).body(body.as_bytes());
    call.header("content-type", "application/json").send()
}

fn delete(server: &TestServer, access: &str, password: &str) -> Answer {
    server.delete("/auth/me").bearer(access).json(&json!({"password": password})).send()
}

on_both_databases! {
    fn get_shows_the_user(db) {
        let server = TestServer::start(db);
        let body = json!({"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada"});
        let ada = server.post("/auth/register").json(&body).send().expect(201);
        let me = server.me(&ada.access_token()).expect(200);
        assert_eq!(me.header("content-type"), Some("application/json"));
        assert_eq!(me.json(), json!({
            "id": ada.signed_in().user,
            "email": "Ada@Example.com",
            "name": "Ada",
            "role": "user",
            "emailVerified": false,
            "createdAt": "2026-03-01T12:00:00.25Z",
        }));
        assert_eq!(ada.json()["user"], me.json());
    }

    /// Security: K1.
    fn get_needs_an_access_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let none = server.get("/auth/me").send().expect_failure(401, "TOKEN_MISSING");
        assert_eq!(none.header("www-authenticate"), Some(r#"Bearer realm="symbolon""#));
        let bad = server.me("x").expect_failure(401, "TOKEN_INVALID");
        let challenge = r#"Bearer realm="symbolon", error="invalid_token""#;
        assert_eq!(bad.header("www-authenticate"), Some(challenge));
        server.clock.step(900.0);
        server.me(&ada.access).expect_failure(401, "TOKEN_EXPIRED");
    }

    fn the_user_is_read_afresh(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.db.set_user(&ada.user, "role = 'moderator', name = 'Renamed'");
        let me = server.me(&ada.access).expect(200).json();
        assert_eq!((&me["role"], &me["name"]), (&json!("moderator"), &json!("Renamed")));
    }

    fn patch_renames(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let named = |body: &str| {
            let renamed = rename(&server, &ada, body).expect(200).json();
            assert_eq!(renamed, server.me(&ada.access).expect(200).json());
            renamed["name"].clone()
        };
        assert_eq!(named(r#"{"name": "  Ada Lovelace "}"#), "Ada Lovelace");
        assert_eq!(named(r#"{"name": "爱达 🦀"}"#), "爱达 🦀");
        let longest = "é".repeat(100);
        assert_eq!(named(&json!({"name": longest}).to_string()), longest);
        assert_eq!(named(r#"{"name": null}"#), json!(null));
        named(r#"{"name": "Ada"}"#);
        assert_eq!(named(r#"{"name": "  "}"#), json!(null));
    }

    /// Security: F5.
    fn patch_changes_the_name_and_nothing_else(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let before = server.db.dump();
        for field in ["role", "id", "emailVerified", "email", "disabled", "createdAt", "password"] {
            let body = json!({"name": "Ada", field: "admin"}).to_string();
            rename(&server, &ada, &body).expect_failure(400, "MALFORMED_REQUEST");
        }
        for body in ["", "[]", "{", r#"["Ada"]"#, r#"{"name": "a", "name": "b"}"#] {
            rename(&server, &ada, body).expect_failure(400, "MALFORMED_REQUEST");
        }
        let long = json!({"name": "é".repeat(101)}).to_string();
        for (body, code) in [
            ("{}", "REQUIRED"),
            (r#"{"name": 1}"#, "WRONG_TYPE"),
            (r#"{"name": ["Ada"]}"#, "WRONG_TYPE"),
            (&*long, "TOO_LONG"),
            (r#"{"name": "A\ndmin"}"#, "CONTROL_CHARACTER"),
            (r#"{"name": "A\u0000da"}"#, "CONTROL_CHARACTER"),
            (r#"{"name": "\u001b[31mAda"}"#, "CONTROL_CHARACTER"),
        ] {
            let answer = rename(&server, &ada, body).expect_failure(400, "VALIDATION_FAILED");
            let errors = &answer.json()["errors"];
            assert_eq!(errors[0]["field"], "name", "{body}");
            assert_eq!(errors[0]["code"], code, "{body}");
            assert!(errors[0]["message"].is_string());
        }
        assert_eq!(server.db.dump(), before);
    }

    fn delete_needs_the_password(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        let before = server.db.dump();
        let answer = delete(&server, &ada.access, "another horse");
        let answer = answer.expect_failure(401, "INVALID_CREDENTIALS");
        assert!(answer.header("set-cookie").is_none());
        // The access token was good: no client should throw it away.
        assert!(!answer.header("www-authenticate").unwrap().contains("error="));
        let empty = server.delete("/auth/me").bearer(&ada.access).json(&json!({})).send();
        empty.expect_failure(400, "VALIDATION_FAILED");
        let no_body = server.delete("/auth/me").bearer(&ada.access).send();
        no_body.expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
        delete(&server, "x", PASSWORD).expect_failure(401, "TOKEN_INVALID");
        assert_eq!(server.db.dump(), before);
        delete(&server, &ada.access, PASSWORD).expect(204);
        server.me(&bob.access).expect(200);
    }

    /// Security: F9.
    fn delete_leaves_no_account_and_no_session(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let ended = server.login("ada@example.com");
        server.logout(&ended.access, &ended.refresh).expect(204);
        let answer = delete(&server, &ada.access, PASSWORD).expect(204);
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("refreshToken=;") && cookie.contains("Max-Age=0"), "{cookie}");
        for gone in [&ada, &other, &ended] {
            server.refresh(&gone.refresh).expect_failure(401, "SESSION_REVOKED");
            server.me(&gone.access).expect_failure(401, "SESSION_REVOKED");
        }
        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        let login = server.post("/auth/login").json(&login).send();
        login.expect_failure(401, "INVALID_CREDENTIALS");
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 0);
        // The rows stay to give a true answer, but say nothing of anybody.
        assert_eq!(server.db.sessions(), 3);
        let personal = "user_id IS NOT NULL OR ip IS NOT NULL OR user_agent IS NOT NULL";
        let personal = format!("SELECT COUNT(*) FROM refresh_tokens WHERE {personal}");
        assert_eq!(server.db.number(&personal), 0);
        // The address is free, but whoever takes it is somebody else.
        let next = server.register("ada@example.com");
        assert_ne!(next.user, ada.user);
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        let forged = server.forge_access(&ada.access).claim("sid", &*next.session).sign();
        server.me(&forged).expect_failure(401, "TOKEN_INVALID");
    }

    fn delete_sets_no_cookie_for_a_session_by_body(db) {
        let server = TestServer::start(db);
        let ada = server.register_in_body("ada@example.com");
        let answer = delete(&server, &ada.access, PASSWORD).expect(204);
        assert!(answer.header("set-cookie").is_none());
    }
}
