//! The statement that rotates, should what it was told ever be out of date.

use std::time::Duration;

use symbolon::client::Client;
use symbolon::db::Moment;
use symbolon::sessions::store::group::{Rotation, rotate};
use symbolon::sessions::store::with_users;
use symbolon::sessions::token::{Lifetimes, Presented, Session};

use super::{literal, sessions};
use crate::support::TestServer;

on_both_databases! {
    /// No row is written that is not as the rule judged it, whoever changed it meanwhile.
    fn a_row_that_has_changed_stays_as_it_is(db) {
        let server = TestServer::start(db);
        let opened = sessions(&server, 8);
        let now = server.app.now();
        let row = |index: usize| read(&server, &opened[index].session);
        let rotation = |index: usize, presented: i64| rotation(&row(index), presented, now);
        // What each is to be rotated to, before it changes.
        let rotations: Vec<Rotation> = (0..8).map(|index| rotation(index, 0)).collect();
        let at = |seconds: i64| moment(&server, now.unix_micros() + seconds * 1_000_000);
        let changes = [
            "generation = 0".to_owned(),
            "generation = 1".to_owned(),
            format!("revoked_at = {}", at(0)),
            format!("ends_at = {}", at(0)),
            format!("ends_at = {}", at(1)),
            format!("expires_at = {}", at(0)),
            format!("expires_at = {}", at(1)),
            "generation = 7".to_owned(),
        ];
        for (session, change) in opened.iter().zip(&changes) {
            let id = literal(&server.db, &session.session);
            server.db.execute(&format!("UPDATE refresh_tokens SET {change} WHERE id = {id}"));
        }
        let before: Vec<Session> = (0..8).map(row).collect();
        let mut rotations = rotations;
        rotations.sort_by_key(|rotation| rotation.after.id);
        let database = &server.app.database;
        let written = database.write(|connection| rotate(connection, &rotations, now)).unwrap();
        assert_eq!(written, 3);
        for (index, before) in before.iter().enumerate() {
            let after = row(index);
            match index {
                0 | 4 | 6 => assert_eq!(after.generation, 1, "{index}"),
                _ => assert_eq!(after, *before, "{index}"),
            }
        }
        // A token newer than its row rotates though the row's own token has expired.
        let newer = [rotation(5, 3)];
        let written = database.write(|connection| rotate(connection, &newer, now)).unwrap();
        assert_eq!((written, row(5).generation), (1, 4));
    }
}

fn read(server: &TestServer, session: &str) -> Session {
    let ids = [session.parse().unwrap()];
    let read = server.app.database.read(|connection| with_users(connection, &ids));
    read.unwrap().remove(0).0
}

fn rotation(session: &Session, presented: i64, now: Moment) -> Rotation {
    let lifetimes = Lifetimes {
        refresh: Duration::from_secs(60),
        session: Duration::from_secs(60),
        grace: Duration::from_secs(10),
    };
    let token = Presented { generation: presented, retry_key: None, from_browser: false };
    let after = session.rotated(&token, Client::default(), now, &lifetimes);
    Rotation { presented, after }
}

/// A moment as it stands in a statement.
fn moment(server: &TestServer, micros: i64) -> String {
    if server.db.is_postgres() {
        format!("'{}'", Moment::from_unix_micros(micros))
    } else {
        micros.to_string()
    }
}
