//! The `one_time_tokens` table: at most one row for each user and purpose.

use diesel::prelude::*;

use super::Purpose;
use crate::db::schema::one_time_tokens;
use crate::db::{AnyConnection, Id, Moment};

/// Whose token it was, and the address that it was mailed to.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Redeemed {
    /// The user.
    pub user: Id,
    /// The address, as it was typed.
    pub email: String,
}

/// Adds the token of `id` in the place of the user's earlier one for that purpose. The user's row
/// must be held by this transaction, so that two do not do so at once.
pub fn issue(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    user: Id,
    email: &str,
    now: Moment,
) -> QueryResult<()> {
    revoke(connection, user, &[purpose])?;
    diesel::insert_into(one_time_tokens::table)
        .values((
            one_time_tokens::id.eq(id),
            one_time_tokens::user_id.eq(user),
            one_time_tokens::purpose.eq(purpose.name()),
            one_time_tokens::email.eq(email),
            one_time_tokens::expires_at.eq(now + purpose.lifetime()),
        ))
        .execute(connection)
        .map(drop)
}

/// Lets the token of `id` live its time from `now`, as it is about to be mailed; `false` where a
/// newer one has taken its place.
pub fn renew(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    now: Moment,
) -> QueryResult<bool> {
    diesel::update(one_time_tokens::table.find(id))
        .set(one_time_tokens::expires_at.eq(now + purpose.lifetime()))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Whether the user has a token for `purpose` that is newer than `id`.
pub fn has_newer(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    user: Id,
) -> QueryResult<bool> {
    let newer: Option<Id> = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user))
        .filter(one_time_tokens::purpose.eq(purpose.name()))
        .filter(one_time_tokens::id.gt(id))
        .select(one_time_tokens::id)
        .first(connection)
        .optional()?;
    Ok(newer.is_some())
}

/// Whose token it is, without using it up; `None` where it is not good.
pub fn find(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    now: Moment,
) -> QueryResult<Option<Redeemed>> {
    one_time_tokens::table
        .find(id)
        .filter(one_time_tokens::purpose.eq(purpose.name()))
        .filter(one_time_tokens::expires_at.gt(now))
        .select((one_time_tokens::user_id, one_time_tokens::email))
        .first(connection)
        .optional()
}

/// Uses the token up, in one statement: of many at once, one gets it. `None` where it is not good.
pub fn redeem(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    now: Moment,
) -> QueryResult<Option<Redeemed>> {
    diesel::delete(one_time_tokens::table.find(id))
        .filter(one_time_tokens::purpose.eq(purpose.name()))
        .filter(one_time_tokens::expires_at.gt(now))
        .returning((one_time_tokens::user_id, one_time_tokens::email))
        .get_result(connection)
        .optional()
}

/// Takes the user's tokens for these purposes back.
pub fn revoke(
    connection: &mut AnyConnection,
    user: Id,
    purposes: &[Purpose],
) -> QueryResult<usize> {
    let names: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
    diesel::delete(one_time_tokens::table)
        .filter(one_time_tokens::user_id.eq(user))
        .filter(one_time_tokens::purpose.eq_any(names))
        .execute(connection)
}

/// Takes all of the user's tokens back.
pub fn revoke_all(connection: &mut AnyConnection, user: Id) -> QueryResult<usize> {
    diesel::delete(one_time_tokens::table.filter(one_time_tokens::user_id.eq(user)))
        .execute(connection)
}

/// Deletes at most `limit` tokens that expired before `before`; returns how many.
pub fn delete_expired(
    connection: &mut AnyConnection,
    before: Moment,
    limit: i64,
) -> QueryResult<usize> {
    let expired: Vec<Id> = one_time_tokens::table
        .filter(one_time_tokens::expires_at.lt(before))
        .order(one_time_tokens::expires_at)
        .limit(limit)
        .select(one_time_tokens::id)
        .load(connection)?;
    diesel::delete(one_time_tokens::table.filter(one_time_tokens::id.eq_any(expired)))
        .execute(connection)
}
