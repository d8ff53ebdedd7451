//! Opening a session.

use super::store;
use super::token::{Lifetimes, Session, Transport};
use crate::accounts::user::User;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::db::{AnyConnection, Id, QueryResult};

/// How somebody signs in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// How the session's refresh token is to travel.
    pub transport: Transport,
    /// From where.
    pub client: Client,
    /// Sessions whose cookie came along: it is about to be overwritten, so they end.
    pub replaced: Vec<Id>,
}

/// Opens a session for `user`, within the transaction that let the user in.
pub fn open(
    app: &App,
    connection: &mut AnyConnection,
    user: &User,
    sign_in: &SignIn,
) -> QueryResult<Session> {
    let now = app.now();
    for replaced in &sign_in.replaced {
        if let Some(owner) = store::revoke_cookie_session(connection, *replaced, now)? {
            let event = Event {
                user: owner,
                ..Event::by(user.id, Kind::SessionRevoked, Some(*replaced), &sign_in.client)
            };
            app.record(connection, &event.with_detail("replaced by a new sign-in"))?;
        }
    }
    let client = sign_in.client.clone();
    let lifetimes = Lifetimes::of(&app.settings.tokens);
    let session = Session::start(app.new_id(), user.id, sign_in.transport, client, now, &lifetimes);
    store::insert(connection, &session)?;
    app.record(connection, &Event::by(user.id, Kind::SignedIn, Some(session.id), &sign_in.client))?;
    Ok(session)
}
