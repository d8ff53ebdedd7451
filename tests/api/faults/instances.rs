//! Several instances on one database.

use std::sync::{Arc, Barrier};

use super::{endings, generation, sessions, users};
use crate::support::load::Load;
use crate::support::process::{Process, free_port};
use crate::support::{TestServer, rounds};

on_both_databases! {
    /// Security: B3.
    fn a_race_across_instances_is_one_rotation(db) {
        let first = TestServer::start(db);
        let second = TestServer::on(Arc::clone(&first.db), Arc::clone(&first.clock), &[]);
        let mut tokens: Vec<String> =
            sessions(&first, 4).into_iter().map(|session| session.refresh).collect();
        for round in 1..=i64::from(rounds(3, 60)) {
            let start = Barrier::new(30);
            let answers: Vec<Vec<String>> = std::thread::scope(|scope| {
                let clients: Vec<_> = (0..30).map(|number| {
                    let server = if number % 2 == 0 { &first } else { &second };
                    let (tokens, start) = (&tokens, &start);
                    scope.spawn(move || {
                        start.wait();
                        let answers = tokens.iter().map(|token| server.refresh(token).expect(200));
                        answers.map(|answer| answer.refresh_token()).collect()
                    })
                }).collect();
                clients.into_iter().map(|client| client.join().unwrap()).collect()
            });
            for (index, token) in tokens.iter_mut().enumerate() {
                token.clone_from(&answers[0][index]);
                assert!(answers.iter().all(|answers| answers[index] == *token));
                assert_eq!(generation(token), round);
            }
            first.clock.step(11.0);
        }
        assert_eq!(endings(&first.db), (0, 0));
    }

    /// What one instance ends is ended for the other at once.
    fn a_logout_at_one_is_a_logout_at_the_other(db) {
        let first = TestServer::start(db);
        let second = TestServer::on(Arc::clone(&first.db), Arc::clone(&first.clock), &[]);
        let user = first.register("ada@example.com");
        second.me(&user.access).expect(200);
        first.logout(&user.access, &user.refresh).expect(204);
        second.me(&user.access).expect_failure(401, "SESSION_REVOKED");
        second.refresh(&user.refresh).expect_failure(401, "SESSION_REVOKED");
    }

    /// Both make the tables, and the secret, or rather one does and the other sees it.
    fn two_that_start_at_once_on_nothing_both_come_up(db) {
        let [first, second] = both(&db);
        let user = first.register("ada@example.com");
        second.me(&user.access).expect(200);
        second.refresh(&user.refresh).expect(200);
    }

    /// Every client is sent now to one, now to the other.
    fn two_processes_share_the_load(db) {
        let [first, second] = both(&db);
        let users = users(&first, 9);
        let load = Load::start(&[&first.base, &second.base], users);
        load.wait_for(u64::from(rounds(20, 500)));
        let kept = load.stop();
        kept.expect_no_faults();
        assert_eq!(kept.unavailable + kept.unanswered, 0);
        assert_eq!(endings(&db), (0, 0));
    }
}

/// Two processes that are started at the same moment.
fn both(db: &crate::support::Db) -> [Process; 2] {
    std::thread::scope(|scope| {
        let start = || scope.spawn(|| Process::start(db, free_port(), &[]));
        let both = [start(), start()];
        both.map(|thread| thread.join().unwrap())
    })
}
