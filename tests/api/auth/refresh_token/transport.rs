//! By cookie or by body, and never the other way.

use serde_json::json;

use crate::support::{PASSWORD, TestServer};

on_both_databases! {
    /// Security: B10.
    fn a_token_appears_only_where_its_session_wants_it(db) {
        let server = TestServer::start(db);
        for path in ["/auth/register", "/auth/login"] {
            for (transport, in_body) in [(None, false), (Some("cookie"), false), (Some("body"), true)] {
                let email = format!("{}@example.com", transport.unwrap_or("none"));
                let mut body = json!({"email": email, "password": PASSWORD});
                if let Some(transport) = transport {
                    body["refreshTransport"] = transport.into();
                }
                let opened = server.post(path).json(&body).send();
                let call = server.post("/auth/refresh-token");
                let refreshed = if in_body {
 call.json(&json!({"refreshToken": opened.refresh_token()}))
} else {
 call.cookie(&opened.refresh_token())
};
                let refreshed = refreshed.send();
                for answer in [opened, refreshed] {
                    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
                    assert_eq!(answer.header("set-cookie").is_some(), !in_body);
                    assert_eq!(answer.json().get("refreshToken").is_some(), in_body);
                    assert!(in_body || !answer.text.contains(&answer.cookie().unwrap()));
                }
            }
        }
    }

    /// Security: B10.
    fn the_wrong_transport_is_refused_and_nothing_happens(db) {
        let server = TestServer::start(db);
        let cookie = server.register("cookie@example.com");
        let body = server.register_in_body("body@example.com");
        // Whatever the token would have got by its own transport.
        let stolen_cookie = server.login("cookie@example.com");
        server.refresh(&stolen_cookie.refresh).expect(200);
        server.clock.step(60.0);
        let before = server.db.dump();
        for token in [&cookie.refresh, &stolen_cookie.refresh] {
            let answer = server.refresh_in_body(token).expect_failure(401, "REFRESH_TOKEN_INVALID");
            assert!(answer.header("set-cookie").is_none());
        }
        for answer in [server.refresh(&body.refresh), server.refresh_in_browser(&body.refresh)] {
            answer.expect_failure(401, "REFRESH_TOKEN_INVALID");
        }
        assert_eq!(server.db.dump(), before);
        server.refresh(&cookie.refresh).expect(200);
        server.refresh_in_body(&body.refresh).expect(200);
    }

    /// Security: B10.
    fn a_token_in_the_body_keeps_the_cookie_unread(db) {
        let server = TestServer::start(db);
        let cookie = server.register("cookie@example.com");
        let body = server.register_in_body("body@example.com");
        let both = |token: serde_json::Value| {
            let call = server.post("/auth/refresh-token").cookie(&cookie.refresh);
            call.json(&json!({"refreshToken": token})).send()
        };
        both("".into()).expect_failure(401, "REFRESH_TOKEN_INVALID");
        both("nonsense".into()).expect_failure(401, "REFRESH_TOKEN_INVALID");
        both((*cookie.refresh).into()).expect_failure(401, "REFRESH_TOKEN_INVALID");
        for no_text in [json!(null), json!(1), json!([]), json!({})] {
            both(no_text).expect_failure(400, "VALIDATION_FAILED");
        }
        assert_eq!(server.db.generation(&cookie.session), 0);
        let answer = both((*body.refresh).into()).expect(200);
        assert!(answer.header("set-cookie").is_none());
        assert_eq!(server.db.generation(&body.session), 1);
        assert_eq!(server.db.generation(&cookie.session), 0);
    }

    fn an_empty_object_is_no_token_in_the_body(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.post("/auth/refresh-token").json(&json!({})).cookie(&ada.refresh).send().expect(200);
        let none = server.post("/auth/refresh-token").json(&json!({})).send();
        none.expect_failure(401, "REFRESH_TOKEN_MISSING");
    }

    fn the_body_transport_has_the_same_rule(db) {
        let server = TestServer::start(db);
        let ada = server.register_in_body("ada@example.com");
        let live = server.refresh_in_body(&ada.refresh).expect(200).refresh_token();
        assert_eq!(server.refresh_in_body(&ada.refresh).expect(200).refresh_token(), live);
        server.clock.step(10.0);
        server.refresh_in_body(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_REUSED");
        server.refresh_in_body(&live).expect_failure(401, "SESSION_REVOKED");
    }
}
