//! `users` and `sessions`.

mod export;
mod import;
mod import_faults;

use std::time::{Duration, Instant};

use serde_json::json;

use super::{command, command_with};
use crate::support::client::SignedIn;
use crate::support::{Answer, PASSWORD, TestServer};

fn login(server: &TestServer, email: &str, password: &str) -> Answer {
    server.post("/auth/login").json(&json!({"email": email, "password": password})).send()
}

/// Waits for something that has to happen soon.
#[track_caller]
fn wait_until(what: &str, has_happened: impl Fn() -> bool) {
    let began = Instant::now();
    while !has_happened() {
        assert!(began.elapsed() < Duration::from_secs(30), "not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The password that a command printed.
fn printed_password(out: &str) -> &str {
    let line = out.lines().find_map(|line| line.strip_prefix("password: "));
    line.unwrap_or_else(|| panic!("no password in {out:?}"))
}

/// Ends a session, in both of its halves.
#[track_caller]
fn is_over(server: &TestServer, user: &SignedIn) {
    server.me(&user.access).expect_failure(401, "SESSION_REVOKED");
    server.refresh(&user.refresh).expect_failure(401, "SESSION_REVOKED");
}

on_both_databases! {
    fn create_admin_makes_one_with_a_password_that_works(db) {
        let server = TestServer::start(db);
        let out = command(&server.db, "users create-admin Ada@Example.com").done();
        assert!(out.starts_with("Ada@Example.com is an administrator now\n"), "{out}");
        let password = printed_password(&out);
        assert_eq!((password.len(), out.lines().count()), (24, 2));
        let ada = login(&server, "ada@example.com", password).expect(200);
        assert_eq!(ada.json()["user"]["role"], "admin");
        assert_eq!(ada.json()["user"]["emailVerified"], true);

        // Not twice, in whatever case; and the first password stands.
        let taken = command(&server.db, "users create-admin ADA@example.com").failed();
        assert!(taken.contains("there is a user ADA@example.com already"), "{taken}");
        login(&server, "ada@example.com", password).expect(200);
        assert_eq!(server.db.number("SELECT count(*) FROM users"), 1);
    }

    fn create_admin_takes_a_password_from_standard_input(db) {
        let server = TestServer::start(db);
        let create = |email: &str, password: &str| {
            let words = format!("users create-admin {email} --password-stdin");
            command_with(&server.db, &words, password)
        };
        let out = create("ada@example.com", &format!("{PASSWORD}\nnot this line\n")).done();
        assert_eq!(out, "ada@example.com is an administrator now\n");
        login(&server, "ada@example.com", PASSWORD).expect(200);
        // Held to the rules of everybody's.
        for (password, reason) in [
            ("password1\n", "most common"),
            ("short\n", "at least 8"),
            ("", "at least 8"),
            ("grace@example.com\n", "must not be your address"),
        ] {
            let refused = create("grace@example.com", password).failed();
            assert!(refused.contains(reason), "{password:?}: {refused}");
        }
        assert_eq!(server.db.number("SELECT count(*) FROM users"), 1);
    }

    fn set_role_acts_on_the_next_refresh(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        command(&server.db, "users create-admin grace@example.com").done();
        for role in ["moderator", "admin", "user"] {
            let out = command(&server.db, &format!("users set-role ada@example.com {role}")).done();
            assert_eq!(out, format!("ada@example.com is {role} now\n"));
            assert_eq!(server.me(&ada.access).expect(200).json()["role"], role);
        }
    }

    /// Security: F1. Disabled looks like a wrong password.
    fn disable_ends_everything_and_enable_revives_nothing(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let phone = server.login("ada@example.com");
        let grace = server.register("grace@example.com");
        let out = command(&server.db, "users disable ada@example.com").done();
        assert_eq!(out, "ada@example.com is disabled, 2 sessions were ended\n");
        is_over(&server, &ada);
        is_over(&server, &phone);
        server.me(&grace.access).expect(200);
        let disabled = login(&server, "ada@example.com", PASSWORD);
        let wrong = login(&server, "ada@example.com", "something else");
        let [disabled, wrong] = [disabled, wrong].map(|answer| {
            let mut problem = answer.expect_failure(401, "INVALID_CREDENTIALS").json();
            problem["requestId"].take();
            problem
        });
        assert_eq!(disabled, wrong);

        let out = command(&server.db, "users enable ada@example.com").done();
        assert_eq!(out, "ada@example.com is enabled\n");
        is_over(&server, &ada);
        is_over(&server, &phone);
        server.login("ada@example.com");
    }

    fn reset_password_replaces_it_and_ends_the_sessions(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let out = command(&server.db, "users reset-password ada@example.com").done();
        assert!(out.starts_with("ada@example.com has a new password, 1 sessions were ended\n"));
        is_over(&server, &ada);
        login(&server, "ada@example.com", PASSWORD).expect_failure(401, "INVALID_CREDENTIALS");
        login(&server, "ada@example.com", printed_password(&out)).expect(200);

        let reset = "users reset-password ada@example.com --password-stdin";
        let refused = command_with(&server.db, reset, "password1\n").failed();
        assert!(refused.contains("most common"), "{refused}");
        login(&server, "ada@example.com", printed_password(&out)).expect(200);
        command_with(&server.db, reset, "another good one\n").done();
        login(&server, "ada@example.com", "another good one").expect(200);
    }

    fn list_prints_everybody(db) {
        let server = TestServer::start(db);
        assert_eq!(command(&server.db, "users list").done(), "");
        let ada = server.register("ada@example.com");
        // Ids sort by their time.
        server.clock.step(1.0);
        let body = json!({"email": "grace@example.com", "password": PASSWORD, "name": "Grace"});
        let grace = server.post("/auth/register").json(&body).send().expect(201).signed_in();
        command(&server.db, "users disable ada@example.com").done();
        command(&server.db, "users set-role grace@example.com moderator").done();
        let expected = format!(
            "{}\tada@example.com\tuser\tdisabled\t\n\
             {}\tgrace@example.com\tmoderator\tenabled\tGrace\n",
            ada.user, grace.user
        );
        assert_eq!(command(&server.db, "users list").done(), expected);
    }

    fn sessions_revoke_ends_those_of_one_or_of_all(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let phone = server.login("ada@example.com");
        let grace = server.register("grace@example.com");
        let out = command(&server.db, "sessions revoke --user ADA@example.com").done();
        assert_eq!(out, "ended 2 sessions\n");
        is_over(&server, &ada);
        is_over(&server, &phone);
        server.me(&grace.access).expect(200);
        let out = command(&server.db, "sessions revoke --all").done();
        assert_eq!(out, "ended 1 sessions\n");
        is_over(&server, &grace);
        assert_eq!(command(&server.db, "sessions revoke --all").done(), "ended 0 sessions\n");
        server.login("ada@example.com");
    }

    fn whom_nobody_knows_nothing_is_done_to(db) {
        for words in [
            "users set-role nobody@example.com admin",
            "users disable nobody@example.com",
            "users enable nobody@example.com",
            "users reset-password nobody@example.com",
            "sessions revoke --user nobody@example.com",
        ] {
            let reason = command(&db, words).failed();
            assert!(reason.ends_with("symbolon: there is no user nobody@example.com\n"), "{reason}");
        }
        for words in ["users create-admin nobody", "users disable nobody"] {
            let reason = command(&db, words).failed();
            assert!(reason.ends_with("symbolon: `nobody` is no e-mail address\n"), "{reason}");
        }
    }

    fn what_an_operator_does_is_audited(db) {
        command(&db, "users create-admin ada@example.com").done();
        // One has to remain.
        command(&db, "users create-admin grace@example.com").done();
        command(&db, "users set-role ada@example.com user").done();
        command(&db, "users disable ada@example.com").done();
        command(&db, "users enable ada@example.com").done();
        command(&db, "users reset-password ada@example.com").done();
        command(&db, "sessions revoke --all").done();
        for (kind, times) in [
            ("registered", 2),
            ("role_changed", 1),
            ("user_disabled", 1),
            ("user_enabled", 1),
            ("password_reset", 1),
            ("sessions_revoked", 1),
        ] {
            let count = format!(
                "SELECT count(*) FROM audit_events WHERE kind = '{kind}' AND actor_id IS NULL"
            );
            assert_eq!(db.number(&count), times, "{kind}");
        }
        let detail = "SELECT detail FROM audit_events WHERE kind = 'role_changed'";
        assert_eq!(db.text(detail), "admin to user");
    }
}
