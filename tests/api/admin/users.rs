//! `/admin/users`.

use serde_json::{Value, json};
use symbolon::one_time::Purpose;

use super::{admin, delete, get, patch, walk};
use crate::support::{PASSWORD, SignedIn, TestServer};

/// Adds a user behind the service's back, a millisecond after the one before; returns the id.
fn insert(server: &TestServer, number: usize) -> String {
    server.clock.step(0.001);
    let id = server.app.new_id().to_string();
    let (key, now) = (server.db.id(&id), server.now());
    let email = format!("user{number}@example.com");
    server.db.execute(&format!(
        "INSERT INTO users (id, email, email_canonical, password_hash, role, created_at)
         VALUES ({key}, '{email}', '{email}', '-', 'user', {now})"
    ));
    id
}

fn events(server: &TestServer, kind: &str) -> i64 {
    server.db.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'"))
}

/// The token of the link that was mailed to a user to verify the address.
fn mailed_token(server: &TestServer, user: &str) -> String {
    let user = server.db.id(user);
    let column = if server.db.is_postgres() { "id" } else { "hex(id)" };
    let id = format!("SELECT {column} FROM one_time_tokens WHERE user_id = {user}");
    server.app.one_time.text(server.db.text(&id).parse().unwrap(), Purpose::VerifyEmail)
}

#[track_caller]
fn is_over(server: &TestServer, user: &SignedIn) {
    server.me(&user.access).expect_failure(401, "SESSION_REVOKED");
    server.refresh(&user.refresh).expect_failure(401, "SESSION_REVOKED");
}

on_both_databases! {
    fn a_user_is_shown_as_it_is(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        server.clock.step(1.0);
        let body = json!({"email": "Grace@Example.com", "password": PASSWORD, "name": "Grace"});
        let grace = server.post("/auth/register").json(&body).send().expect(201).signed_in();
        server.clock.step(60.0);
        server.login("grace@example.com");
        let shown = json!({
            "id": grace.user,
            "email": "Grace@Example.com",
            "name": "Grace",
            "role": "user",
            "emailVerified": false,
            "createdAt": "2026-03-01T12:00:01.25Z",
            "disabled": false,
            "lastLoginAt": "2026-03-01T12:01:01.25Z",
        });
        let one = get(&server, &ada, &format!("/admin/users/{}", grace.user)).expect(200);
        assert_eq!(one.json(), shown);
        assert_eq!(one.header("cache-control"), Some("no-store"));
        let all = get(&server, &ada, "/admin/users").expect(200).json();
        assert_eq!(all["users"][0], shown, "the newest comes first");
        assert_eq!(all["users"][1]["id"], json!(ada.user));
        assert_eq!(all["users"].as_array().unwrap().len(), 2);
        assert!(all.get("nextCursor").is_none());
        // One that never signed in.
        let id = insert(&server, 1);
        let never = get(&server, &ada, &format!("/admin/users/{id}")).expect(200).json();
        assert_eq!(never["lastLoginAt"], Value::Null);
    }

    fn every_user_comes_once_while_others_are_added(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let mut expected = vec![ada.user.clone()];
        expected.extend((0..59).map(|number| insert(&server, number)));
        expected.reverse();
        for limit in [1, 7, 20, 59, 60, 61, 200] {
            let path = format!("/admin/users?limit={limit}");
            assert_eq!(walk(&server, &ada, &path, "users", || {}), expected, "{limit} a page");
        }
        let fifty = get(&server, &ada, "/admin/users").expect(200).json();
        assert_eq!(fifty["users"].as_array().unwrap().len(), 50);
        let mut number = 59;
        let seen = walk(&server, &ada, "/admin/users?limit=7", "users", || {
            insert(&server, number);
            number += 1;
        });
        assert_eq!(seen, expected);
        assert!(number > 59, "nobody was added");
    }

    /// Security: F7.
    fn an_address_finds_its_owner_in_any_case_and_is_only_text(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("Grace.O'Hopper@example.com");
        for typed in ["grace.o%27hopper@EXAMPLE.com", "Grace.O%27Hopper%40example.com"] {
            let found = get(&server, &ada, &format!("/admin/users?email={typed}")).expect(200);
            let users = found.json()["users"].clone();
            assert_eq!(users.as_array().unwrap().len(), 1, "{typed}");
            assert_eq!(users[0]["id"], json!(grace.user));
        }
        let before = server.db.dump();
        for (text, status) in [
            ("nobody@example.com", 200),
            ("grace@example.com", 200),
            ("%25@example.com", 200),
            ("'--@example.com", 200),
            ("'or'1'='1@example.com", 200),
            ("' OR '1'='1", 400),
            ("x'; DROP TABLE users; --", 400),
            ("\" OR 1=1 --", 400),
            ("ada@example.com' --", 400),
            ("ada@example.com%00", 400),
            ("%ff%fe", 400),
        ] {
            let text = text.replace(' ', "%20").replace(['"', ';'], "%22");
            let found = get(&server, &ada, &format!("/admin/users?email={text}")).expect(status);
            if status == 200 {
                assert_eq!(found.json()["users"], json!([]), "{text}");
            }
        }
        assert_eq!(server.db.dump(), before);
    }

    fn who_is_not_there_is_not_found(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let before = server.db.dump();
        for id in ["nope", "01890a5d-ac96-774b-bcce-b302099a8057", "%00", "1", &ada.session] {
            let path = format!("/admin/users/{id}");
            get(&server, &ada, &path).expect_failure(404, "NOT_FOUND");
            patch(&server, &ada, id, &json!({"role": "admin"})).expect_failure(404, "NOT_FOUND");
            delete(&server, &ada, id).expect_failure(404, "NOT_FOUND");
            let sessions = server.delete(&format!("{path}/sessions")).bearer(&ada.access).send();
            sessions.expect_failure(404, "NOT_FOUND");
        }
        assert_eq!(server.db.dump(), before);
    }

    /// Security: I2. Promoted and demoted at once, with the access token of before.
    fn a_role_acts_on_the_next_request(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let see = || get(&server, &grace, "/admin/users").status;
        for (role, status) in
            [("moderator", 403), ("admin", 200), ("user", 403), ("admin", 200), ("moderator", 403)]
        {
            let changed = patch(&server, &ada, &grace.user, &json!({"role": role})).expect(200);
            assert_eq!(changed.json()["role"], role);
            assert_eq!((see(), role), (status, role));
            let refreshed = server.refresh(&grace.refresh).expect(200);
            let claims = crate::support::client::claims(&refreshed.access_token());
            assert_eq!(claims["role"], role);
        }
        // Behind the service's back, too; and a disabled administrator's session is over.
        server.db.set_user(&grace.user, "role = 'admin'");
        assert_eq!(see(), 200);
        patch(&server, &grace, &ada.user, &json!({"disabled": true})).expect(200);
        get(&server, &ada, "/admin/users").expect_failure(401, "SESSION_REVOKED");
    }

    /// Security: I3.
    fn a_role_that_nobody_knows_gives_no_right(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        get(&server, &ada, "/admin/users").expect(200);
        let id = server.db.id(&ada.user);
        let allow = if server.db.is_postgres() {
            "ALTER TABLE users DROP CONSTRAINT users_role_check"
        } else {
            "PRAGMA ignore_check_constraints = 1"
        };
        for role in ["root", "ADMIN", "admin ", "administrator", ""] {
            let lift = if role == "root" || !server.db.is_postgres() { allow } else { "" };
            server.db.execute(&format!("{lift}; UPDATE users SET role = '{role}' WHERE id = {id}"));
            get(&server, &ada, "/admin/users").expect_failure(403, "FORBIDDEN");
            assert_eq!(server.me(&ada.access).expect(200).json()["role"], "user", "{role:?}");
        }
    }

    /// Security: I4.
    fn nobody_but_an_administrator_promotes_anybody(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        for role in ["user", "moderator"] {
            server.db.set_user(&grace.user, &format!("role = '{role}'"));
            for user in [&grace, &ada] {
                patch(&server, &grace, &user.user, &json!({"role": "admin"}))
                    .expect_failure(403, "FORBIDDEN");
                patch(&server, &grace, &user.user, &json!({"disabled": true}))
                    .expect_failure(403, "FORBIDDEN");
                delete(&server, &grace, &user.user).expect_failure(403, "FORBIDDEN");
            }
            assert_eq!(server.me(&grace.access).expect(200).json()["role"], role);
        }
        // Refused before the body is read.
        let path = format!("/admin/users/{}", ada.user);
        let answer = server.call("PATCH", &path).bearer(&grace.access).body(b"{").send();
        answer.expect_failure(403, "FORBIDDEN");
    }

    fn a_change_that_is_none_is_refused(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let before = server.db.dump();
        for body in [
            json!({}),
            json!({"role": "root"}),
            json!({"role": "Admin"}),
            json!({"role": ""}),
            json!({"role": null}),
            json!({"role": 1}),
            json!({"role": ["admin"]}),
            json!({"disabled": null}),
            json!({"disabled": "true"}),
            json!({"disabled": 1}),
            json!({"role": "root", "disabled": true}),
        ] {
            let answer = patch(&server, &ada, &grace.user, &body);
            answer.expect_failure(400, "VALIDATION_FAILED");
        }
        for body in [
            json!({"role": "admin", "email": "x@example.com"}),
            json!({"emailVerified": true}),
            json!([]),
        ] {
            let answer = patch(&server, &ada, &grace.user, &body);
            answer.expect_failure(400, "MALFORMED_REQUEST");
        }
        assert_eq!(server.db.dump(), before);
    }

    fn what_is_so_already_is_neither_done_nor_recorded(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let before = server.db.dump();
        for body in [
            json!({"role": "user"}),
            json!({"disabled": false}),
            json!({"role": "user", "disabled": false}),
        ] {
            let shown = patch(&server, &ada, &grace.user, &body).expect(200).json();
            let path = format!("/admin/users/{}", grace.user);
            assert_eq!(shown, get(&server, &ada, &path).expect(200).json());
        }
        assert_eq!(server.db.dump(), before);
        patch(&server, &ada, &grace.user, &json!({"disabled": true})).expect(200);
        server.clock.step(5.0);
        let before = server.db.dump();
        let still = patch(&server, &ada, &grace.user, &json!({"disabled": true})).expect(200);
        assert_eq!(still.json()["disabled"], true);
        assert_eq!(server.db.dump(), before, "since when it is disabled stays");
    }

    fn disabling_ends_everything_and_enabling_revives_nothing(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let phone = server.login("grace@example.com");
        let bob = server.register("bob@example.com");
        let (link, bobs_link) = (mailed_token(&server, &grace.user), mailed_token(&server, &bob.user));
        let both = json!({"role": "moderator", "disabled": true});
        let disabled = patch(&server, &ada, &grace.user, &both).expect(200).json();
        assert_eq!((&disabled["disabled"], &disabled["role"]), (&json!(true), &json!("moderator")));
        let login = json!({"email": "grace@example.com", "password": PASSWORD});
        let refused = server.post("/auth/login").json(&login).send();
        refused.expect_failure(401, "INVALID_CREDENTIALS");
        let verify = |token: &str| {
            server.post("/auth/verify-email").json(&json!({"token": token})).send()
        };
        for disabled in [true, false] {
            let shown = patch(&server, &ada, &grace.user, &json!({"disabled": disabled}));
            assert_eq!(shown.expect(200).json()["disabled"], disabled);
            is_over(&server, &grace);
            is_over(&server, &phone);
            verify(&link).expect_failure(400, "TOKEN_INVALID");
        }
        server.login("grace@example.com");
        // Nobody else was touched.
        server.me(&bob.access).expect(200);
        server.refresh(&bob.refresh).expect(200);
        verify(&bobs_link).expect(204);
        let kinds = ["role_changed", "user_disabled", "sessions_revoked", "user_enabled"];
        assert_eq!(kinds.map(|kind| events(&server, kind)), [1, 1, 1, 1]);
    }

    /// Security: F9.
    fn deleting_leaves_no_account_and_no_session(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let answer = delete(&server, &ada, &grace.user).expect(204);
        assert_eq!(answer.text, "");
        is_over(&server, &grace);
        get(&server, &ada, &format!("/admin/users/{}", grace.user)).expect_failure(404, "NOT_FOUND");
        delete(&server, &ada, &grace.user).expect_failure(404, "NOT_FOUND");
        let session = server.db.id(&grace.session);
        let personal = "user_id IS NOT NULL OR ip IS NOT NULL OR user_agent IS NOT NULL";
        let rows = |filter: &str| {
            let count = "SELECT count(*) FROM refresh_tokens WHERE id =";
            server.db.number(&format!("{count} {session} AND ({filter})"))
        };
        assert_eq!((rows(personal), rows("revoked_at IS NOT NULL")), (0, 1));
        assert_eq!(server.db.number("SELECT count(*) FROM one_time_tokens"), 1, "that of Ada");
        assert_ne!(server.register("grace@example.com").user, grace.user);
        server.me(&ada.access).expect(200);
    }

    fn ending_sessions_ends_all_of_one_user(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let phone = server.register_in_body("phone@example.com");
        let second = server.login("grace@example.com");
        let end = |user: &str| {
            server.delete(&format!("/admin/users/{user}/sessions")).bearer(&ada.access).send()
        };
        end(&grace.user).expect(204);
        is_over(&server, &grace);
        is_over(&server, &second);
        server.me(&phone.access).expect(200);
        assert_eq!(events(&server, "sessions_revoked"), 1);
        end(&grace.user).expect(204);
        assert_eq!(events(&server, "sessions_revoked"), 1, "there was nothing to end");
        server.login("grace@example.com");
        end(&ada.user).expect(204);
        is_over(&server, &ada);
    }
}
