//! The `outbox` table: a row until its mail is sent, or no longer wanted.

use diesel::prelude::*;

use super::{Kind, Mail};
use crate::accounts::user::User;
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

/// The mail that has been due for the longest at `now`. One of a kind that this release does not know
/// was put here by a newer one, and is left to that.
pub fn next_due(connection: &mut AnyConnection, now: Moment) -> QueryResult<Option<Waiting>> {
    let row: Option<Row> = outbox::table
        .filter(outbox::due_at.le(now))
        .filter(outbox::kind.eq_any(Kind::ALL.map(Kind::name)))
        .order((outbox::due_at, outbox::id))
        .first(connection)
        .optional()?;
    Ok(row.and_then(
        |(id, kind, user, email, ip, user_agent, detail, created_at, due_at, attempts)| {
            let client = Client { ip, user_agent };
            let mail = Mail { kind: Kind::named(&kind)?, user, email, client, detail };
            Some(Waiting { id, mail, created_at, due_at, attempts })
        },
    ))
}

/// Takes a mail in order to send it, until `until`, and notes so in `waiting`; `false` where somebody
/// else has taken it, or sent it. The guard lets one of several instances have it: it is taken as it
/// was seen.
pub fn lease(
    connection: &mut AnyConnection,
    waiting: &mut Waiting,
    until: Moment,
) -> QueryResult<bool> {
    let taken = diesel::update(as_seen(waiting))
        .set((outbox::due_at.eq(until), outbox::attempts.eq(waiting.attempts + 1)))
        .execute(connection)?;
    waiting.due_at = until;
    waiting.attempts += 1;
    Ok(taken == 1)
}

/// Notes whose the address of a mail is: it goes to the one that is stored.
pub fn set_recipient(connection: &mut AnyConnection, id: Id, user: &User) -> QueryResult<usize> {
    diesel::update(outbox::table.find(id))
        .set((outbox::user_id.eq(user.id), outbox::email.eq(&user.email)))
        .execute(connection)
}

/// Lets a mail that was taken be sent at `due_at`, unless somebody else has taken it since.
pub fn set_due(
    connection: &mut AnyConnection,
    waiting: &Waiting,
    due_at: Moment,
) -> QueryResult<usize> {
    diesel::update(as_seen(waiting)).set(outbox::due_at.eq(due_at)).execute(connection)
}

/// Removes a mail that was taken and then sent, or is no longer wanted, unless somebody else has
/// taken it since.
pub fn remove(connection: &mut AnyConnection, waiting: &Waiting) -> QueryResult<usize> {
    diesel::delete(as_seen(waiting)).execute(connection)
}

/// The row of a mail, as long as nobody has taken it since it was seen or taken.
#[diesel::dsl::auto_type(no_type_alias)]
fn as_seen(waiting: &Waiting) -> _ {
    let id: Id = waiting.id;
    let due_at: Moment = waiting.due_at;
    outbox::table.filter(outbox::id.eq(id)).filter(outbox::due_at.eq(due_at))
}

/// How many mails are not sent yet.
pub fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
    outbox::table.count().get_result(connection)
}

/// Since when the oldest of these is here.
pub fn oldest(connection: &mut AnyConnection) -> QueryResult<Option<Moment>> {
    // Ids grow with time, and have an index.
    outbox::table.order(outbox::id).select(outbox::created_at).first(connection).optional()
}
