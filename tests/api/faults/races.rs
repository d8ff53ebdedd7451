//! Many requests at once, on one server.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{endings, generation, sessions};
use crate::support::{Client, PASSWORD, SignedIn, TestServer, rounds};

/// A refresh as the `number`th of many clients sends it.
fn refresh_as(client: &Client, number: usize, token: &str) -> crate::support::Answer {
    match number % 3 {
        0 => client.refresh(token),
        1 => client.refresh_in_browser(token),
        _ => client.refresh_with_key(token, &format!("key-of-{number}")),
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

    /// Sessions are ended in every way there is while all of them are refreshed. No answer is a
    /// failure of ours, and after an ending was confirmed nothing revives the session.
    /// Security: B17.
    fn revocation_wins_over_refreshes_at_the_same_time(db) {
        let server = TestServer::start(db);
        let sessions = sessions(&server, 12);
        let ended: Vec<AtomicBool> = sessions.iter().map(|_| AtomicBool::new(false)).collect();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (server, sessions, ended, stop) = (&server, &sessions, &ended, &stop);
                scope.spawn(move || {
                    let mut tokens: Vec<_> = sessions.iter().map(|s| s.refresh.clone()).collect();
                    let mut turn = number;
                    while !stop.load(Ordering::SeqCst) {
                        turn = (turn + 5) % sessions.len();
                        let over = ended[turn].load(Ordering::SeqCst);
                        let answer = refresh_as(server, number, &tokens[turn]);
                        match (answer.status, over) {
                            (200, false) => tokens[turn] = answer.refresh_token(),
                            (200, true) => panic!("session {turn} was revived"),
                            // Its clients hold several generations: a theft, by all appearances.
                            (401, _) if answer.code() == "REFRESH_TOKEN_REUSED" => {}
                            _ => drop(answer.expect_failure(401, "SESSION_REVOKED")),
                        }
                    }
                });
            }
            let end = |which: &[usize], status: u16, answer: crate::support::Answer| {
                if answer.status != 401 {
                    answer.expect(status);
                    which.iter().for_each(|&index| ended[index].store(true, Ordering::SeqCst));
                }
                std::thread::sleep(Duration::from_millis(u64::from(rounds(40, 400))));
            };
            let [a, b, keeper] = [&sessions[0], &sessions[1], &sessions[11]];
            let others: Vec<usize> = (0..11).collect();
            end(&[0], 204, server.logout(&a.access, &a.refresh));
            end(&[1], 204, server.delete(&format!("/auth/sessions/{}", b.session)).bearer(&keeper.access).send());
            let change = json!({"currentPassword": PASSWORD, "newPassword": "another long phrase"});
            let started = Instant::now();
            end(&others, 204, server.post("/auth/change-password").bearer(&keeper.access).json(&change).send());
            assert!(started.elapsed() < Duration::from_secs(5));
            end(&others, 204, server.delete("/auth/sessions?keep=current").bearer(&keeper.access).send());
            let all: Vec<usize> = (0..12).collect();
            end(&all, 204, server.delete("/auth/sessions").bearer(&keeper.access).send());
            stop.store(true, Ordering::SeqCst);
        });
        for session in &sessions {
            server.refresh(&session.refresh).expect_failure(401, "SESSION_REVOKED");
            server.me(&session.access).expect_failure(401, "SESSION_REVOKED");
        }
    }

    /// Every session of several users ended at once by several requests, in every order: no two of
    /// them wait for each other.
    fn ending_everything_at_once_locks_nobody_up(db) {
        let server = TestServer::start(db);
        for _ in 0..rounds(2, 30) {
            let sessions = server_sessions(&server, 10);
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
fn server_sessions(server: &TestServer, count: usize) -> Vec<SignedIn> {
    let email = format!("user{}@example.com", server.db.number("SELECT count(*) FROM users"));
    server.register(&email);
    (0..count).map(|_| server.login(&email)).collect()
}
