//! Ending sessions.

use super::store;
use super::token::{Presented, Session, Verdict};
use crate::activity;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::db::{AnyConnection, Database, DbError, Id, Moment, QueryResult};

/// Ends `session`, whose refresh token of `generation` came along. One that was replaced long ago
/// is good enough to log out with, but somebody else holds its successor: that is audited.
pub fn log_out(
    app: &App,
    session: &Session,
    user: Id,
    generation: i64,
    client: &Client,
) -> Result<(), DbError> {
    let presented = Presented { generation, retry_key: None, from_browser: true };
    let reused = session.present(&presented, app.now()) == Verdict::Reused;
    let event = |kind| Event::by(user, kind, Some(session.id), client);
    app.database.write(|connection| {
        store::revoke(connection, session.id, app.now())?;
        if reused {
            let detail = format!("generation {generation} of {}, at logout", session.generation);
            app.record(connection, &event(Kind::RefreshTokenReused).with_detail(detail))?;
        }
        app.record(connection, &event(Kind::SignedOut))
    })?;
    if reused {
        app.count(activity::Kind::Reuse);
    }
    Ok(())
}

/// Ends one of the user's own sessions; `false` where there is no such session that is live.
pub fn revoke_own(app: &App, user: Id, session: Id, client: &Client) -> Result<bool, DbError> {
    app.database.write(|connection| {
        let ended = store::revoke_own(connection, session, user, app.now())?;
        if ended {
            app.record(connection, &Event::by(user, Kind::SessionRevoked, Some(session), client))?;
        }
        Ok(ended)
    })
}

/// Ends all of the user's own sessions, except `kept`.
pub fn revoke_all_own(
    app: &App,
    user: Id,
    kept: Option<Id>,
    client: &Client,
) -> Result<(), DbError> {
    app.database.write(|connection| revoke_all_within(app, connection, user, kept, client))
}

/// Ends all of the user's own sessions, except `kept`, within a transaction.
pub fn revoke_all_within(
    app: &App,
    connection: &mut AnyConnection,
    user: Id,
    kept: Option<Id>,
    client: &Client,
) -> QueryResult<()> {
    let event = Event::by(user, Kind::SessionsRevoked, kept, client);
    revoke_all_as(app, connection, user, kept, event)
}

/// Ends all sessions of `user`, except `kept`, within a transaction, and records that there were any
/// as `event`.
pub fn revoke_all_as(
    app: &App,
    connection: &mut AnyConnection,
    user: Id,
    kept: Option<Id>,
    event: Event,
) -> QueryResult<()> {
    let ended = store::revoke_all_of_user(connection, user, kept, app.now())?;
    if ended == 0 {
        return Ok(());
    }
    app.record(connection, &event.with_detail(format!("{ended} sessions")))
}

/// Forgets where the sessions of a user came from, for an account that is about to be deleted.
pub fn forget_clients(connection: &mut AnyConnection, user: Id) -> QueryResult<()> {
    store::forget_clients(connection, user).map(drop)
}

/// Ends every session of a user for an operator, within a transaction; returns how many.
pub fn revoke_all_by_operator(
    connection: &mut AnyConnection,
    user: Id,
    now: Moment,
) -> QueryResult<usize> {
    store::revoke_all_of_user(connection, user, None, now)
}

/// Sessions ended in one transaction, so that nobody waits long for their rows.
const BATCH: i64 = 1000;

/// Ends every session there is; returns how many.
pub fn revoke_everybody(database: &Database, now: Moment) -> Result<usize, DbError> {
    let (mut ended, mut after) = (0, None);
    loop {
        let batch =
            database.write(|connection| store::revoke_batch(connection, after, BATCH, now))?;
        let Some(last) = batch.last() else {
            return Ok(ended);
        };
        ended += batch.len();
        after = Some(*last);
    }
}
