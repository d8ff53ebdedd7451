//! Queries over all users.

use diesel::prelude::*;

use crate::accounts::email::EmailAddress;
use crate::accounts::store::{USER, UserRow};
use crate::accounts::user::User;
use crate::db::schema::users;
use crate::db::{AnyConnection, Id};

/// At most `limit` users from before `cursor`, the newest first; of the address `email`, if given.
pub fn users(
    connection: &mut AnyConnection,
    email: Option<&EmailAddress>,
    cursor: Option<Id>,
    limit: i64,
) -> QueryResult<Vec<User>> {
    let mut query = users::table.select(USER).order(users::id.desc()).limit(limit).into_boxed();
    if let Some(email) = email {
        query = query.filter(users::email_canonical.eq(email.canonical()));
    }
    if let Some(cursor) = cursor {
        query = query.filter(users::id.lt(cursor));
    }
    Ok(query.load::<UserRow>(connection)?.into_iter().map(User::from).collect())
}

/// How many users there are in all, and how many of them are not disabled.
pub fn count_users(connection: &mut AnyConnection) -> QueryResult<(i64, i64)> {
    let total = users::table.count().get_result(connection)?;
    let active =
        users::table.filter(users::disabled_at.is_null()).count().get_result(connection)?;
    Ok((total, active))
}
