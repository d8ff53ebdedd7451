//! The growing wait of an account whose password is being guessed.

use serde_json::json;
use symbolon::background::Stop;

use super::{LOGIN, PROXY, address, guess, login_from};
use crate::support::{Db, PASSWORD, TestServer, at_once};

/// Fails so many times, each from another address and as soon as it is let.
fn fail(server: &TestServer, email: &str, times: usize) {
    for number in 0..times {
        if let Err(wait) = guess(server, &address(number), email) {
            server.clock.step(f64::from(wait));
            guess(server, &address(number), email).expect("the wait is over");
        }
    }
}

on_both_databases! {
    /// From whatever address, and alike for accounts that do not exist.
    ///
    /// Security: G2, G6, G9.
    fn an_account_waits_from_the_tenth_failure_on(db) {
        let server = TestServer::with(db, &[LOGIN, PROXY]);
        server.register("ada@example.com");
        for email in ["ada@example.com", "nobody@example.com"] {
            for number in 0..10 {
                guess(&server, &address(number), email).expect("the tenth is let through");
            }
            for (number, wait) in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900].into_iter().enumerate() {
                let asked = server.app.hasher.asked();
                let spelt = email.to_uppercase();
                assert_eq!(guess(&server, &address(100 + number), &spelt), Err(wait), "{email}");
                server.clock.step(f64::from(wait) - 0.001);
                assert_eq!(guess(&server, &address(200 + number), email), Err(1));
                assert_eq!(server.app.hasher.asked(), asked);
                server.clock.step(0.001);
                guess(&server, &address(300 + number), email).expect("the wait is over");
            }
        }
    }

    /// However many strangers fail, after the wait whoever knows the password is in.
    ///
    /// Security: G2, G3.
    fn nobody_is_locked_out_for_good_and_success_resets(db) {
        let server = TestServer::with(db, &[LOGIN, PROXY]);
        server.register("ada@example.com");
        fail(&server, "ada@example.com", 30);
        let refused = login_from(&server, "198.51.100.1", "ada@example.com", PASSWORD);
        assert_eq!(refused.expect_failure(429, "RATE_LIMITED").header("retry-after"), Some("900"));
        server.clock.step(900.0);
        login_from(&server, "198.51.100.1", "ada@example.com", PASSWORD).expect(200);
        for number in 0..10 {
            guess(&server, &address(number), "ada@example.com").expect("it starts anew");
        }
        assert_eq!(guess(&server, &address(10), "ada@example.com"), Err(1));
        server.clock.step(86_400.0);
        for number in 0..10 {
            guess(&server, &address(number), "ada@example.com").expect("it is forgotten");
        }
    }

    /// Security: G2, G3.
    fn a_reset_by_mail_resets_the_wait(db) {
        let server = TestServer::with(db, &[LOGIN, PROXY]);
        server.register("ada@example.com");
        fail(&server, "ada@example.com", 30);
        server.post("/auth/forgot-password").json(&json!({"email": "ada@example.com"})).send().expect(202);
        let token = mailed_token(&server);
        let body = json!({"token": token, "newPassword": "another good one"});
        server.post("/auth/reset-password").json(&body).send().expect(204);
        login_from(&server, "198.51.100.1", "ada@example.com", "another good one").expect(200);
    }
}

/// Security: G2, G9. Many at once are not more guesses than one after another.
#[test]
fn of_fifty_guesses_at_once_ten_are_judged() {
    let server = TestServer::with(Db::sqlite(), &[LOGIN, PROXY]);
    let judged = at_once(50, |number| guess(&server, &address(number), "ada@example.com").is_ok());
    assert_eq!(judged.iter().filter(|judged| **judged).count(), 10);
    server.clock.step(900.0);
    let judged = at_once(50, |number| guess(&server, &address(number), "ada@example.com").is_ok());
    assert_eq!(judged.iter().filter(|judged| **judged).count(), 1);
}

/// The token of the newest reset link.
fn mailed_token(server: &TestServer) -> String {
    server.app.outbox.deliver(&Stop::default()).unwrap();
    let letters = std::fs::read_dir(server.db.dir.path().join("mail")).unwrap();
    let letters = letters.map(|letter| std::fs::read_to_string(letter.unwrap().path()).unwrap());
    let letter = letters.filter(|letter| letter.contains("Subject: Reset")).last().unwrap();
    // Quoted-printable (RFC 2045, 6.7).
    let letter = letter.replace("=\r\n", "").replace("=3D", "=");
    let (_, token) = letter.split_once("#token=").expect("a link");
    token.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect()
}
