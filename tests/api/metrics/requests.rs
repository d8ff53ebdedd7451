//! What is counted as it happens.

use super::Watcher;
use crate::support::{TestServer, at_once};

on_both_databases! {
    fn requests_are_counted_by_route_method_and_status(db) {
        let server = TestServer::start(db);
        let watcher = Watcher::of(&server);
        let ada = server.register("ada@example.com");
        for _ in 0..3 {
            server.me(&ada.access).expect(200);
        }
        server.delete(&format!("/auth/sessions/{}", ada.user)).bearer(&ada.access).send().expect(404);
        server.delete("/auth/sessions/ada%40example.com").bearer(&ada.access).send().expect(404);
        server.get("/no/such/page?secret=canary").send().expect(404);
        server.call("BREW", "/auth/me").send().expect(405);
        server.call("BREW2", "/auth/me").send().expect(405);
        server.get("/healthz").header("x-long", &"x".repeat(20_000)).send().expect(431);
        let scraped = watcher.scrape();
        for (labels, count) in [
            (r#"method="POST",route="/auth/register",status="201""#, 1.0),
            (r#"method="GET",route="/auth/me",status="200""#, 3.0),
            (r#"method="DELETE",route="/auth/sessions/{id}",status="404""#, 2.0),
            (r#"method="GET",route="none",status="404""#, 1.0),
            (r#"method="_OTHER",route="/auth/me",status="405""#, 2.0),
            (r#"method="GET",route="none",status="431""#, 1.0),
        ] {
            let name = |part| format!("http_request_duration_seconds_{part}{{{labels}}}");
            assert_eq!(scraped.value(&name("count")), count, "{labels}");
            let sum = scraped.value(&name("sum"));
            assert!(sum > 0.0 && sum < 60.0, "{labels} {sum}");
        }
        for personal in [&ada.user, &ada.session, "ada", "example.com", "canary", "BREW"] {
            assert!(!scraped.text.contains(personal), "{personal} in\n{}", scraped.text);
        }
        scraped.lint();
    }

    fn faults_of_ours_are_counted(db) {
        let server = TestServer::start(db);
        let watcher = Watcher::of(&server);
        let ada = server.register("ada@example.com");
        let count = |status: u16| {
            watcher.scrape().value(&format!("http_errors_total{{status=\"{status}\"}}"))
        };
        assert_eq!((count(500), count(503)), (0.0, 0.0));
        server.clock.set_broken(true);
        server.me(&ada.access).expect_failure(500, "INTERNAL");
        server.refresh(&ada.refresh).expect_failure(500, "INTERNAL");
        server.clock.set_broken(false);
        server.me(&ada.access).expect(200);
        assert_eq!((count(500), count(503)), (2.0, 0.0));
    }

    fn refreshes_are_counted_by_what_became_of_them(db) {
        const OUTCOMES: [&str; 8] = [
            "rotated", "replayed", "reused", "expired", "revoked", "invalid", "missing", "refused",
        ];
        let server = TestServer::start(db);
        let watcher = Watcher::of(&server);
        let outcome = |name: &str| {
            watcher.scrape().value(&format!("refreshes_total{{outcome=\"{name}\"}}"))
        };
        for known in OUTCOMES {
            assert_eq!(outcome(known), 0.0, "{known} is there before it happens");
        }
        let first = server.register("ada@example.com").refresh;
        let second = server.refresh(&first).expect(200).refresh_token();
        server.refresh(&first).expect(200);
        server.clock.step(11.0);
        server.refresh(&first).expect_failure(401, "REFRESH_TOKEN_REUSED");
        server.refresh(&second).expect_failure(401, "SESSION_REVOKED");
        let other = server.register("bob@example.com").refresh;
        server.clock.step(7.0 * 24.0 * 3600.0);
        server.refresh(&other).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        server.refresh("nonsense").expect_failure(401, "REFRESH_TOKEN_INVALID");
        server.post("/auth/refresh-token").send().expect_failure(401, "REFRESH_TOKEN_MISSING");
        server.post("/auth/refresh-token").body(b"{").header("content-type", "application/json")
            .send().expect_failure(400, "MALFORMED_REQUEST");
        for name in OUTCOMES {
            assert_eq!(outcome(name), 1.0, "{name}");
        }
    }

    fn groups_of_rotations_are_measured(db) {
        let server = TestServer::start(db);
        let watcher = Watcher::of(&server);
        let tokens: Vec<String> =
            (0..8).map(|n| server.register(&format!("u{n}@example.com")).refresh).collect();
        at_once(8, |n| server.refresh(&tokens[n]).expect(200));
        let scraped = watcher.scrape();
        assert_eq!(scraped.value(r#"refreshes_total{outcome="rotated"}"#), 8.0);
        assert_eq!(scraped.value("rotation_group_size_sum"), 8.0);
        let groups = scraped.value("rotation_group_size_count");
        assert!((1.0..=8.0).contains(&groups), "{groups}");
        assert_eq!(scraped.value("rotation_commit_seconds_count"), groups);
        assert!(scraped.value("rotation_commit_seconds_sum") > 0.0);
        assert_eq!(scraped.value("rotation_queue_depth"), 0.0);
    }

    /// Security: E11.
    fn passwords_are_counted_that_wait_and_that_are_turned_away(db) {
        let server = TestServer::with(db, &[("--password-hash-queue", "1")]);
        let watcher = Watcher::of(&server);
        server.register("ada@example.com");
        let refused = at_once(12, |n| {
            let body = serde_json::json!({"email": format!("u{n}@example.com"), "password": "wrong one"});
            server.post("/auth/login").json(&body).send().status == 503
        });
        let refused: f64 = refused.into_iter().map(|refused| f64::from(u8::from(refused))).sum();
        let scraped = watcher.scrape();
        assert!(refused > 0.0);
        assert_eq!(scraped.value("password_hash_sheds_total"), refused);
        let hashed = 13.0 - refused;
        assert_eq!(scraped.value("password_hash_wait_seconds_count"), hashed);
        assert_eq!(scraped.value("password_hash_duration_seconds_count"), hashed);
        assert!(scraped.value("password_hash_wait_seconds_sum") > 0.0);
        assert_eq!(scraped.value("password_hash_queue_depth"), 0.0);
        assert_eq!(scraped.value("password_hash_queue_capacity"), 1.0);
    }
}
