//! `/auth/sessions`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestServer};

fn list(server: &TestServer, access: &str) -> Vec<Value> {
    let answer = server.get("/auth/sessions").bearer(access).send().expect(200).json();
    assert_eq!(answer.as_object().unwrap().len(), 1);
    answer["sessions"].as_array().unwrap().clone()
}

fn ids(sessions: &[Value]) -> BTreeSet<&str> {
    sessions.iter().map(|session| session["id"].as_str().unwrap()).collect()
}

on_both_databases! {
    fn they_are_listed(db) {
        let server = TestServer::with(db, &[("--trusted-proxies", "127.0.0.1")]);
        let ada = server.register("ada@example.com");
        server.register("bob@example.com");
        server.clock.step(60.0);
        let login = json!({"email": "ada@example.com", "password": PASSWORD, "refreshTransport": "body"});
        let login = server.post("/auth/login").json(&login).header("user-agent", "Phone/1");
        let phone = login.header("x-forwarded-for", "203.0.113.7").send().expect(200).signed_in();
        server.clock.step(40.0);
        server.refresh(&ada.refresh).expect(200);
        let sessions = list(&server, &ada.access);
        let one = |id: &str| sessions.iter().find(|session| session["id"] == id).unwrap();
        assert_eq!(sessions.len(), 2);
        assert_eq!(*one(&phone.session), json!({
            "id": phone.session,
            "current": false,
            "createdAt": "2026-03-01T12:01:00.25Z",
            "lastUsedAt": "2026-03-01T12:01:00.25Z",
            "expiresAt": "2026-03-08T12:01:00Z",
            "endsAt": "2026-03-31T12:01:00Z",
            "transport": "body",
            "ip": "203.0.113.7",
            "userAgent": "Phone/1",
        }));
        let own = one(&ada.session);
        assert_eq!((&own["current"], &own["transport"]), (&json!(true), &json!("cookie")));
        assert_eq!(own["createdAt"], "2026-03-01T12:00:00.25Z");
        assert_eq!(own["lastUsedAt"], "2026-03-01T12:01:40Z");
        assert_eq!(own["expiresAt"], "2026-03-08T12:01:40Z");
        assert_eq!(own["endsAt"], "2026-03-31T12:00:00Z");
        assert_eq!(own["ip"], "127.0.0.1");
        let seen_by_phone = list(&server, &phone.access);
        assert_eq!(ids(&seen_by_phone), ids(&sessions));
    }

    fn only_live_ones_are_listed(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let out = server.login("ada@example.com");
        let over = server.login("ada@example.com");
        let idle = server.login("ada@example.com");
        server.logout(&out.access, &out.refresh).expect(204);
        let now = server.now();
        server.db.set_session(&over.session, &format!("ends_at = {now}"));
        server.db.set_session(&idle.session, &format!("expires_at = {now}"));
        assert_eq!(ids(&list(&server, &ada.access)), BTreeSet::from([&*ada.session]));
    }

    fn one_of_them_can_be_ended(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let third = server.login("ada@example.com");
        let path = format!("/auth/sessions/{}", other.session);
        server.delete(&path).bearer(&ada.access).send().expect(204);
        assert_eq!(server.db.audited("session_revoked", &other.session), 1);
        server.refresh(&other.refresh).expect_failure(401, "SESSION_REVOKED");
        server.me(&other.access).expect_failure(401, "SESSION_REVOKED");
        server.me(&third.access).expect(200);
        // It is no longer there.
        server.delete(&path).bearer(&ada.access).send().expect_failure(404, "NOT_FOUND");
        // One's own, too; the cookie is left to the browser.
        let path = format!("/auth/sessions/{}", ada.session);
        let own = server.delete(&path).bearer(&ada.access).send().expect(204);
        assert!(own.header("set-cookie").is_none());
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
    }

    /// Security: H12.
    fn another_users_session_is_not_there(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        let upper = bob.session.to_uppercase();
        let before = server.db.dump();
        let answers = [&*bob.session, &upper, "01890000-0000-7000-8000-000000000000", "x", "%00",
            "..%2f..%2fauth", "'%20OR%201=1--"].map(|id| {
            let path = format!("/auth/sessions/{id}");
            server.delete(&path).bearer(&ada.access).send().expect_failure(404, "NOT_FOUND").json()
        });
        // Nothing tells one that is there from one that is not.
        for answer in answers {
            assert_eq!(answer["detail"], "There is nothing here");
        }
        assert_eq!(server.db.dump(), before);
        server.me(&bob.access).expect(200);
    }

    fn all_can_be_ended_at_once(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let bob = server.register("bob@example.com");
        let answer = server.delete("/auth/sessions").bearer(&ada.access).send().expect(204);
        assert!(answer.header("set-cookie").is_none());
        for ended in [&ada, &other] {
            server.refresh(&ended.refresh).expect_failure(401, "SESSION_REVOKED");
            server.me(&ended.access).expect_failure(401, "SESSION_REVOKED");
        }
        server.me(&bob.access).expect(200);
    }

    fn all_but_the_current_one_can_be_ended(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let others = [server.login("ada@example.com"), server.register("bob@example.com")];
        let before = server.db.dump();
        for query in ["keep=", "keep=all", "keep=Current", "keep=current&keep=current", "kept=current",
            "keep=current&x=1"]
        {
            let path = format!("/auth/sessions?{query}");
            let answer = server.delete(&path).bearer(&ada.access).send();
            assert_eq!(answer.code(), "MALFORMED_REQUEST", "{query}");
            answer.expect_failure(400, "MALFORMED_REQUEST");
        }
        assert_eq!(server.db.dump(), before);
        let path = "/auth/sessions?keep=current";
        server.delete(path).bearer(&ada.access).send().expect(204);
        server.refresh(&others[0].refresh).expect_failure(401, "SESSION_REVOKED");
        server.me(&others[0].access).expect_failure(401, "SESSION_REVOKED");
        server.me(&others[1].access).expect(200);
        assert_eq!(ids(&list(&server, &ada.access)), BTreeSet::from([&*ada.session]));
        server.refresh(&ada.refresh).expect(200);
        // Nothing left to end is no failure.
        server.delete(path).bearer(&ada.access).send().expect(204);
    }

    fn they_need_an_access_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let before = server.db.dump();
        for (method, path) in [("GET", "/auth/sessions"), ("DELETE", "/auth/sessions"),
            ("DELETE", "/auth/sessions?keep=current"), ("DELETE", "/auth/sessions/x")]
        {
            let call = server.call(method, path).cookie(&ada.refresh).send();
            call.expect_failure(401, "TOKEN_MISSING");
        }
        assert_eq!(server.db.dump(), before);
    }
}
