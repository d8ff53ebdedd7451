//! Everything that touches mail, its links and their accounts, all at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon::background::Stop;

use crate::support::mail::letters;
use crate::support::{Answer, Call, PASSWORD, TestServer, at_once, rounds};

const EMAIL: &str = "ada@example.com";

#[track_caller]
fn send(call: Call<'_>) -> Answer {
    let answer = call.send();
    assert!(answer.status < 500, "{}", answer.text);
    answer
}

/// An access token of the one account, which is made if it is not there at the moment.
fn signed_in(server: &TestServer) -> Option<String> {
    let who = json!({"email": EMAIL, "password": PASSWORD});
    send(server.post("/auth/register").json(&who));
    let answer = send(server.post("/auth/login").json(&who));
    (answer.status == 200).then(|| answer.access_token())
}

fn as_user(server: &TestServer, method: &str, path: &str, body: &Value) {
    if let Some(access) = signed_in(server) {
        send(server.call(method, path).bearer(&access).json(body));
    }
}

/// Follows links that were mailed.
fn follow(server: &TestServer) {
    for letter in letters(&server.db.dir.path().join("mail")).iter().rev().take(4) {
        let Some((_, token)) = letter.link().split_once("#token=") else { continue };
        send(server.post("/auth/verify-email").json(&json!({"token": token})));
        let reset = json!({"token": token, "newPassword": PASSWORD});
        send(server.post("/auth/reset-password").json(&reset));
    }
}

fn act(server: &TestServer, number: usize) {
    match number {
        0 => {
            server.clock.step(1.0);
            server.app.outbox.deliver(&Stop::default()).unwrap();
        }
        1 => {
            send(server.post("/auth/forgot-password").json(&json!({"email": EMAIL})));
            std::thread::sleep(Duration::from_millis(300));
        }
        2 => {
            as_user(server, "POST", "/auth/resend-verification", &json!({}));
            std::thread::sleep(Duration::from_millis(300));
        }
        3 => {
            let body = json!({"newEmail": "Ada@example.com", "password": PASSWORD});
            as_user(server, "POST", "/auth/change-email", &body);
        }
        4 => {
            as_user(server, "DELETE", "/auth/me", &json!({"password": PASSWORD}));
            std::thread::sleep(Duration::from_millis(700));
        }
        _ => follow(server),
    }
}

/// Whether accounts were deleted and links followed: otherwise nothing is proven.
fn has_all(server: &TestServer) -> bool {
    ["'user_deleted'", "'password_reset', 'email_verified', 'email_changed'"].iter().all(|kinds| {
        let count = format!("SELECT COUNT(*) FROM audit_events WHERE kind IN ({kinds})");
        server.db.number(&count) > 0
    })
}

on_both_databases! {
    fn nothing_fails_and_nothing_waits_for_what_waits_for_it(db) {
        let server = TestServer::start(db);
        let (began, done) = (Instant::now(), AtomicBool::default());
        let least = Duration::from_secs(rounds(4, 60).into());
        // A busy machine may take longer until everything has happened.
        at_once(6, |number| {
            while !done.load(Ordering::Relaxed) && began.elapsed() < 11 * least {
                act(&server, number);
                if number == 0 && began.elapsed() > least {
                    let is_over = began.elapsed() > 10 * least || has_all(&server);
                    done.store(is_over, Ordering::Relaxed);
                }
            }
        });
        if server.db.is_postgres() {
            // PostgreSQL counts with some delay.
            std::thread::sleep(Duration::from_millis(1_200));
            let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
            assert_eq!(server.db.number(deadlocks), 0);
        }
        assert!(has_all(&server), "nothing was deleted, or no link followed");
    }
}
