//! Users, as administrators see and change them.

use super::store::Filter;
use super::{Actor, store};
use crate::accounts::last_admin::{self, Held};
use crate::accounts::store as users;
use crate::accounts::user::{Role, User};
use crate::app::App;
use crate::audit::Kind;
use crate::db::{AnyConnection, DbError, Id, QueryResult};
use crate::one_time::store as tokens;
use crate::page::{Page, Window};
use crate::sessions::token::Session;
use crate::sessions::{end, lookup};

/// What is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The role from now on, if that is to change.
    pub role: Option<Role>,
    /// Whether the account is disabled from now on, if that is to change.
    pub disabled: Option<bool>,
}

/// What came of an act of an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It is done.
    Done(T),
    /// There is no such user.
    NotFound,
    /// It would leave nobody who can administer.
    LastAdmin,
    /// The one who asked for it is no administrator any more.
    Forbidden,
}

/// A page of the users that `filter` lets through.
pub fn list(app: &App, filter: &Filter, window: Window) -> Result<Page<User>, DbError> {
    let rows = app
        .database
        .read(|connection| store::users(connection, filter, window.cursor, window.to_read()))?;
    Ok(window.page(rows, |user| user.id))
}

/// The user of an id.
pub fn find(app: &App, id: Id) -> Result<Option<User>, DbError> {
    let found = app.database.read(|connection| users::by_id(connection, id))?;
    Ok(found.map(|(user, _)| user))
}

/// The sessions of a user that can still be refreshed, the newest first; `None` where there is no such
/// user.
pub fn sessions(app: &App, id: Id) -> Result<Option<Vec<Session>>, DbError> {
    let user = find(app, id)?;
    user.map(|user| lookup::live_of_user(app, user.id)).transpose()
}

/// Changes a user and returns how he or she is then. What is so already is neither done nor recorded.
pub fn change(app: &App, by: &Actor, id: Id, change: Change) -> Result<Outcome<User>, DbError> {
    app.database.write(|connection| {
        let Some(Held { mut user, is_last_admin }) = last_admin::hold(connection, id)? else {
            return Ok(Outcome::NotFound);
        };
        let role = change.role.filter(|role| *role != user.role);
        let disabled = change.disabled.filter(|disabled| *disabled == user.is_active());
        if is_last_admin && (role.is_some() || disabled.is_some()) {
            return Ok(Outcome::LastAdmin);
        }
        if !by.is_admin(app, connection)? {
            return Ok(Outcome::Forbidden);
        }
        if let Some(role) = role {
            set_role(app, connection, by, &user, role)?;
            user.role = role;
        }
        if let Some(disabled) = disabled {
            user.disabled_at = disabled.then(|| app.now());
            set_disabled(app, connection, by, &user)?;
        }
        Ok(Outcome::Done(user))
    })
}

fn set_role(
    app: &App,
    connection: &mut AnyConnection,
    by: &Actor,
    user: &User,
    role: Role,
) -> QueryResult<()> {
    users::set_role(connection, user.id, role)?;
    let change = format!("{} to {}", user.role.name(), role.name());
    app.record(connection, &by.event(Kind::RoleChanged, user.id).with_detail(change))
}

/// Disables or enables, as `user` is to be. Nothing that disabling has ended is revived by enabling.
fn set_disabled(
    app: &App,
    connection: &mut AnyConnection,
    by: &Actor,
    user: &User,
) -> QueryResult<()> {
    users::set_disabled(connection, user.id, user.disabled_at)?;
    if user.is_active() {
        return app.record(connection, &by.event(Kind::UserEnabled, user.id));
    }
    app.record(connection, &by.event(Kind::UserDisabled, user.id))?;
    tokens::revoke_all(connection, user.id)?;
    let event = by.event(Kind::SessionsRevoked, user.id);
    end::revoke_all_as(app, connection, user.id, None, event)
}

/// Deletes an account and ends its sessions, whose rows stay until their end without anything
/// personal.
pub fn delete(app: &App, by: &Actor, id: Id) -> Result<Outcome<()>, DbError> {
    app.database.write(|connection| {
        let Some(held) = last_admin::hold(connection, id)? else {
            return Ok(Outcome::NotFound);
        };
        if held.is_last_admin {
            return Ok(Outcome::LastAdmin);
        }
        if !by.is_admin(app, connection)? {
            return Ok(Outcome::Forbidden);
        }
        end::revoke_all_as(app, connection, id, None, by.event(Kind::SessionsRevoked, id))?;
        end::forget_clients(connection, id)?;
        users::delete(connection, id)?;
        app.record(connection, &by.event(Kind::UserDeleted, id))?;
        Ok(Outcome::Done(()))
    })
}

/// Ends every session of a user.
pub fn end_sessions(app: &App, by: &Actor, id: Id) -> Result<Outcome<()>, DbError> {
    app.database.write(|connection| {
        if last_admin::hold(connection, id)?.is_none() {
            return Ok(Outcome::NotFound);
        }
        if !by.is_admin(app, connection)? {
            return Ok(Outcome::Forbidden);
        }
        end::revoke_all_as(app, connection, id, None, by.event(Kind::SessionsRevoked, id))?;
        Ok(Outcome::Done(()))
    })
}
