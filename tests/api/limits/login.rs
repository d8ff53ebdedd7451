//! Sign-ins by network.

use super::{LOGIN, PROXY, login, login_from, registration, retry_after};
use crate::support::{Db, PASSWORD, TestServer, at_once};

on_both_databases! {
    /// Whether they succeed or fail, and whoever is meant. What is refused delays nothing.
    ///
    /// Security: G1, G6, G9.
    fn the_sixth_sign_in_within_any_minute_is_refused(db) {
        let server = TestServer::with(db, &[LOGIN]);
        server.register("ada@example.com");
        login(&server, "ada@example.com", PASSWORD).expect(200);
        for (email, password, status) in [
            ("ada@example.com", "not the password", 401),
            ("nobody@example.com", PASSWORD, 401),
            ("no address", PASSWORD, 401),
            ("ada@example.com", PASSWORD, 200),
        ] {
            server.clock.step(10.0);
            login(&server, email, password).expect(status);
        }
        // It is 12:00:40 after the first; each refusal says truly when the next attempt passes.
        for (step, left) in [(0.0, 20), (10.0, 10), (9.9, 1), (0.0, 1)] {
            server.clock.step(step);
            for email in ["ada@example.com", "nobody@example.com"] {
                let refused = login(&server, email, PASSWORD).expect_failure(429, "RATE_LIMITED");
                assert_eq!(retry_after(&refused), left);
            }
        }
        // 59.9 s after the first attempt it was refused, 60.1 s after it is not.
        server.clock.step(0.2);
        login(&server, "ada@example.com", PASSWORD).expect(200);
        let refused = login(&server, "ada@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");
        assert_eq!(retry_after(&refused), 10);
        server.clock.step(10.0);
        login(&server, "ada@example.com", PASSWORD).expect(200);
    }

    /// Security: G1, G9.
    fn of_fifty_at_once_five_are_let_through(db) {
        let server = TestServer::with(db, &[LOGIN]);
        let asked = server.app.hasher.asked();
        let answers = at_once(50, |_| login(&server, "ada@example.com", PASSWORD).status);
        assert_eq!(answers.iter().filter(|status| **status == 401).count(), 5, "{answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 429).count(), 45, "{answers:?}");
        assert_eq!(server.app.hasher.asked() - asked, 5);
    }
}

/// The database is gone: whoever asks it gets 503.
///
/// Security: E10, G9.
#[test]
fn a_refusal_costs_no_hash_and_no_query() {
    let limits = [LOGIN, ("--register-rate-limit", "1/1h"), ("--forgot-rate-limit", "1/1h")];
    let server = TestServer::with(Db::postgres(), &limits);
    server.register("ada@example.com");
    let forgot = || {
        let body = serde_json::json!({"email": "ada@example.com"});
        server.post("/auth/forgot-password").json(&body).send()
    };
    forgot().expect(202);
    for _ in 0..5 {
        login(&server, "ada@example.com", PASSWORD).expect(200);
    }
    let asked = server.app.hasher.asked();
    server.db.shut_out();
    server.get("/readyz").send().expect_failure(503, "UNAVAILABLE");
    for email in ["ada@example.com", "nobody@example.com"] {
        login(&server, email, PASSWORD).expect_failure(429, "RATE_LIMITED");
        let register = server.post("/auth/register").json(&registration(email)).send();
        register.expect_failure(429, "RATE_LIMITED");
    }
    forgot().expect_failure(429, "RATE_LIMITED");
    assert_eq!(server.app.hasher.asked(), asked);
}

/// Security: G4, G5.
#[test]
fn each_network_counts_by_itself() {
    let server = TestServer::with(Db::sqlite(), &[("--login-rate-limit", "1/1m"), PROXY]);
    let status = |ip: &str| login_from(&server, ip, "ada@example.com", PASSWORD).status;
    assert_eq!(status("203.0.113.9"), 401);
    for same in ["203.0.113.9", "::ffff:203.0.113.9", "1.2.3.4, 203.0.113.9"] {
        assert_eq!(status(same), 429, "{same}");
    }
    assert_eq!(status("203.0.113.10"), 401);
    assert_eq!(status("2001:db8:1:2::1"), 401);
    assert_eq!(status("2001:db8:1:2:ffff:ffff:ffff:ffff"), 429);
    assert_eq!(status("2001:db8:1:3::1"), 401);
}

/// Security: G4. What a client says of itself is no address.
#[test]
fn nobody_escapes_by_a_forged_header() {
    let server = TestServer::with(Db::sqlite(), &[("--login-rate-limit", "1/1m")]);
    assert_eq!(login_from(&server, "203.0.113.1", "ada@example.com", PASSWORD).status, 401);
    assert_eq!(login_from(&server, "203.0.113.2", "ada@example.com", PASSWORD).status, 429);
}

/// What is refused for another reason was no attempt.
#[test]
fn origins_and_fields_are_judged_first() {
    let server = TestServer::with(Db::sqlite(), &[("--login-rate-limit", "1/1m")]);
    for _ in 0..3 {
        server.get("/auth/login").send().expect(405);
        server.post("/auth/login").body(b"{}").send().expect(415);
        server.post("/auth/login").json(&serde_json::json!({})).send().expect(400);
        let foreign = server.post("/auth/login").header("origin", "https://evil.example");
        foreign.json(&registration("ada@example.com")).send().expect(403);
    }
    login(&server, "ada@example.com", PASSWORD).expect(401);
    login(&server, "ada@example.com", PASSWORD).expect(429);
}

#[test]
fn limits_can_be_switched_off() {
    let server = TestServer::start(Db::sqlite());
    for _ in 0..15 {
        let answer = login(&server, "ada@example.com", PASSWORD).expect(401);
        assert!(answer.header("ratelimit").is_none());
    }
}
