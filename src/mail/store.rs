//! The `outbox` table: a row until its mail is sent, or no longer wanted.

use diesel::prelude::*;

use super::{Kind, Mail};
use crate::client::Client;
use crate::db::schema::outbox;
use crate::db::{AnyConnection, Id, Moment};

/// A mail that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its id, and that of its one-time token.
    pub id: Id,
    /// What is to be sent.
    pub mail: Mail,
    /// When it was put here.
    pub created_at: Moment,
    /// When it is to be sent; while it is being sent, when somebody else may try.
    pub due_at: Moment,
    /// How often that was tried.
    pub attempts: i64,
}

type Row = (
    Id,
    String,
    Option<Id>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Moment,
    Moment,
    i64,
);

/// Puts a mail here, to be sent at once.
pub fn post(connection: &mut AnyConnection, id: Id, mail: &Mail, now: Moment) -> QueryResult<()> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(id),
            outbox::kind.eq(mail.kind.name()),
            outbox::user_id.eq(mail.user),
            outbox::email.eq(&mail.email),
            outbox::ip.eq(mail.client.ip.as_deref()),
            outbox::user_agent.eq(mail.client.user_agent.as_deref()),
            outbox::detail.eq(mail.detail.as_deref()),
            outbox::created_at.eq(now),
            outbox::due_at.eq(now),
            outbox::attempts.eq(0),
        ))
        .execute(connection)
        .map(drop)
}

/// The mail that has been due for the longest at `now`.
pub fn next_due(connection: &mut AnyConnection, now: Moment) -> QueryResult<Option<Waiting>> {
    let row: Option<Row> = outbox::table
        .filter(outbox::due_at.le(now))
        .order((outbox::due_at, outbox::id))
        .first(connection)
        .optional()?;
    Ok(row.and_then(
        |(id, kind, user, email, ip, user_agent, detail, created_at, due_at, tried)| {
            let client = Client { ip, user_agent };
            // The schema is never newer than this binary, so the kind is one it knows.
            let mail = Mail { kind: Kind::named(&kind)?, user, email, client, detail };
            Some(Waiting { id, mail, created_at, due_at, attempts: tried })
        },
    ))
}

/// Takes a mail in order to send it, until `until`; `false` where somebody else has taken it, or
/// sent it. A mail is taken as it was seen: the guard lets one of several instances have it.
pub fn lease(
    connection: &mut AnyConnection,
    waiting: &Waiting,
    until: Moment,
) -> QueryResult<bool> {
    diesel::update(outbox::table.find(waiting.id))
        .filter(outbox::due_at.eq(waiting.due_at))
        .set((outbox::due_at.eq(until), outbox::attempts.eq(waiting.attempts + 1)))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Notes whose the address of a mail is.
pub fn set_user(connection: &mut AnyConnection, id: Id, user: Id) -> QueryResult<usize> {
    diesel::update(outbox::table.find(id)).set(outbox::user_id.eq(user)).execute(connection)
}

/// Lets a mail be sent at `due_at`.
pub fn put_off(connection: &mut AnyConnection, id: Id, due_at: Moment) -> QueryResult<usize> {
    diesel::update(outbox::table.find(id)).set(outbox::due_at.eq(due_at)).execute(connection)
}

/// Removes a mail that was sent or is no longer wanted.
pub fn remove(connection: &mut AnyConnection, id: Id) -> QueryResult<usize> {
    diesel::delete(outbox::table.find(id)).execute(connection)
}

/// How many mails are not sent yet.
pub fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
    outbox::table.count().get_result(connection)
}
