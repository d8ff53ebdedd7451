//! What administrators see and do.

pub mod events;
pub mod operations;
pub mod routes;
pub mod search;
pub mod stats;
pub mod store;
pub mod users;

use crate::accounts::user::{Role, User};
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::db::{AnyConnection, Id, QueryResult};
use crate::sessions::lookup;

/// An administrator at work.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who it is.
    pub user: Id,
    /// In which session.
    pub session: Id,
    /// From where.
    pub client: Client,
}

impl Actor {
    /// What this administrator does to a user.
    fn event(&self, kind: Kind, to: Id) -> Event {
        Event::by(self.user, kind, Some(self.session), &self.client).to(to)
    }

    /// Whether this still is an administrator, within a transaction: what was asked for before a
    /// demotion is not done after it.
    fn is_admin(&self, app: &App, connection: &mut AnyConnection) -> QueryResult<bool> {
        let user = lookup::user_of_live(connection, self.session, app.now())?;
        Ok(user.is_some_and(|user: User| user.is_active() && user.role == Role::Admin))
    }
}
