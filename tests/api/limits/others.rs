//! The limits of everything but signing in.

use serde_json::json;

use super::{LOGIN, PROXY, address, from, registration, retry_after};
use crate::support::{Answer, Client, Db, PASSWORD, SignedIn, TestServer};

fn forgot(server: &Client, ip: &str, email: &str) -> Answer {
    from(server, ip, "/auth/forgot-password", &json!({"email": email})).send()
}

fn change_email(server: &Client, who: &SignedIn, new: &str, password: &str) -> Answer {
    let body = json!({"newEmail": new, "password": password});
    server.post("/auth/change-email").bearer(&who.access).json(&body).send()
}

fn resend(server: &Client, who: &SignedIn) -> Answer {
    server.post("/auth/resend-verification").bearer(&who.access).send()
}

on_both_databases! {
    /// Security: G1, G7.
    fn registrations_are_counted_by_network(db) {
        let server = TestServer::with(db, &[("--register-rate-limit", "2/1h"), PROXY]);
        let register = |ip: &str, email: &str| {
            from(&server, ip, "/auth/register", &registration(email)).send()
        };
        register("203.0.113.1", "a@example.com").expect(201);
        register("203.0.113.1", "a@example.com").expect(409);
        let asked = server.app.hasher.asked();
        let refused = register("203.0.113.1", "b@example.com").expect_failure(429, "RATE_LIMITED");
        assert_eq!((retry_after(&refused), server.app.hasher.asked()), (3600, asked));
        register("203.0.113.2", "b@example.com").expect(201);
        server.clock.step(3600.0);
        register("203.0.113.1", "c@example.com").expect(201);
    }

    /// However it is spelt, and whether anybody has it.
    ///
    /// Security: G7, G9.
    fn links_to_reset_are_counted_by_address(db) {
        let server = TestServer::with(db, &[("--forgot-rate-limit", "3/1h"), PROXY]);
        server.register("ada@example.com");
        for emails in [
            ["ada@example.com", "ADA@example.com", "ada@EXAMPLE.com"],
            ["nobody@example.com"; 3],
        ] {
            for (number, email) in emails.into_iter().enumerate() {
                forgot(&server, &address(number), email).expect(202);
            }
            let refused = forgot(&server, "198.51.100.1", emails[0]);
            assert_eq!(retry_after(&refused.expect_failure(429, "RATE_LIMITED")), 3600);
        }
        assert_eq!(server.db.number("SELECT COUNT(*) FROM outbox WHERE kind = 'reset_password'"), 6);
        server.clock.step(3600.0);
        forgot(&server, "198.51.100.1", "ada@example.com").expect(202);
    }

    /// Nobody's mailbox is flooded, in whatever way, and nobody uses up another's way to a new
    /// password.
    ///
    /// Security: G3, G7.
    fn other_mails_are_counted_by_the_address_they_go_to(db) {
        let server = TestServer::with(db, &[("--forgot-rate-limit", "3/1h")]);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        let to_ada = |kind: &str| {
            let mails = "SELECT COUNT(*) FROM outbox WHERE email = 'ada@example.com' AND kind =";
            server.db.number(&format!("{mails} '{kind}'"))
        };
        change_email(&server, &bob, "ada@example.com", PASSWORD).expect(202);
        server.post("/auth/register").json(&registration("ada@example.com")).send().expect(409);
        resend(&server, &ada).expect(202);
        assert_eq!(to_ada("already_registered"), 1);
        // That was all for this hour. Registering says what it said, but mails nothing.
        server.post("/auth/register").json(&registration("ADA@example.com")).send().expect(409);
        assert_eq!(to_ada("already_registered"), 1);
        let refused = resend(&server, &ada).expect_failure(429, "RATE_LIMITED");
        assert_eq!(refused.header("ratelimit"), Some(r#""mail";r=0;t=3600"#));
        change_email(&server, &bob, "ada@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");
        change_email(&server, &bob, "carol@example.com", PASSWORD).expect(202);
        forgot(&server, "203.0.113.1", "ada@example.com").expect(202);
    }

    /// Security: G7.
    fn confirmations_by_password_are_counted_by_user(db) {
        let server = TestServer::with(db, &[LOGIN]);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        let change = |who: &SignedIn| {
            let body = json!({"currentPassword": "not the password", "newPassword": "a new password"});
            server.post("/auth/change-password").bearer(&who.access).json(&body).send()
        };
        let delete = |who: &SignedIn, password: &str| {
            let call = server.delete("/auth/me").bearer(&who.access);
            call.json(&json!({"password": password})).send()
        };
        for _ in 0..3 {
            change(&ada).expect(401);
            delete(&ada, "not the password").expect(401);
            change_email(&server, &ada, "new@example.com", "not the password").expect(401);
        }
        change(&ada).expect(401);
        let asked = server.app.hasher.asked();
        change(&ada).expect_failure(429, "RATE_LIMITED");
        delete(&ada, PASSWORD).expect_failure(429, "RATE_LIMITED");
        change_email(&server, &ada, "new@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");
        assert_eq!(server.app.hasher.asked(), asked);
        change(&bob).expect(401);
        server.clock.step(60.0);
        delete(&ada, PASSWORD).expect(204);
    }
}

/// Security: G7. Many people may share an address of the network.
#[test]
fn links_to_reset_are_counted_by_network_too_and_a_refusal_by_neither() {
    let server = TestServer::with(Db::sqlite(), &[("--forgot-rate-limit", "1/1h"), PROXY]);
    for number in 0..20 {
        let email = format!("user{number}@example.com");
        forgot(&server, "203.0.113.1", &email).expect(202);
        let refused = forgot(&server, "203.0.113.1", &email).expect(429);
        let left = 19 - number;
        let standings = format!(r#""forgot";r=0;t=3600, "forgot-network";r={left};t=3600"#);
        assert_eq!(refused.header("ratelimit"), Some(&*standings));
    }
    forgot(&server, "203.0.113.1", "user20@example.com").expect_failure(429, "RATE_LIMITED");
    forgot(&server, "203.0.113.2", "user20@example.com").expect(202);
}

/// Security: G7.
#[test]
fn mailed_links_are_tried_so_many_times_a_minute() {
    let server = TestServer::with(Db::sqlite(), &[LOGIN]);
    let reset = || {
        let body = json!({"token": "guessed", "newPassword": "another good one"});
        server.post("/auth/reset-password").json(&body).send()
    };
    let verify = || server.post("/auth/verify-email").json(&json!({"token": "guessed"})).send();
    (0..10).for_each(|_| drop(reset().expect_failure(400, "TOKEN_INVALID")));
    reset().expect_failure(429, "RATE_LIMITED");
    (0..20).for_each(|_| drop(verify().expect_failure(400, "TOKEN_INVALID")));
    verify().expect_failure(429, "RATE_LIMITED");
    server.clock.step(60.0);
    reset().expect(400);
    verify().expect(400);
}

#[test]
fn they_are_switched_off_together_with_the_limit_of_sign_ins() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    for _ in 0..12 {
        let body = json!({"token": "guessed", "newPassword": "another good one"});
        server.post("/auth/reset-password").json(&body).send().expect(400);
        change_email(&server, &ada, "new@example.com", "not the password").expect(401);
        resend(&server, &ada).expect(202);
        forgot(&server, "203.0.113.1", "ada@example.com").expect(202);
    }
}
