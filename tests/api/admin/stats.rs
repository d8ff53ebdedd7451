//! `/admin/stats`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon::background::Stop;
use symbolon::prune::Pruner;

use super::{admin, get, patch};
use crate::support::process::{Process, free_port};
use crate::support::{PAST_GRACE, SignedIn, TestServer};

const HOUR: f64 = 3600.0;

fn stats(server: &TestServer, by: &SignedIn) -> Value {
    get(server, by, "/admin/stats").expect(200).json()
}

/// The hours in which anything happened: which, sign-ins, refreshes.
fn busy(stats: &Value) -> Vec<(&str, i64, i64)> {
    let hours = stats["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 24);
    let number = |hour: &Value, of: &str| hour[of].as_i64().unwrap();
    let row = |hour| (number(hour, "signIns"), number(hour, "refreshes"));
    let busy = hours.iter().filter(|hour| row(hour) != (0, 0));
    busy.map(|hour| (hour["hour"].as_str().unwrap(), row(hour).0, row(hour).1)).collect()
}

/// The reuses of each hour that has any.
fn reuses(stats: &Value) -> Vec<(&str, i64)> {
    let hours = stats["hours"].as_array().unwrap().iter();
    let row = |hour: &'_ Value| hour["reuses"].as_i64().unwrap();
    hours
        .filter(|hour| row(hour) != 0)
        .map(|hour| (hour["hour"].as_str().unwrap(), row(hour)))
        .collect()
}

on_both_databases! {
    fn it_counts_what_happened_by_the_hour(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        let bob = server.register("bob@example.com");
        let phone = server.login("grace@example.com");
        let rotated = server.refresh(&grace.refresh).expect(200).refresh_token();
        server.refresh(&grace.refresh).expect(200);
        server.refresh(&rotated).expect(200);
        server.refresh("nonsense").expect(401);
        let login = json!({"email": "bob@example.com", "password": "not the password"});
        server.post("/auth/login").json(&login).send().expect(401);
        patch(&server, &ada, &bob.user, &json!({"disabled": true})).expect(200);
        let mut expected = json!({
            "users": {"total": 3, "active": 2},
            "liveSessions": 3,
            "mailsWaiting": 3,
            "reuses": 0,
        });
        let mut now = stats(&server, &ada);
        assert_eq!(busy(&now), [("2026-03-01T12:00:00Z", 4, 3)]);
        assert_eq!(now["hours"][0]["hour"], "2026-02-28T13:00:00Z");
        assert_eq!(now["hours"][23]["hour"], "2026-03-01T12:00:00Z");
        now.as_object_mut().unwrap().remove("hours");
        assert_eq!(now, expected);

        // The last moment of an hour and the first of the next.
        server.clock.step(HOUR - 0.5);
        let ada = server.login("ada@example.com");
        server.clock.step(0.5);
        server.login("ada@example.com");
        server.refresh(&rotated).expect_failure(401, "REFRESH_TOKEN_REUSED");
        let renewed = server.refresh(&phone.refresh).expect(200).signed_in();
        // An old token is good enough to log out with, and a reuse.
        server.clock.step(PAST_GRACE);
        let fresh = server.refresh(&renewed.refresh).expect(200).signed_in();
        server.clock.step(PAST_GRACE);
        server.logout(&fresh.access, &phone.refresh).expect(204);
        let mut now = stats(&server, &ada);
        let [twelve, one] = ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"];
        assert_eq!(busy(&now), [(twelve, 5, 3), (one, 1, 2)]);
        assert_eq!(reuses(&now), [(one, 2)]);
        now.as_object_mut().unwrap().remove("hours");
        expected["reuses"] = json!(2);
        // The owner of the stolen session was told; three are Ada's.
        expected["mailsWaiting"] = json!(4);
        assert_eq!(now, expected);

        // An hour is shown until 23 others have passed.
        server.clock.step(22.0 * HOUR);
        let ada = server.login("ada@example.com");
        let eleven = "2026-03-02T11:00:00Z";
        let now = stats(&server, &ada);
        assert_eq!(busy(&now), [(twelve, 5, 3), (one, 1, 2), (eleven, 1, 0)]);
        server.clock.step(HOUR);
        let ada = server.login("ada@example.com");
        let now = stats(&server, &ada);
        assert_eq!(busy(&now), [(one, 1, 2), (eleven, 1, 0), ("2026-03-02T12:00:00Z", 1, 0)]);
        server.clock.step(HOUR);
        let ada = server.login("ada@example.com");
        assert_eq!(stats(&server, &ada)["reuses"], 0);
    }

    fn instances_add_up(db) {
        let first = TestServer::start(db);
        let second = TestServer::on(Arc::clone(&first.db), Arc::clone(&first.clock), &[]);
        let ada = admin(&first, "ada@example.com");
        let mut token = ada.refresh.clone();
        for server in [&second, &first, &second] {
            token = server.refresh(&token).expect(200).refresh_token();
        }
        second.login("ada@example.com");
        let hour = "2026-03-01T12:00:00Z";
        assert_eq!(busy(&stats(&first, &ada)), [(hour, 1, 1)], "its own");
        assert_eq!(busy(&stats(&second, &ada)), [(hour, 2, 3)], "and the other's");
        assert_eq!(busy(&stats(&first, &ada)), [(hour, 2, 3)], "each once");
        // Both begin the next hour's row.
        for _ in 0..5 {
            first.clock.step(HOUR);
            for server in [&first, &second] {
                server.login("ada@example.com");
            }
            crate::support::at_once(2, |number| {
                [&first, &second][number].app.activity.flush().unwrap();
            });
        }
        let ada = first.login("ada@example.com");
        let hours: Vec<_> = busy(&stats(&second, &ada)).into_iter().map(|hour| hour.1).collect();
        assert_eq!(hours, [2, 2, 2, 2, 2, 2]);
    }

    fn what_could_not_be_written_is_kept(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        server.refresh(&ada.refresh).expect(200);
        server.db.execute("ALTER TABLE hourly_counts RENAME TO gone");
        server.app.activity.flush().unwrap_err();
        server.clock.step(HOUR);
        let ada = server.login("ada@example.com");
        server.app.activity.flush().unwrap_err();
        get(&server, &ada, "/admin/stats").expect_failure(503, "UNAVAILABLE");
        server.db.execute("ALTER TABLE gone RENAME TO hourly_counts");
        let expected = [("2026-03-01T12:00:00Z", 1, 1), ("2026-03-01T13:00:00Z", 1, 0)];
        assert_eq!(busy(&stats(&server, &ada)), expected);
    }

    fn a_signal_to_stop_writes_what_was_counted(db) {
        let server = Process::start(&db, free_port(), &[]);
        let ada = server.register("ada@example.com");
        server.refresh(&ada.refresh).expect(200);
        server.terminate();
        assert!(server.wait().success());
        assert_eq!(db.number("SELECT sum(count) FROM hourly_counts"), 2);
    }

    fn old_counts_are_pruned(db) {
        let server = TestServer::start(db);
        let day = Duration::from_secs(86_400);
        let ada = admin(&server, "ada@example.com");
        server.refresh(&ada.refresh).expect(200);
        server.app.activity.flush().unwrap();
        let (database, clock) = (server.app.database.clone(), Arc::clone(&server.app.clock));
        let pruner = Pruner { database, clock, retention: day, instance: None };
        let prune = || pruner.prune(&Stop::default()).unwrap().counts;
        // The hour began a quarter of a second before these.
        server.clock.step(24.0 * HOUR - 0.25);
        assert_eq!(prune(), 0);
        server.clock.step(0.25);
        assert_eq!(prune(), 2);
        assert_eq!(server.db.number("SELECT count(*) FROM hourly_counts"), 0);
    }
}
