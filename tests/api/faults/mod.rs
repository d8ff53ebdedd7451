//! What may happen to a service that runs for years: crashes, a database that goes away, races,
//! backups. The promise is always the same: nobody is logged out who should not be, and whoever
//! should be is.

mod backup;
mod clock;
mod database_away;
mod database_busy;
mod group;
mod guard;
mod instances;
mod kill;
mod phone;
mod prune;
mod races;
mod restore;
mod secrets;

use symbolon::accounts;
use symbolon::client::Client as Origin;
use symbolon::sessions::open::{SignIn, open};
use symbolon::sessions::token::Transport;

use crate::support::client::claims;
use crate::support::{Client, Db, SignedIn, TestServer};

/// Signs in `count` new users.
pub fn users(client: &Client, count: usize) -> Vec<SignedIn> {
    (0..count).map(|number| client.register(&format!("user{number}@example.com"))).collect()
}

/// Opens `count` sessions of one new user, without hashing a password for each.
fn sessions(server: &TestServer, count: usize) -> Vec<SignedIn> {
    sessions_by(server, count, Transport::Cookie)
}

fn sessions_by(server: &TestServer, count: usize, transport: Transport) -> Vec<SignedIn> {
    let owner = server.register("owner@example.com");
    let app = &server.app;
    let sign_in = SignIn { transport, client: Origin::default(), replaced: Vec::new() };
    let opened = app.database.write(|connection| {
        let id = owner.user.parse().unwrap();
        let (user, _) = accounts::store::by_id(connection, id)?.unwrap();
        let opened = (0..count).map(|_| open(app, connection, &user, &sign_in));
        Ok((opened.collect::<Result<Vec<_>, _>>()?, user))
    });
    let (opened, user) = opened.unwrap();
    let signed_in = opened.iter().map(|session| SignedIn {
        access: app.tokens.sign_access(session, &user, app.now(), &*app.random).unwrap(),
        refresh: app.tokens.sign_refresh(session, &user).unwrap(),
        session: session.id.to_string(),
        user: owner.user.clone(),
        email: owner.email.clone(),
    });
    signed_in.collect()
}

/// How many sessions were ended, by anybody, and how many thefts were seen.
pub fn endings(db: &Db) -> (i64, i64) {
    let ended = "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NOT NULL";
    (db.number(ended), audited(db, "refresh_token_reused"))
}

/// How many events of a kind were audited.
pub fn audited(db: &Db, kind: &str) -> i64 {
    db.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'"))
}

/// Which token of its session a refresh token is.
pub fn generation(token: &str) -> i64 {
    claims(token)["gen"].as_i64().unwrap()
}

/// An id as it stands in a statement on `db`.
fn literal(db: &Db, id: &str) -> String {
    if db.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.replace('-', "")) }
}
