//! What may happen to a service that runs for years: crashes, a database that goes away, races,
//! backups. The promise is always the same: nobody is logged out who should not be.

mod database_away;
mod kill;

use crate::support::{Client, Db, SignedIn};

/// Signs in `count` new users.
fn users(client: &Client, count: usize) -> Vec<SignedIn> {
    (0..count).map(|number| client.register(&format!("user{number}@example.com"))).collect()
}

/// How many sessions were ended, by anybody, and how many thefts were seen.
fn endings(db: &Db) -> (i64, i64) {
    let ended = "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NOT NULL";
    let thefts = "SELECT count(*) FROM audit_events WHERE kind = 'refresh_token_reused'";
    (db.number(ended), db.number(thefts))
}
