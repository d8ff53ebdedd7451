//! What waits, and where things are counted.

use serde_json::json;
use symbolon::metrics::watch;

use super::Watcher;
use crate::support::mail::SmtpServer;
use crate::support::redis::Redis;
use crate::support::{Db, TestServer};

on_both_databases! {
    fn live_sessions_are_counted(db) {
        let server = TestServer::start(db);
        let watcher = Watcher::of(&server);
        assert_eq!(watcher.scrape().find("sessions_live"), None, "it is not known yet");
        let ada = server.register("ada@example.com");
        server.login("ada@example.com");
        server.register("bob@example.com");
        watch::count_sessions(&server.app);
        assert_eq!(watcher.scrape().value("sessions_live"), 3.0);
        server.logout(&ada.access, &ada.refresh).expect(204);
        watch::count_sessions(&server.app);
        assert_eq!(watcher.scrape().value("sessions_live"), 2.0);
    }

    fn mail_that_waits_is_counted_and_grows_old(db) {
        let mut smtp = SmtpServer::start(&[]);
        smtp.stop();
        let url = smtp.url();
        let server = TestServer::with(db, &[("--smtp-url", &url), ("--mail-from", "a@example.com")]);
        let watcher = Watcher::of(&server);
        assert_eq!(watcher.scrape().find("outbox_mails"), None, "it is not known yet");
        server.register("ada@example.com");
        server.register("bob@example.com");
        server.clock.step(90.0);
        let look = || {
            watch::look_at_outbox(&server.app);
            watcher.scrape()
        };
        let down = look();
        assert_eq!(down.value("outbox_mails"), 2.0);
        let age = down.value("outbox_oldest_age_seconds");
        assert!((90.0..100.0).contains(&age), "{age}");
        let mails = server.app.outbox.start().unwrap();
        while watcher.scrape().value(r#"mails_total{outcome="failed"}"#) < 1.0 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        smtp.start_again(&[]);
        server.clock.step(10.0);
        server.db.wait_until_sent();
        server.app.outbox.stop(mails);
        let sent = look();
        assert_eq!(sent.value("outbox_mails"), 0.0);
        assert_eq!(sent.value("outbox_oldest_age_seconds"), 0.0);
        assert_eq!(sent.value(r#"mails_total{outcome="sent"}"#), 2.0);
        sent.lint();
    }

    fn introspections_are_counted(db) {
        let server = TestServer::with(db, &[("--introspection-clients", "rooms:s3cret")]);
        let watcher = Watcher::of(&server);
        let ada = server.register("ada@example.com");
        for token in [&*ada.access, "nonsense", "nonsense"] {
            server
                .post("/auth/introspect")
                .header("authorization", "Basic cm9vbXM6czNjcmV0")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("token={token}").as_bytes())
                .send()
                .expect(200);
        }
        let scraped = watcher.scrape();
        assert_eq!(scraped.value(r#"introspections_total{outcome="active"}"#), 1.0);
        assert_eq!(scraped.value(r#"introspections_total{outcome="inactive"}"#), 2.0);
    }
}

/// Security: G8. Who watches sees that limits are no longer shared.
#[test]
fn limits_tell_what_they_decide_and_where_they_are_counted() {
    let redis = Redis::start();
    let flags = [("--login-rate-limit", "2/1m"), ("--redis-url", &*redis.url)];
    let server = TestServer::with(Db::sqlite(), &flags);
    let watcher = Watcher::of(&server);
    let store = |name: &str| watcher.scrape().value(&format!("limit_store{{store=\"{name}\"}}"));
    let login = |status| {
        let body = json!({"email": "ada@example.com", "password": "wrong one"});
        server.post("/auth/login").json(&body).send().expect(status);
    };
    login(401);
    login(401);
    login(429);
    let scraped = watcher.scrape();
    let decided = |decision: &str| {
        scraped.value(&format!("limit_decisions_total{{policy=\"login\",decision=\"{decision}\"}}"))
    };
    assert_eq!((decided("passed"), decided("refused")), (2.0, 1.0));
    assert_eq!(
        (store("redis"), store("memory_as_redis_is_down"), store("memory")),
        (1.0, 0.0, 0.0)
    );
    redis.kill();
    server.clock.step(61.0);
    login(401);
    assert_eq!(
        (store("redis"), store("memory_as_redis_is_down"), store("memory")),
        (0.0, 1.0, 0.0)
    );
}
