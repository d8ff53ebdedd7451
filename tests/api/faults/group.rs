//! Many refreshes in one transaction, some of which are bad or held up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use symbolon::sessions::token::Transport;

use super::{audited, endings, generation, literal, sessions, sessions_by};
use crate::support::load::SOON;
use crate::support::{Answer, Db, TestServer, rounds};

/// Holds up all writing for a moment, so that what is sent meanwhile makes one group.
fn while_held_up(db: &Db, act: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        if db.is_postgres() {
            let mut other = PgConnection::establish(&db.url).unwrap();
            let lock = "BEGIN; LOCK TABLE refresh_tokens IN EXCLUSIVE MODE";
            other.batch_execute(lock).unwrap();
            scope.spawn(act);
            std::thread::sleep(Duration::from_millis(400));
            other.batch_execute("COMMIT").unwrap();
        } else {
            let path = db.url.strip_prefix("sqlite://").unwrap();
            let mut other = SqliteConnection::establish(path).unwrap();
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
            scope.spawn(act);
            std::thread::sleep(Duration::from_millis(400));
            other.batch_execute("COMMIT").unwrap();
        }
    });
}

/// Sends all of these at once; the answers in the same order.
fn at_once<'a>(asks: Vec<Box<dyn FnOnce() -> Answer + Send + 'a>>) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = asks.into_iter().map(|ask| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Makes the database refuse every change to one session, as no statement of ours provokes it.
fn refuse_changes(db: &Db, session: &str) {
    let id = literal(db, session);
    if db.is_postgres() {
        db.execute(&format!("ALTER TABLE refresh_tokens ADD CHECK (id <> {id} OR generation = 0)"));
    } else {
        db.execute(&format!(
            "CREATE TRIGGER refuse BEFORE UPDATE ON refresh_tokens WHEN NEW.id = {id} \
             BEGIN INSERT INTO users (id) VALUES (NULL); END"
        ));
    }
}

on_both_databases! {
    fn a_bad_refresh_spoils_nothing(db) {
        let server = TestServer::start(db);
        let all = sessions(&server, 40);
        // 0..8 were rotated before: their first tokens are stolen. 8 logged out, 9 expired.
        for session in &all[..8] {
            server.refresh(&session.refresh).expect(200);
        }
        server.logout(&all[8].access, &all[8].refresh).expect(204);
        server.clock.step(11.0);
        let idle = literal(&server.db, &all[9].session);
        let issued = "(SELECT min(issued_at) FROM refresh_tokens)";
        let expire = format!("UPDATE refresh_tokens SET expires_at = {issued} WHERE id = {idle}");
        server.db.execute(&expire);
        let gone = literal(&server.db, &all[10].session);
        server.db.execute(&format!("DELETE FROM refresh_tokens WHERE id = {gone}"));
        refuse_changes(&server.db, &all[11].session);

        let mut answers = Vec::new();
        let (server, all) = (&server, &all);
        while_held_up(&server.db, || {
            let mut asks: Vec<Box<dyn FnOnce() -> Answer + Send + '_>> = Vec::new();
            for (index, session) in all.iter().enumerate() {
                let token = &session.refresh;
                asks.push(match index {
                    12 => Box::new(move || server.refresh_in_body(token)),
                    _ => Box::new(move || server.refresh(token)),
                });
            }
            // Several of one session: the first rotates, the others are answered with the same.
            for _ in 0..5 {
                asks.push(Box::new(|| server.refresh_in_browser(&all[20].refresh)));
            }
            answers = at_once(asks);
        });
        for (index, answer) in answers.iter().enumerate() {
            let (status, code) = match index {
                0..8 => (401, "REFRESH_TOKEN_REUSED"),
                8 => (401, "SESSION_REVOKED"),
                9 => (401, "REFRESH_TOKEN_EXPIRED"),
                10 | 12 => (401, "REFRESH_TOKEN_INVALID"),
                11 => (500, "INTERNAL"),
                _ => (200, ""),
            };
            let found = (answer.status, &*answer.code());
            assert_eq!(found, (status, code), "{index}: {}", answer.text);
            if status == 200 {
                assert_eq!(generation(&answer.refresh_token()), 1, "{index}");
            }
        }
        let same = answers[40..].iter().all(|answer| answer.cookie() == answers[20].cookie());
        assert!(same, "one session, two tokens");
        assert_eq!(endings(&server.db), (9, 8));
        // The wrong transport and the refusal ended nothing.
        server.refresh(&all[12].refresh).expect(200);
        server.me(&all[11].access).expect(200);
    }

    /// As many as there are of a session in one group, its client sees one line of generations.
    fn one_session_many_times_in_a_group(db) {
        let server = TestServer::start(db);
        let session = sessions_by(&server, 1, Transport::Body).remove(0);
        let (server, session) = (&server, &session);
        let mut answers = Vec::new();
        while_held_up(&server.db, || {
            let ask = || -> Box<dyn FnOnce() -> Answer + Send + '_> {
                Box::new(|| server.refresh_in_body(&session.refresh))
            };
            answers = at_once((0..30).map(|_| ask()).collect());
        });
        let tokens: Vec<String> =
            answers.into_iter().map(|answer| answer.expect(200).refresh_token()).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0] && generation(token) == 1));
        assert_eq!(audited(&server.db, "refresh_token_reused"), 0);
    }
}

/// A row that somebody holds locked holds up its own session and no other.
#[test]
fn a_locked_row_delays_its_own_session_alone() {
    let server = TestServer::start(Db::postgres());
    let sessions = sessions(&server, 10);
    let mut other = PgConnection::establish(&server.db.url).unwrap();
    let id = literal(&server.db, &sessions[0].session);
    let lock = format!("BEGIN; SELECT 1 FROM refresh_tokens WHERE id = {id} FOR UPDATE");
    for _ in 0..rounds(1, 10) {
        other.batch_execute(&lock).unwrap();
        std::thread::scope(|scope| {
            let held_up = scope.spawn(|| {
                let started = Instant::now();
                (server.refresh(&sessions[0].refresh), started.elapsed())
            });
            std::thread::sleep(Duration::from_millis(100));
            for session in &sessions[1..] {
                let started = Instant::now();
                server.refresh(&session.refresh).expect(200);
                server.me(&session.access).expect(200);
                assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
            }
            // Reading waits for no lock.
            server.me(&sessions[0].access).expect(200);
            let (answer, took) = held_up.join().unwrap();
            answer.expect_failure(503, "UNAVAILABLE");
            assert!(took < SOON, "{took:?}");
        });
        other.batch_execute("COMMIT").unwrap();
        server.refresh(&sessions[0].refresh).expect(200);
    }
    assert_eq!(endings(&server.db), (0, 0));
}

#[test]
fn a_row_that_is_let_go_in_time_is_refreshed() {
    let server = Arc::new(TestServer::start(Db::postgres()));
    let session = sessions(&server, 1).remove(0);
    let mut other = PgConnection::establish(&server.db.url).unwrap();
    let id = literal(&server.db, &session.session);
    let lock = format!("BEGIN; SELECT 1 FROM refresh_tokens WHERE id = {id} FOR UPDATE");
    other.batch_execute(&lock).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.refresh(&session.refresh));
        std::thread::sleep(Duration::from_millis(400));
        other.batch_execute("COMMIT").unwrap();
        let answer = waiting.join().unwrap().expect(200);
        assert_eq!(generation(&answer.refresh_token()), 1);
    });
}
