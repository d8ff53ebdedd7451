//! Somebody has to be left who can administer.

use serde_json::json;

use super::{admin, delete, patch};
use crate::cli::command;
use crate::support::{Answer, PASSWORD, SignedIn, TestServer, at_once, rounds};

const ACTIVE_ADMINS: &str =
    "SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL";

fn delete_oneself(server: &TestServer, user: &SignedIn) -> Answer {
    server.delete("/auth/me").bearer(&user.access).json(&json!({"password": PASSWORD})).send()
}

on_both_databases! {
    /// Security: I4.
    fn the_last_administrator_stays_one(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        // Neither of them could step in.
        let disabled = admin(&server, "disabled@example.com");
        server.disable(&disabled.user);
        server.register("user@example.com");
        let before = server.db.dump();
        for body in [
            json!({"role": "user"}),
            json!({"role": "moderator"}),
            json!({"disabled": true}),
            json!({"role": "admin", "disabled": true}),
            json!({"role": "user", "disabled": false}),
        ] {
            patch(&server, &ada, &ada.user, &body).expect_failure(409, "LAST_ADMIN");
        }
        delete(&server, &ada, &ada.user).expect_failure(409, "LAST_ADMIN");
        delete_oneself(&server, &ada).expect_failure(409, "LAST_ADMIN");
        for words in [
            "users set-role ada@example.com user",
            "users set-role ada@example.com moderator",
            "users disable ada@example.com",
        ] {
            let reason = command(&server.db, words).failed();
            let expected = "ada@example.com is the last administrator: make another one first\n";
            assert!(reason.ends_with(expected), "{words}: {reason}");
        }
        assert_eq!(server.db.dump(), before);
        patch(&server, &ada, &ada.user, &json!({"role": "admin"})).expect(200);
        // A disabled administrator is nobody's last one.
        patch(&server, &ada, &disabled.user, &json!({"role": "user"})).expect(200);
        delete(&server, &ada, &disabled.user).expect(204);
    }

    /// Security: I4.
    fn an_administrator_may_step_down_where_another_remains(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = admin(&server, "grace@example.com");
        let joan = admin(&server, "joan@example.com");
        patch(&server, &ada, &ada.user, &json!({"role": "user"})).expect(200);
        patch(&server, &ada, &ada.user, &json!({"role": "admin"})).expect_failure(403, "FORBIDDEN");
        delete_oneself(&server, &grace).expect(204);
        delete_oneself(&server, &joan).expect_failure(409, "LAST_ADMIN");
        command(&server.db, "users set-role ada@example.com admin").done();
        delete_oneself(&server, &joan).expect(204);
    }

    /// Security: I4. Two who demote or disable each other at the same moment, again and again.
    fn of_two_who_demote_each_other_one_stays(db) {
        let server = TestServer::start(db);
        let [ada, grace] = ["ada@example.com", "grace@example.com"].map(|email| admin(&server, email));
        for round in 0..rounds(30, 300) {
            let answers = at_once(2, |number| {
                let [by, whom] = if number == 0 { [&ada, &grace] } else { [&grace, &ada] };
                patch(&server, by, &whom.user, &json!({"role": "user"}))
            });
            // Whoever comes second is no administrator any more, or would demote the last one.
            let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
            let done = statuses.iter().filter(|status| **status == 200).count();
            let refused = statuses.iter().filter(|status| matches!(status, 403 | 409)).count();
            assert_eq!((done, refused), (1, 1), "round {round}: {statuses:?}");
            assert_eq!(server.db.number(ACTIVE_ADMINS), 1, "round {round}");
            server.db.execute("UPDATE users SET role = 'admin'");
        }
    }

    /// Security: I4.
    fn of_two_who_leave_at_once_one_stays(db) {
        let server = TestServer::start(db);
        for round in 0..rounds(4, 40) {
            let both = [0, 1].map(|who| admin(&server, &format!("admin{who}.{round}@example.com")));
            let answers = at_once(2, |number| delete_oneself(&server, &both[number]));
            let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409], "round {round}");
            assert_eq!(server.db.number(ACTIVE_ADMINS), 1, "round {round}");
            server.db.execute("UPDATE users SET role = 'user'");
        }
    }

    /// Security: I2. What was asked for before a demotion is not done after it.
    fn a_demoted_administrator_does_nothing_more(db) {
        use symbolon::admin::Actor;
        use symbolon::admin::users::{self, Change, Outcome};
        use symbolon::client::Client;

        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        admin(&server, "joan@example.com");
        let grace = server.register("grace@example.com");
        let id = |text: &str| text.parse().unwrap();
        // As if the request had been let in the moment before.
        let actor = Actor { user: id(&ada.user), session: id(&ada.session), client: Client::default() };
        let change = Change { role: None, disabled: Some(true) };
        let (app, whom) = (&server.app, id(&grace.user));
        for taken in ["role = 'moderator'", "role = 'admin', disabled_at = created_at"] {
            server.db.set_user(&ada.user, taken);
            let before = server.db.dump();
            assert_eq!(users::change(app, &actor, whom, change).unwrap(), Outcome::Forbidden);
            assert_eq!(users::delete(app, &actor, whom).unwrap(), Outcome::Forbidden);
            assert_eq!(users::end_sessions(app, &actor, whom).unwrap(), Outcome::Forbidden);
            assert_eq!(server.db.dump(), before);
        }
        server.db.set_user(&ada.user, "disabled_at = NULL");
        assert_eq!(users::delete(app, &actor, whom).unwrap(), Outcome::Done(()));
    }
}
