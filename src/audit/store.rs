//! The `audit_events` table.

use diesel::prelude::*;

use super::{Event, Kind};
use crate::db::schema::audit_events;
use crate::db::{AnyConnection, Id, Moment, MultiBackend};

/// Adds an event under the id `id`, which sorts by its time.
pub fn record(
    connection: &mut AnyConnection,
    id: Id,
    event: &Event,
    now: Moment,
) -> QueryResult<()> {
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::id.eq(id),
            audit_events::at.eq(now),
            audit_events::kind.eq(event.kind.name()),
            audit_events::actor_id.eq(event.actor),
            audit_events::user_id.eq(event.user),
            audit_events::session_id.eq(event.session),
            audit_events::ip.eq(event.client.ip.as_deref()),
            audit_events::user_agent.eq(event.client.user_agent.as_deref()),
            audit_events::detail.eq(event.detail.as_deref()),
        ))
        .execute(connection)
        .map(drop)
}

/// An event as the table holds it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Recorded {
    /// Sorts by its time.
    pub id: Id,
    /// When it happened.
    pub at: Moment,
    /// What, by the name of a [`Kind`].
    pub kind: String,
    /// Who did it; `None` for an operator at the command line, or somebody unknown.
    pub actor: Option<Id>,
    /// To whom.
    pub user: Option<Id>,
    /// To which session, or from which.
    pub session: Option<Id>,
    /// From which address.
    pub ip: Option<String>,
    /// With which `User-Agent`.
    pub user_agent: Option<String>,
    /// What else there is to know.
    pub detail: Option<String>,
}

/// Which events are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those that this user did, or that were done to this user.
    pub user: Option<Id>,
    /// Those of this kind.
    pub kind: Option<Kind>,
}

/// At most `limit` events from before `cursor`, the newest first.
pub fn page(
    connection: &mut AnyConnection,
    filter: Filter,
    cursor: Option<Id>,
    limit: i64,
) -> QueryResult<Vec<Recorded>> {
    let newest = || newest(filter.kind, cursor, limit);
    let Some(user) = filter.user else { return newest().load(connection) };
    // One index gives what was done to the user, another what the user did: each in order, so that
    // neither reads more than a page, which a query for both at once would.
    let mut events: Vec<Recorded> =
        newest().filter(audit_events::user_id.eq(user)).load(connection)?;
    let done_by: Vec<Recorded> =
        newest().filter(audit_events::actor_id.eq(user)).load(connection)?;
    events.extend(done_by);
    events.sort_unstable_by_key(|event| std::cmp::Reverse(event.id));
    events.dedup_by_key(|event| event.id);
    events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(events)
}

fn newest(
    kind: Option<Kind>,
    cursor: Option<Id>,
    limit: i64,
) -> audit_events::BoxedQuery<'static, MultiBackend> {
    let mut query = audit_events::table.order(audit_events::id.desc()).limit(limit).into_boxed();
    if let Some(kind) = kind {
        query = query.filter(audit_events::kind.eq(kind.name()));
    }
    if let Some(cursor) = cursor {
        query = query.filter(audit_events::id.lt(cursor));
    }
    query
}

/// Deletes at most `limit` events older than `before`; returns how many.
pub fn delete_older(
    connection: &mut AnyConnection,
    before: Moment,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Id> = audit_events::table
        .filter(audit_events::at.lt(before))
        .order(audit_events::at)
        .limit(limit)
        .select(audit_events::id)
        .load(connection)?;
    diesel::delete(audit_events::table.filter(audit_events::id.eq_any(old))).execute(connection)
}
