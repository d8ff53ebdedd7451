//! Backups that are restored: the table forgets rotations, and nobody is to pay for that.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::{audited, endings, generation, sessions};
use crate::support::{Db, SignedIn, TestServer};

/// A copy of a database as it was.
enum Backup {
    Sqlite(PathBuf),
    /// Another database of the cluster.
    Postgres(String),
}

impl Backup {
    /// Takes one. On PostgreSQL nobody may be connected.
    fn take(db: &Db, name: &str) -> Self {
        if db.is_postgres() {
            let (_, database) = db.url.rsplit_once('/').unwrap();
            let copy = format!("{database}_{name}");
            as_admin(db, &copy_of(database, &copy));
            Self::Postgres(copy)
        } else {
            let path = db.dir.path().join(name);
            db.execute(&format!("VACUUM INTO '{}'", path.display()));
            Self::Sqlite(path)
        }
    }

    /// Puts it in place of what there is. Nobody may be connected.
    fn restore(&self, db: &Db) {
        match self {
            Self::Postgres(copy) => {
                let (_, database) = db.url.rsplit_once('/').unwrap();
                as_admin(db, &format!("DROP DATABASE {database} WITH (FORCE)"));
                as_admin(db, &copy_of(copy, database));
            }
            Self::Sqlite(copy) => {
                let path = db.url.strip_prefix("sqlite://").unwrap();
                wait_until_closed(path);
                std::fs::copy(copy, path).unwrap();
            }
        }
    }

    fn remove(&self, db: &Db) {
        if let Self::Postgres(copy) = self {
            as_admin(db, &format!("DROP DATABASE {copy}"));
        }
    }
}

/// Waits until the connections of a server that was stopped are closed, and folds the journal into
/// the file: SQLite does that for the only connection there is.
fn wait_until_closed(path: &str) {
    let started = Instant::now();
    let fold = "PRAGMA journal_mode = DELETE";
    while SqliteConnection::establish(path).unwrap().batch_execute(fold).is_err() {
        assert!(started.elapsed() < Duration::from_secs(10), "somebody is still connected");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn copy_of(from: &str, to: &str) -> String {
    // The server's last connections may still be closing.
    format!(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = '{from}';
         CREATE DATABASE {to} TEMPLATE {from}"
    )
}

fn as_admin(db: &Db, sql: &str) {
    let (cluster, _) = db.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::establish(&format!("{cluster}/postgres")).unwrap();
    // One by one: a database is not made within a transaction.
    for statement in sql.split(';') {
        admin.batch_execute(statement).unwrap();
    }
}

fn refresh_all(server: &TestServer, sessions: &mut [SignedIn], times: usize) {
    for _ in 0..times {
        for session in sessions.iter_mut() {
            let answer = server.refresh(&session.refresh).expect(200);
            session.refresh = answer.refresh_token();
            session.access = answer.access_token();
        }
        server.clock.step(60.0);
    }
}

on_both_databases! {
    /// Twice in a row, the second time an older one: every session that is in the backup goes on.
    fn sessions_in_a_restored_backup_go_on(db) {
        let server = TestServer::start(db);
        let (db, clock) = (Arc::clone(&server.db), Arc::clone(&server.clock));
        let start = || TestServer::on(Arc::clone(&db), Arc::clone(&clock), &[]);
        let mut sessions = sessions(&server, 5);
        refresh_all(&server, &mut sessions, 2);
        drop(server);
        let older = Backup::take(&db, "older");

        let server = start();
        refresh_all(&server, &mut sessions, 2);
        drop(server);
        let newer = Backup::take(&db, "newer");

        let server = start();
        refresh_all(&server, &mut sessions, 3);
        let lost = server.register("late@example.com");
        drop(server);

        for (number, backup) in [&newer, &older, &older].into_iter().enumerate() {
            backup.restore(&db);
            let server = start();
            assert_eq!(audited(&db, "rotation_recovered"), 0);
            let before: Vec<i64> = sessions.iter().map(|s| generation(&s.refresh)).collect();
            for session in &mut sessions {
                // An access token of before is good, and two tabs that race are no thieves.
                server.me(&session.access).expect(200);
                let tab = || server.refresh_in_browser(&session.refresh).expect(200);
                let tabs = [tab(), tab()].map(|answer| answer.refresh_token());
                assert_eq!(tabs[0], tabs[1]);
                session.refresh.clone_from(&tabs[0]);
            }
            let after: Vec<i64> = sessions.iter().map(|s| generation(&s.refresh)).collect();
            assert!(before.iter().zip(&after).all(|(before, after)| before + 1 == *after));
            assert_eq!(audited(&db, "rotation_recovered"), 5, "restore {number}");
            // As before, from here on.
            refresh_all(&server, &mut sessions, 2);
            assert_eq!(endings(&db), (0, 0));
            // Who signed in after the backup is unknown to it.
            server.refresh(&lost.refresh).expect_failure(401, "REFRESH_TOKEN_INVALID");
            server.clock.step(60.0);
        }
        // A token of before the restores is as dead as any.
        let server = start();
        let old = sessions[0].refresh.clone();
        refresh_all(&server, &mut sessions, 1);
        server.refresh(&old).expect_failure(401, "REFRESH_TOKEN_REUSED");
        drop(server);
        older.remove(&db);
        newer.remove(&db);
    }
}
