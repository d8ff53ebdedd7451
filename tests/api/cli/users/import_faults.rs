//! `users import` cut off, and overtaken.

use std::io::Write;
use std::process::{Child, Stdio};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

use super::import::many;
use super::{command, wait_until};
use crate::support::Db;
use crate::support::process::on;

/// A connection of the test's own, which holds what it locks until it is dropped.
enum Other {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Other {
    fn of(db: &Db) -> Self {
        if db.is_postgres() {
            Self::Postgres(PgConnection::establish(&db.url).unwrap())
        } else {
            let path = db.url.strip_prefix("sqlite://").unwrap();
            Self::Sqlite(SqliteConnection::establish(path).unwrap())
        }
    }

    fn execute(&mut self, sql: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(connection) => connection.batch_execute(sql),
            Self::Sqlite(connection) => connection.batch_execute(sql),
        }
    }
}

/// An import that reads what the test gives it.
fn importing(db: &Db) -> Child {
    let mut command = on(db);
    command.args(["users", "import", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Whether somebody is in the midst of writing users.
fn is_writing(db: &Db) -> bool {
    if db.is_postgres() {
        let inserting = "datname = current_database() AND pid <> pg_backend_pid() \
                         AND query LIKE 'INSERT INTO \"users\"%' AND state <> 'idle'";
        return db.number(&format!("SELECT count(*) FROM pg_stat_activity WHERE {inserting}")) > 0;
    }
    // The one lock for writing, which nobody else wants.
    Other::of(db).execute("BEGIN IMMEDIATE").is_err()
}

on_both_databases! {
    fn killed_in_the_midst_it_leaves_nothing(db) {
        command(&db, "migrate").done();
        let lines = many(30_000);
        let mut import = importing(&db);
        import.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        wait_until("it is writing", || is_writing(&db));
        assert!(import.try_wait().unwrap().is_none(), "it was done before it could be killed");
        import.kill().unwrap();
        let status = import.wait().unwrap();
        assert_eq!(status.code(), None, "it was done before it could be killed");
        assert_eq!(db.number("SELECT count(*) FROM users"), 0);
        assert_eq!(db.number("SELECT count(*) FROM audit_events"), 0);
        // And nothing is in the way of the next.
        let file = db.dir.path().join("users.jsonl");
        std::fs::write(file, many(10)).unwrap();
        assert_eq!(command(&db, "users import users.jsonl").done(), "imported 10 users\n");
    }

    /// The address is not there when the import looks, and there when it writes.
    fn an_address_registered_meanwhile_undoes_everything(db) {
        command(&db, "migrate").done();
        let lines = many(3000);
        let mut import = importing(&db);
        let mut stdin = import.stdin.take().unwrap();
        // More than a pipe holds: it has opened the database and is reading.
        stdin.write_all(lines.as_bytes()).unwrap();
        let mut other = Other::of(&db);
        let (begin, id) = if db.is_postgres() {
            ("BEGIN", "gen_random_uuid()")
        } else {
            ("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE", "randomblob(16)")
        };
        let now = db.moment(1_700_000_000_000_000);
        let registration = format!(
            "{begin}; INSERT INTO users (id, email, email_canonical, password_hash, role, created_at) \
             VALUES ({id}, 'User2999@example.com', 'user2999@example.com', '!', 'user', {now})"
        );
        other.execute(&registration).unwrap();
        drop(stdin);
        if db.is_postgres() {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND datname = current_database()";
            wait_until("it waits for the registration", || db.number(waiting) > 0);
        } else {
            // It waits for the lock for a second, twice.
            std::thread::sleep(std::time::Duration::from_millis(800));
        }
        other.execute("COMMIT").unwrap();
        let said = import.wait_with_output().unwrap();
        let err = String::from_utf8(said.stderr).unwrap();
        assert_eq!(
            (said.status.code(), &*err),
            (
                Some(1),
                "symbolon: nothing was imported, an address was taken meanwhile: 1 faults\n  \
                 line 3000: `user2999@example.com` has an account already\n"
            )
        );
        assert_eq!(db.number("SELECT count(*) FROM users"), 1);
    }
}
