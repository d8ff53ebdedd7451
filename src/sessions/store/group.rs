//! Statements for a group of rotations, where each database has a way of its own.

use std::collections::HashMap;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};

use super::{SessionAndUser, SessionRow};
use crate::accounts::store::{USER, UserRow};
use crate::accounts::user::User;
use crate::db::schema::{refresh_tokens, users};
use crate::db::types::sql;
use crate::db::{AnyConnection, Id, Moment};
use crate::sessions::token::Session;

/// What to do about rows that somebody else has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// Leave them out: nobody else of the group waits for them.
    Skip,
    /// Wait for them, though not for long.
    Wait,
}

/// Twice this, since an aborted transaction is tried once more, is within what a caller waits.
const SHORT_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '400ms'";

/// A session that is locked until the transaction ends.
#[derive(Debug)]
pub struct LockedSession {
    /// The session.
    pub session: Session,
    /// Its user, who may be gone.
    pub user: Option<User>,
    /// Whether the transaction is to write it.
    pub is_written: bool,
}

/// The sessions of a group.
#[derive(Debug, Default)]
pub struct LockedSessions {
    /// The rows there are, by id.
    pub rows: HashMap<Id, LockedSession>,
    /// Ids whose row somebody else has locked.
    pub busy: Vec<Id>,
}

/// Reads and locks the sessions of these ids, which must be in order: whoever locks several rows
/// locks them in the order of their ids, so that no two wait for each other.
pub fn lock(
    connection: &mut AnyConnection,
    ids: &[Id],
    locked: Locked,
) -> QueryResult<LockedSessions> {
    let connection = match connection {
        // `BEGIN IMMEDIATE` has locked everything already.
        AnyConnection::Sqlite(_) => {
            let rows = super::with_users(connection, ids)?;
            return Ok(LockedSessions { rows: by_id(rows), busy: Vec::new() });
        }
        AnyConnection::Postgres(connection) => connection,
    };
    let select = refresh_tokens::table
        .filter(refresh_tokens::id.eq_any(ids))
        .order(refresh_tokens::id)
        .for_update();
    let sessions: Vec<SessionRow> = match locked {
        Locked::Skip => select.skip_locked().load(connection)?,
        Locked::Wait => {
            connection.batch_execute(SHORT_LOCK_TIMEOUT)?;
            select.load(connection)?
        }
    };
    let user_ids: Vec<Id> = sessions.iter().filter_map(|row| row.user_id).collect();
    let users: HashMap<Id, User> = users::table
        .filter(users::id.eq_any(user_ids))
        .select(USER)
        .load::<UserRow>(connection)?
        .into_iter()
        .map(User::from)
        .map(|user| (user.id, user))
        .collect();
    let with_user = |row: SessionRow| {
        let user = row.user_id.and_then(|id| users.get(&id).cloned());
        (Session::from(row), user)
    };
    let rows = by_id(sessions.into_iter().map(with_user).collect());
    let missing: Vec<Id> = ids.iter().filter(|id| !rows.contains_key(id)).copied().collect();
    let busy = if missing.is_empty() {
        Vec::new()
    } else {
        refresh_tokens::table
            .filter(refresh_tokens::id.eq_any(missing))
            .select(refresh_tokens::id)
            .load(connection)?
    };
    Ok(LockedSessions { rows, busy })
}

fn by_id(rows: Vec<SessionAndUser>) -> HashMap<Id, LockedSession> {
    let locked = |(session, user): SessionAndUser| {
        (session.id, LockedSession { session, user, is_written: false })
    };
    rows.into_iter().map(locked).collect()
}

/// One rotation to be written.
#[derive(Debug)]
pub struct Rotation {
    /// The generation that was presented.
    pub presented: i64,
    /// The session as it is to be.
    pub after: Session,
}

/// Writes rotations, each guarded by the whole of the rule that a row can tell: a row that is not
/// as it was judged stays as it is. Returns how many rows were written.
pub fn rotate(
    connection: &mut AnyConnection,
    rotations: &[Rotation],
    now: Moment,
) -> QueryResult<usize> {
    match connection {
        AnyConnection::Postgres(connection) => RotateGroup::new(rotations, now).execute(connection),
        AnyConnection::Sqlite(connection) => {
            let mut written = 0;
            for rotation in rotations {
                written += rotate_one(connection, rotation, now)?;
            }
            Ok(written)
        }
    }
}

fn rotate_one(
    connection: &mut SqliteConnection,
    Rotation { presented, after }: &Rotation,
    now: Moment,
) -> QueryResult<usize> {
    use refresh_tokens::{ends_at, expires_at, generation, revoked_at};
    diesel::update(refresh_tokens::table.find(after.id))
        .filter(generation.le(presented).and(revoked_at.is_null()).and(ends_at.gt(now)))
        .filter(expires_at.gt(now).or(generation.lt(presented)))
        .set((
            generation.eq(after.generation),
            refresh_tokens::grace_until.eq(after.grace_until),
            refresh_tokens::retry_key.eq(after.retry_key.as_ref().map(|key| &key.0[..])),
            refresh_tokens::issued_at.eq(after.issued_at),
            expires_at.eq(after.expires_at),
            refresh_tokens::ip.eq(after.client.ip.as_deref()),
            refresh_tokens::user_agent.eq(after.client.user_agent.as_deref()),
        ))
        .execute(connection)
}

/// All rotations of a group in one statement. Written out, because a prepared statement with arrays
/// is planned once whatever the group's size, which the query builder cannot say for an update.
#[derive(Debug, QueryId)]
struct RotateGroup {
    id: Vec<Id>,
    presented: Vec<i64>,
    generation: Vec<i64>,
    grace_until: Vec<Option<Moment>>,
    retry_key: Vec<Option<Vec<u8>>>,
    issued_at: Vec<Moment>,
    expires_at: Vec<Moment>,
    ip: Vec<Option<String>>,
    user_agent: Vec<Option<String>>,
    now: Moment,
}

impl RotateGroup {
    fn new(rotations: &[Rotation], now: Moment) -> Self {
        fn column<T>(rotations: &[Rotation], of: impl Fn(&Session) -> T) -> Vec<T> {
            rotations.iter().map(|rotation| of(&rotation.after)).collect()
        }
        Self {
            id: column(rotations, |after| after.id),
            presented: rotations.iter().map(|rotation| rotation.presented).collect(),
            generation: column(rotations, |after| after.generation),
            grace_until: column(rotations, |after| after.grace_until),
            retry_key: column(rotations, |after| after.retry_key.map(|key| key.0.to_vec())),
            issued_at: column(rotations, |after| after.issued_at),
            expires_at: column(rotations, |after| after.expires_at),
            ip: column(rotations, |after| after.client.ip.clone()),
            user_agent: column(rotations, |after| after.client.user_agent.clone()),
            now,
        }
    }
}

impl QueryFragment<Pg> for RotateGroup {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE refresh_tokens AS t SET generation = r.generation, \
             grace_until = r.grace_until, retry_key = r.retry_key, issued_at = r.issued_at, \
             expires_at = r.expires_at, ip = r.ip, user_agent = r.user_agent FROM unnest(",
        );
        out.push_bind_param::<Array<sql::Id>, _>(&self.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.presented)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.generation)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<sql::Moment>>, _>(&self.grace_until)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Binary>>, _>(&self.retry_key)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<sql::Moment>, _>(&self.issued_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<sql::Moment>, _>(&self.expires_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.ip)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.user_agent)?;
        out.push_sql(
            ") AS r (id, presented, generation, grace_until, retry_key, issued_at, expires_at, \
             ip, user_agent) \
             WHERE t.id = r.id AND t.generation <= r.presented AND t.revoked_at IS NULL \
             AND t.ends_at > ",
        );
        out.push_bind_param::<sql::Moment, _>(&self.now)?;
        out.push_sql(" AND (t.expires_at > ");
        out.push_bind_param::<sql::Moment, _>(&self.now)?;
        out.push_sql(" OR t.generation < r.presented)");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for RotateGroup {}

/// Lets the forgiveness of a session's latest rotation last as long as `session` says.
pub fn restart_grace(connection: &mut AnyConnection, session: &Session) -> QueryResult<usize> {
    diesel::update(refresh_tokens::table.find(session.id))
        .filter(refresh_tokens::generation.eq(session.generation))
        .filter(refresh_tokens::revoked_at.is_null())
        .set(refresh_tokens::grace_until.eq(session.grace_until))
        .execute(connection)
}
