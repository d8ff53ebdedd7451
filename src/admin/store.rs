//! Queries over all users.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::search::Search;
use crate::accounts::email::EmailAddress;
use crate::accounts::store::{USER, UserRow};
use crate::accounts::user::User;
use crate::db::schema::users;
use crate::db::{AnyConnection, Id};

/// Which users are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The one of this address.
    pub email: Option<EmailAddress>,
    /// Those who have this in their address or name.
    pub search: Option<Search>,
}

/// At most `limit` users from before `cursor` that `filter` lets through, the newest first.
pub fn users(
    connection: &mut AnyConnection,
    filter: &Filter,
    cursor: Option<Id>,
    limit: i64,
) -> QueryResult<Vec<User>> {
    let mut query = users::table.select(USER).order(users::id.desc()).limit(limit).into_boxed();
    if let Some(email) = &filter.email {
        query = query.filter(users::email_canonical.eq(email.canonical()));
    }
    if let Some(pattern) = filter.search.as_ref().map(Search::pattern) {
        query = query.filter(
            users::email_canonical
                .like(pattern.clone())
                .escape('\\')
                .or(folded(connection, "email").like(pattern.clone()).escape('\\'))
                .or(folded(connection, "name").like(pattern).escape('\\')),
        );
    }
    if let Some(cursor) = cursor {
        query = query.filter(users::id.lt(cursor));
    }
    Ok(query.load::<UserRow>(connection)?.into_iter().map(User::from).collect())
}

/// A column with its ASCII letters in lower case, and no others: what a database takes for the lower
/// case of those depends on which it is and how it was set up.
fn folded(connection: &AnyConnection, column: &'static str) -> SqlLiteral<Nullable<Text>> {
    sql(&match connection {
        AnyConnection::Postgres(_) => format!("lower({column} COLLATE \"C\")"),
        AnyConnection::Sqlite(_) => format!("lower({column})"),
    })
}

/// How many users there are in all, and how many of them are not disabled.
pub fn count_users(connection: &mut AnyConnection) -> QueryResult<(i64, i64)> {
    let total = users::table.count().get_result(connection)?;
    let active =
        users::table.filter(users::disabled_at.is_null()).count().get_result(connection)?;
    Ok((total, active))
}
