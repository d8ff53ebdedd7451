//! The `audit_events` table.

use diesel::prelude::*;

use super::Event;
use crate::db::schema::audit_events;
use crate::db::{AnyConnection, Id, Moment};

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
