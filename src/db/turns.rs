//! What transactions do one after the other: a rule about several rows, which no lock of one row
//! keeps.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{AnyConnection, QueryResult};

/// Waits until no other transaction that took a turn of this `name` is under way; others wait for
/// this one. To be called before any row is locked, so that no two wait for each other.
pub fn take(connection: &mut AnyConnection, name: [u8; 8]) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(connection) => {
            let key = i64::from_be_bytes(name);
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<BigInt, _>(key)
                .execute(connection)
                .map(drop)
        }
        // There is one writer at a time, whatever it does.
        AnyConnection::Sqlite(_) => Ok(()),
    }
}
