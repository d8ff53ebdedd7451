//! Many users at once: for importing and exporting them.

use std::collections::HashSet;

use diesel::prelude::*;

use super::{NewRow, USER, UserRow};
use crate::accounts::import::NewUser;
use crate::accounts::user::User;
use crate::crypto::password::PasswordHash;
use crate::db::schema::users;
use crate::db::{AnyConnection, Id};

/// Adds users in one statement (PostgreSQL) or by one that is prepared once (SQLite). An address
/// that is taken is a unique violation.
pub fn insert(connection: &mut AnyConnection, new: &[NewUser]) -> QueryResult<()> {
    let rows: Vec<_> =
        new.iter().map(|new| NewRow::new(&new.user, &new.email, &new.hash)).collect();
    let insert = diesel::insert_into(users::table).values(rows);
    match connection {
        AnyConnection::Postgres(connection) => insert.execute(connection),
        AnyConnection::Sqlite(connection) => insert.execute(connection),
    }
    .map(drop)
}

/// Those of these canonical addresses that have an account.
pub fn taken(connection: &mut AnyConnection, canonical: &[&str]) -> QueryResult<HashSet<String>> {
    let taken = users::table
        .filter(users::email_canonical.eq_any(canonical))
        .select(users::email_canonical)
        .load(connection)?;
    Ok(taken.into_iter().collect())
}

/// At most `limit` users whose ids come after `after`, in the order of their ids, with the hashes
/// of their passwords.
pub fn page(
    connection: &mut AnyConnection,
    after: Option<Id>,
    limit: i64,
) -> QueryResult<Vec<(User, PasswordHash)>> {
    let mut query = users::table
        .select((USER, users::password_hash))
        .order(users::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(users::id.gt(after));
    }
    let rows: Vec<(UserRow, String)> = query.load(connection)?;
    Ok(rows.into_iter().map(|(user, hash)| (user.into(), PasswordHash::stored(hash))).collect())
}
