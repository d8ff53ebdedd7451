//! A database that somebody else keeps busy.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use futures_util::future::join_all;
use serde_json::json;
use symbolon::client::Client;
use symbolon::sessions::refresh::Refresh;
use symbolon::sessions::token::{Presented, Transport};

use super::{endings, sessions, users};
use crate::support::load::SOON;
use crate::support::{Db, PASSWORD, TestServer};

/// A connection of somebody else, who keeps everything locked until it is dropped.
enum Locked {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Locked {
    fn hold(db: &Db) -> Self {
        if db.is_postgres() {
            let mut other = PgConnection::establish(&db.url).unwrap();
            let lock = "BEGIN; LOCK TABLE refresh_tokens, users IN ACCESS EXCLUSIVE MODE";
            other.batch_execute(lock).unwrap();
            Self::Postgres(other)
        } else {
            let path = db.url.strip_prefix("sqlite://").unwrap();
            let mut other = SqliteConnection::establish(path).unwrap();
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
            Self::Sqlite(other)
        }
    }

    fn release(self) {
        match self {
            Self::Postgres(mut other) => other.batch_execute("COMMIT").unwrap(),
            Self::Sqlite(mut other) => other.batch_execute("COMMIT").unwrap(),
        }
    }
}

on_both_databases! {
    /// A rotation that nobody hears of would make the caller's next try look late.
    fn what_was_answered_503_is_not_rotated_afterwards(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let locked = Locked::hold(&server.db);
        server.refresh(&ada.refresh).expect_failure(503, "UNAVAILABLE");
        locked.release();
        // Another refresh has to wait for the writer, who by then has done what it was going to do.
        let bob = server.register("bob@example.com");
        server.refresh(&bob.refresh).expect(200);
        assert_eq!(server.db.generation(&ada.session), 0);
        server.refresh(&ada.refresh).expect(200);
    }

    /// One connection, and that one waits for a lock: nobody hangs, and all is well afterwards.
    /// Security: M8.
    fn a_full_pool_answers_soon(db) {
        let is_postgres = db.is_postgres();
        let server = TestServer::with(db, &[("--database-pool-size", "1")]);
        let users = users(&server, 3);
        let locked = Locked::hold(&server.db);
        std::thread::scope(|scope| {
            for user in &users {
                let (server, name) = (&server, json!({"name": "Ada"}));
                let login = json!({"email": user.email, "password": PASSWORD});
                let mut calls = vec![
                    server.post("/auth/refresh-token").cookie(&user.refresh),
                    server.call("PATCH", "/auth/me").bearer(&user.access).json(&name),
                    server.post("/auth/login").json(&login),
                ];
                // What is answered with 503 may be carried out later: nothing here that ends
                // anything. SQLite's readers wait for no writer.
                if is_postgres {
                    calls.push(server.get("/auth/me").bearer(&user.access));
                    calls.push(server.get("/auth/sessions").bearer(&user.access));
                }
                for call in calls {
                    scope.spawn(move || {
                        let started = Instant::now();
                        call.send().expect_failure(503, "UNAVAILABLE");
                        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
                    });
                }
            }
            let started = Instant::now();
            server.get("/healthz").send().expect(200);
            assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
        });
        locked.release();
        let started = Instant::now();
        while server.refresh(&users[0].refresh).status == 503 {
            assert!(started.elapsed() < Duration::from_secs(5));
        }
        for user in &users {
            server.refresh(&user.refresh).expect(200);
            server.login(&user.email);
        }
        assert_eq!(endings(&server.db), (0, 0));
    }

    /// More refreshes than may wait are turned away at once, and none waits longer than promised.
    fn a_full_queue_turns_away(db) {
        let server = TestServer::start(db);
        let opened = sessions(&server, 50);
        let asks: Vec<Refresh> = (0..1500)
            .map(|number| Refresh {
                session: opened[number % 50].session.parse().unwrap(),
                presented: Presented { generation: 0, retry_key: None, from_browser: false },
                transport: Transport::Cookie,
                client: Client::default(),
            })
            .collect();
        let locked = Locked::hold(&server.db);
        let app = &server.app;
        let timed = |ask: Refresh| async move {
            let started = Instant::now();
            let answer = app.writer.refresh(ask).await;
            (answer, started.elapsed())
        };
        let asked = join_all(asks.into_iter().map(timed));
        let answers = actix_web::rt::System::new().block_on(asked);
        locked.release();
        let slowest = answers.iter().map(|(_, took)| *took).max().unwrap();
        assert!(slowest < SOON, "{slowest:?}");
        let at_once = answers.iter().filter(|(answer, took)| {
            answer.is_err() && *took < Duration::from_millis(500)
        });
        assert!(at_once.count() >= 400, "the queue has no end");
        assert!(!answers.iter().any(|(answer, _)| matches!(answer, Ok(Ok(_)))));
        // What was given up is not carried out behind anybody's back for long: it goes on.
        let started = Instant::now();
        for session in &opened {
            while server.refresh(&session.refresh).status != 200 {
                assert!(started.elapsed() < Duration::from_secs(10));
            }
        }
        assert_eq!(endings(&server.db), (0, 0));
    }
}
