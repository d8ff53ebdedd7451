//! Many requests at once, on one server.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{endings, generation, sessions};
use crate::support::{Answer, Call, Client, PASSWORD, SignedIn, TestServer, rounds};

/// A refresh as the `number`th of many clients sends it.
fn refresh_as(client: &Client, number: usize, token: &str) -> Answer {
    match number % 3 {
        0 => client.refresh(token),
        1 => client.refresh_in_browser(token),
        _ => client.refresh_with_key(token, &format!("key-of-{number}")),
    }
}

/// A session that one thread refreshes while others may end it.
struct Refreshed {
    signed_in: SignedIn,
    token: Mutex<String>,
    count: AtomicU32,
    /// Whether an ending has been confirmed.
    ended: AtomicBool,
}

impl From<SignedIn> for Refreshed {
    fn from(signed_in: SignedIn) -> Self {
        let token = Mutex::new(signed_in.refresh.clone());
        Self { signed_in, token, count: AtomicU32::new(0), ended: AtomicBool::new(false) }
    }
}

impl Refreshed {
    fn refresh(&self, client: &Client, number: usize) {
        let mut token = self.token.lock().unwrap();
        let over = self.ended.load(Ordering::SeqCst);
        let answer = refresh_as(client, number, &token);
        if answer.status == 200 {
            assert!(!over, "the session was revived");
            *token = answer.refresh_token();
            self.count.fetch_add(1, Ordering::SeqCst);
        } else {
            answer.expect_failure(401, "SESSION_REVOKED");
        }
    }
}

on_both_databases! {
    /// Fifty clients of every kind use the token of each of many sessions at once.
    /// Security: B3, B2.
    fn fifty_uses_of_one_token_are_one_rotation(db) {
        let server = TestServer::start(db);
        let mut sessions = sessions(&server, 6);
        for round in 1..=i64::from(rounds(3, 60)) {
            let start = Barrier::new(50);
            let answers: Vec<Vec<String>> = std::thread::scope(|scope| {
                let clients: Vec<_> = (0..50).map(|number| {
                    let (server, sessions, start) = (&server, &sessions, &start);
                    scope.spawn(move || {
                        start.wait();
                        let ask = |session: &SignedIn| {
                            let answer = refresh_as(server, number, &session.refresh);
                            answer.expect(200).refresh_token()
                        };
                        sessions.iter().map(ask).collect()
                    })
                }).collect();
                clients.into_iter().map(|client| client.join().unwrap()).collect()
            });
            for (index, session) in sessions.iter_mut().enumerate() {
                let token = &answers[0][index];
                assert!(answers.iter().all(|answers| answers[index] == *token), "not one token");
                assert_eq!(generation(token), round, "not one rotation");
                session.refresh.clone_from(token);
            }
            // Past the grace.
            server.clock.step(11.0);
        }
        let total = "SELECT sum(generation) FROM refresh_tokens";
        assert_eq!(server.db.number(total), 6 * i64::from(rounds(3, 60)));
        assert_eq!(endings(&server.db), (0, 0));
        // The token before is dead, and using it ends the session.
        let old = sessions[0].refresh.clone();
        let live = server.refresh(&old).expect(200).refresh_token();
        server.clock.step(11.0);
        server.refresh(&old).expect_failure(401, "REFRESH_TOKEN_REUSED");
        server.refresh(&live).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(endings(&server.db), (1, 1));
    }

    /// Theft and live use of many sessions at the same moment: each is judged for itself.
    fn a_caught_theft_spoils_no_refresh_beside_it(db) {
        let server = TestServer::start(db);
        let mut sessions = sessions(&server, 12);
        let stolen: Vec<String> = sessions.iter().map(|session| session.refresh.clone()).collect();
        for session in &mut sessions {
            session.refresh = server.refresh(&session.refresh).expect(200).refresh_token();
        }
        server.clock.step(11.0);
        std::thread::scope(|scope| {
            for (index, (session, stolen)) in sessions.iter().zip(&stolen).enumerate() {
                let server = &server;
                scope.spawn(move || match index % 2 {
                    0 => drop(server.refresh(&session.refresh).expect(200)),
                    _ => drop(server.refresh(stolen).expect_failure(401, "REFRESH_TOKEN_REUSED")),
                });
            }
        });
        assert_eq!(endings(&server.db), (6, 6));
    }

    /// Sessions are ended in every way there is while all of them are refreshed, and neither side
    /// fails. After an ending was confirmed nothing revives the session. Security: B17.
    fn revocation_wins_over_refreshes_at_the_same_time(db) {
        let server = TestServer::start(db);
        let sessions: Vec<Refreshed> =
            sessions(&server, 12).into_iter().map(Refreshed::from).collect();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for number in 0..6 {
                // Two for each, which nobody else refreshes.
                let mine = &sessions[2 * number..2 * number + 2];
                let (server, stop) = (&server, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        for session in mine {
                            session.refresh(server, number);
                        }
                    }
                });
            }
            let end = |which: &[Refreshed], call: Call<'_>| {
                std::thread::sleep(Duration::from_millis(u64::from(rounds(60, 600))));
                call.send().expect(204);
                for session in which {
                    session.ended.store(true, Ordering::SeqCst);
                }
            };
            let [a, b, keeper] = [0, 1, 11].map(|index: usize| &sessions[index].signed_in);
            let logout = server.post("/auth/logout").bearer(&a.access).cookie(&a.refresh);
            end(&sessions[..1], logout);
            let one = server.delete(&format!("/auth/sessions/{}", b.session));
            end(&sessions[1..2], one.bearer(&keeper.access));
            let change = json!({"currentPassword": PASSWORD, "newPassword": "another long phrase"});
            let change = server.post("/auth/change-password").json(&change);
            end(&sessions[..11], change.bearer(&keeper.access));
            let others = server.delete("/auth/sessions?keep=current");
            end(&sessions[..11], others.bearer(&keeper.access));
            end(&sessions, server.delete("/auth/sessions").bearer(&keeper.access));
            std::thread::sleep(Duration::from_millis(50));
            stop.store(true, Ordering::SeqCst);
        });
        for Refreshed { signed_in, count, .. } in &sessions {
            assert!(count.load(Ordering::SeqCst) > 0, "there was no race");
            server.refresh(&signed_in.refresh).expect_failure(401, "SESSION_REVOKED");
            server.me(&signed_in.access).expect_failure(401, "SESSION_REVOKED");
        }
    }

    /// Every session of several users ended at once by several requests, in every order: no two of
    /// them wait for each other.
    fn ending_everything_at_once_locks_nobody_up(db) {
        let server = TestServer::start(db);
        for _ in 0..rounds(2, 30) {
            let sessions = signed_in_anew(&server, 10);
            std::thread::scope(|scope| {
                for session in &sessions {
                    let server = &server;
                    scope.spawn(move || {
                        let started = Instant::now();
                        let answer = server.delete("/auth/sessions").bearer(&session.access).send();
                        assert!(matches!(answer.status, 204 | 401), "{}", answer.text);
                        let answer = server.refresh(&session.refresh);
                        answer.expect_failure(401, "SESSION_REVOKED");
                        assert!(started.elapsed() < Duration::from_secs(4));
                    });
                }
            });
        }
    }
}

/// Sessions of one user who has signed in before, or signs up now.
fn signed_in_anew(server: &TestServer, count: usize) -> Vec<SignedIn> {
    let email = format!("user{}@example.com", server.db.number("SELECT count(*) FROM users"));
    server.register(&email);
    (0..count).map(|_| server.login(&email)).collect()
}
