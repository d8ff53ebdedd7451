//! `/admin/events`.

use serde_json::{Value, json};
use symbolon::audit::Kind;

use super::{admin, delete, get, patch, walk};
use crate::support::{Call, SignedIn, TestServer};

fn events(server: &TestServer, by: &SignedIn, query: &str) -> Vec<Value> {
    let answer = get(server, by, &format!("/admin/events?{query}")).expect(200);
    answer.json()["events"].as_array().unwrap().clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

on_both_databases! {
    /// Security: I4, L1.
    fn an_event_says_who_did_what_to_whom(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        server.login("grace@example.com");
        let act = |method: &str, path: &str, body: Option<Value>| {
            server.clock.step(1.0);
            let path = format!("/admin/users/{}{path}", grace.user);
            let call = server.call(method, &path).bearer(&ada.access).header("user-agent", "desk");
            let call = body.iter().fold(call, Call::json);
            assert!(call.send().status < 300);
        };
        act("PATCH", "", Some(json!({"role": "moderator"})));
        act("DELETE", "/sessions", None);
        act("PATCH", "", Some(json!({"disabled": true})));
        act("PATCH", "", Some(json!({"disabled": false})));
        act("DELETE", "", None);
        let expected = [
            ("user_deleted", 5, Value::Null),
            ("user_enabled", 4, Value::Null),
            ("user_disabled", 3, Value::Null),
            ("sessions_revoked", 2, json!("2 sessions")),
            ("role_changed", 1, json!("user to moderator")),
        ];
        let done = events(&server, &ada, &format!("user={}&limit=5", grace.user));
        assert_eq!(done.len(), expected.len());
        for (event, (kind, second, detail)) in done.into_iter().zip(expected) {
            assert_eq!(event, json!({
                "id": event["id"],
                "at": format!("2026-03-01T12:00:0{second}.25Z"),
                "kind": kind,
                "actor": ada.user,
                "user": grace.user,
                "session": ada.session,
                "ip": "127.0.0.1",
                "userAgent": "desk",
                "detail": detail,
            }));
        }
    }

    fn a_user_is_found_as_the_one_who_did_it_and_as_the_one_it_was_done_to(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let turn = || server.clock.step(1.0);
        turn();
        let grace = server.register("grace@example.com");
        turn();
        patch(&server, &ada, &grace.user, &json!({"role": "admin"})).expect(200);
        turn();
        patch(&server, &grace, &ada.user, &json!({"role": "user"})).expect(200);
        turn();
        server.register("bob@example.com");
        let of = |user: &str| events(&server, &grace, &format!("user={user}"));
        // Within one request, events have one time and no order.
        assert_eq!(kinds(&of(&ada.user))[..2], ["role_changed", "role_changed"]);
        assert_eq!(of(&ada.user).len(), 4, "{:?}", of(&ada.user));
        assert_eq!(of(&grace.user).len(), 4, "{:?}", of(&grace.user));
        assert_eq!(of("01890a5d-ac96-774b-bcce-b302099a8057"), Vec::<Value>::new());

        let both = events(&server, &grace, &format!("user={}&kind=role_changed", ada.user));
        assert_eq!(both[0]["actor"], json!(grace.user));
        assert_eq!(both[1]["actor"], json!(ada.user));
        assert_eq!(both.len(), 2);
        let all = walk(&server, &grace, "/admin/events?limit=200", "events", || {});
        assert_eq!(all.len(), 8);
        let path = format!("/admin/events?user={}&limit=1", ada.user);
        let one_by_one = walk(&server, &grace, &path, "events", || {});
        let at_once = of(&ada.user);
        let at_once: Vec<_> = at_once.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(one_by_one, at_once);
    }

    fn kinds_are_filtered_by_their_names(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        server.login("ada@example.com");
        for kind in Kind::ALL {
            let found = events(&server, &ada, &format!("kind={}", kind.name()));
            let expected = match kind {
                Kind::Registered => 1,
                Kind::SignedIn => 2,
                _ => 0,
            };
            assert_eq!(kinds(&found), vec![kind.name(); expected]);
        }
    }

    fn every_event_comes_once_while_others_are_added(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        for number in 0..20 {
            server.clock.step(0.001);
            let body = json!({"disabled": number % 2 == 0});
            patch(&server, &ada, &grace.user, &body).expect(200);
        }
        let expected = walk(&server, &ada, "/admin/events?limit=200", "events", || {});
        assert_eq!(expected.len(), 4 + 20 + 1);
        let mut disabled = false;
        for query in ["limit=3".to_owned(), format!("limit=3&user={}", ada.user)] {
            let before = walk(&server, &ada, &format!("/admin/events?{query}"), "events", || {});
            let seen = walk(&server, &ada, &format!("/admin/events?{query}"), "events", || {
                server.clock.step(0.001);
                disabled = !disabled;
                let body = json!({"disabled": disabled});
                patch(&server, &ada, &grace.user, &body).expect(200);
            });
            assert_eq!(seen, before);
        }
        let mut once = expected.clone();
        once.dedup();
        assert_eq!(once, expected);
    }

    /// What happened outlives whom it happened to.
    fn events_outlive_their_user(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let query = format!("user={}", grace.user);
        let before = events(&server, &ada, &query).len();
        delete(&server, &ada, &grace.user).expect(204);
        let after = events(&server, &ada, &query);
        assert_eq!(after.len(), before + 2);
        assert!(kinds(&after).contains(&"user_deleted"));
    }
}
