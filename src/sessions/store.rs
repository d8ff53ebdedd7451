//! The `refresh_tokens` table, a row a session. The statements for whole groups of rotations are
//! in [`group`].

pub mod group;

use diesel::prelude::*;

use super::token::{RetryKey, Session, Transport};
use crate::accounts::store::{USER, UserRow};
use crate::accounts::user::User;
use crate::client::Client;
use crate::db::schema::{refresh_tokens, users};
use crate::db::{AnyConnection, Id, Moment};

/// A session as the table holds it.
#[derive(Queryable, Insertable)]
#[diesel(table_name = refresh_tokens)]
struct SessionRow {
    id: Id,
    user_id: Option<Id>,
    transport: String,
    generation: i64,
    grace_until: Option<Moment>,
    retry_key: Option<Vec<u8>>,
    issued_at: Moment,
    expires_at: Moment,
    created_at: Moment,
    ends_at: Moment,
    revoked_at: Option<Moment>,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            transport: if row.transport == Transport::Body.name() {
                Transport::Body
            } else {
                Transport::Cookie
            },
            generation: row.generation,
            grace_until: row.grace_until,
            retry_key: row.retry_key.and_then(|key| key.try_into().ok()).map(RetryKey),
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            created_at: row.created_at,
            ends_at: row.ends_at,
            revoked_at: row.revoked_at,
            client: Client { ip: row.ip, user_agent: row.user_agent },
        }
    }
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        let session = session.clone();
        Self {
            id: session.id,
            user_id: session.user_id,
            transport: session.transport.name().to_owned(),
            generation: session.generation,
            grace_until: session.grace_until,
            retry_key: session.retry_key.map(|key| key.0.to_vec()),
            issued_at: session.issued_at,
            expires_at: session.expires_at,
            created_at: session.created_at,
            ends_at: session.ends_at,
            revoked_at: session.revoked_at,
            ip: session.client.ip,
            user_agent: session.client.user_agent,
        }
    }
}

/// A session and its user, who may be gone.
pub type SessionAndUser = (Session, Option<User>);

/// Adds a session.
pub fn insert(connection: &mut AnyConnection, session: &Session) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values(SessionRow::from(session))
        .execute(connection)
        .map(drop)
}

/// The sessions of these ids, as far as there are any, each with its user.
pub fn with_users(connection: &mut AnyConnection, ids: &[Id]) -> QueryResult<Vec<SessionAndUser>> {
    let rows: Vec<(SessionRow, Option<UserRow>)> = match connection {
        // One statement for all: its text, and so its plan, does not depend on how many there are.
        AnyConnection::Postgres(connection) => refresh_tokens::table
            .left_join(users::table)
            .filter(refresh_tokens::id.eq_any(ids))
            .select((refresh_tokens::all_columns, USER.nullable()))
            .load(connection)?,
        // SQLite is a function call away: one prepared statement, run for each.
        AnyConnection::Sqlite(connection) => {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let row = refresh_tokens::table
                    .left_join(users::table)
                    .filter(refresh_tokens::id.eq(id))
                    .select((refresh_tokens::all_columns, USER.nullable()))
                    .load(connection)?;
                rows.extend(row);
            }
            rows
        }
    };
    Ok(rows.into_iter().map(|(session, user)| (session.into(), user.map(User::from))).collect())
}

/// The sessions of a user that can still be refreshed at `now`, the newest first.
pub fn live_of_user(
    connection: &mut AnyConnection,
    user: Id,
    now: Moment,
) -> QueryResult<Vec<Session>> {
    let rows: Vec<SessionRow> = refresh_tokens::table
        .filter(refresh_tokens::user_id.eq(user))
        .filter(refresh_tokens::revoked_at.is_null())
        .filter(refresh_tokens::ends_at.gt(now))
        .filter(refresh_tokens::expires_at.gt(now))
        .order(refresh_tokens::id.desc())
        .load(connection)?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// How many sessions can still be refreshed at `now`.
pub fn count_live(connection: &mut AnyConnection, now: Moment) -> QueryResult<i64> {
    refresh_tokens::table
        .filter(refresh_tokens::revoked_at.is_null())
        .filter(refresh_tokens::ends_at.gt(now))
        .filter(refresh_tokens::expires_at.gt(now))
        .count()
        .get_result(connection)
}

/// Ends one session; `false` where it had ended or never was.
pub fn revoke(connection: &mut AnyConnection, id: Id, now: Moment) -> QueryResult<bool> {
    diesel::update(refresh_tokens::table.find(id))
        .filter(refresh_tokens::revoked_at.is_null())
        .set(refresh_tokens::revoked_at.eq(now))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Ends one session if it travels by cookie; returns whose it was.
pub fn revoke_cookie_session(
    connection: &mut AnyConnection,
    id: Id,
    now: Moment,
) -> QueryResult<Option<Option<Id>>> {
    diesel::update(refresh_tokens::table.find(id))
        .filter(refresh_tokens::transport.eq(Transport::Cookie.name()))
        .filter(refresh_tokens::revoked_at.is_null())
        .set(refresh_tokens::revoked_at.eq(now))
        .returning(refresh_tokens::user_id)
        .get_result(connection)
        .optional()
}

/// Ends one session if it is `user`'s and still live; `false` where it is not.
pub fn revoke_own(
    connection: &mut AnyConnection,
    id: Id,
    user: Id,
    now: Moment,
) -> QueryResult<bool> {
    diesel::update(refresh_tokens::table.find(id))
        .filter(refresh_tokens::user_id.eq(user))
        .filter(refresh_tokens::revoked_at.is_null())
        .filter(refresh_tokens::ends_at.gt(now))
        .set(refresh_tokens::revoked_at.eq(now))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Ends every session of a user except `kept`; returns how many.
pub fn revoke_all_of_user(
    connection: &mut AnyConnection,
    user: Id,
    kept: Option<Id>,
    now: Moment,
) -> QueryResult<usize> {
    let of_user = refresh_tokens::user_id.eq(user).and(refresh_tokens::revoked_at.is_null());
    let revoked = refresh_tokens::revoked_at.eq(now);
    match kept {
        Some(kept) => diesel::update(refresh_tokens::table)
            .filter(of_user.and(refresh_tokens::id.ne(kept)))
            .set(revoked)
            .execute(connection),
        None => {
            diesel::update(refresh_tokens::table).filter(of_user).set(revoked).execute(connection)
        }
    }
}

/// Ends at most `limit` sessions whose ids come after `after`; returns their ids, in order.
pub fn revoke_batch(
    connection: &mut AnyConnection,
    after: Option<Id>,
    limit: i64,
    now: Moment,
) -> QueryResult<Vec<Id>> {
    let mut live = refresh_tokens::table
        .filter(refresh_tokens::revoked_at.is_null())
        .order(refresh_tokens::id)
        .limit(limit)
        .select(refresh_tokens::id)
        .into_boxed();
    if let Some(after) = after {
        live = live.filter(refresh_tokens::id.gt(after));
    }
    let ids: Vec<Id> = live.load(connection)?;
    diesel::update(refresh_tokens::table)
        .filter(refresh_tokens::id.eq_any(&ids))
        .filter(refresh_tokens::revoked_at.is_null())
        .set(refresh_tokens::revoked_at.eq(now))
        .execute(connection)?;
    Ok(ids)
}

/// Forgets where the sessions of a user came from: for an account that is about to be deleted.
pub fn forget_clients(connection: &mut AnyConnection, user: Id) -> QueryResult<usize> {
    diesel::update(refresh_tokens::table)
        .filter(refresh_tokens::user_id.eq(user))
        .set((refresh_tokens::ip.eq(None::<String>), refresh_tokens::user_agent.eq(None::<String>)))
        .execute(connection)
}

/// Deletes at most `limit` sessions that ended before `now`; returns how many.
pub fn delete_ended(connection: &mut AnyConnection, now: Moment, limit: i64) -> QueryResult<usize> {
    let ended: Vec<Id> = refresh_tokens::table
        .filter(refresh_tokens::ends_at.le(now))
        .order(refresh_tokens::id)
        .limit(limit)
        .select(refresh_tokens::id)
        .load(connection)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::id.eq_any(ended)))
        .execute(connection)
}
