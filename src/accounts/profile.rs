//! What users do with their own account.

use super::user::User;
use super::{last_admin, store};
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::sessions::{end, lookup};

/// The longest name, in characters.
pub const MAX_NAME: usize = 100;

/// A name as it is kept: without white space around it, `None` where nothing is left.
pub fn clean_name(name: &str) -> Option<String> {
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// What is wrong with a name: a stable name of the problem and a sentence.
pub fn name_objection(name: &str) -> Option<(&'static str, &'static str)> {
    if name.chars().count() > MAX_NAME {
        return Some(("TOO_LONG", "The name may have at most 100 characters."));
    }
    name.chars()
        .any(char::is_control)
        .then_some(("CONTROL_CHARACTER", "The name must not contain control characters."))
}

/// Sets or removes the name; `None` where the account is gone.
pub fn rename(
    app: &App,
    user: Id,
    name: Option<&str>,
    client: &Client,
) -> Result<Option<User>, DbError> {
    app.database.write(|connection| {
        let renamed = store::rename(connection, user, name)?;
        if renamed.is_some() {
            app.record(connection, &Event::by(user, Kind::ProfileChanged, None, client))?;
        }
        Ok(renamed)
    })
}

/// The hash to check the user's password by; `None` where the account is gone.
pub fn password_hash(app: &App, user: Id) -> Result<Option<PasswordHash>, DbError> {
    let found = app.database.read(|connection| store::by_id(connection, user))?;
    Ok(found.map(|(_, hash)| hash))
}

/// What came of something that its user confirmed by password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// It is done.
    Done,
    /// The hash was replaced after the password had been checked against it.
    HashReplaced,
    /// The session that it was asked from was ended meanwhile.
    SessionEnded,
    /// It would leave nobody who can administer.
    LastAdmin,
}

/// Deletes the account whose password was checked against `checked`, and ends its sessions. Their
/// rows stay until their end, without anything personal, so that their tokens get a true answer.
pub fn delete(
    app: &App,
    user: Id,
    session: Id,
    checked: &PasswordHash,
    client: &Client,
) -> Result<Confirmed, DbError> {
    app.database.write(|connection| {
        let held = last_admin::hold(connection, user)?;
        if !lookup::is_live(connection, session, app.now())? {
            return Ok(Confirmed::SessionEnded);
        }
        if held.is_some_and(|held| held.is_last_admin) {
            return Ok(Confirmed::LastAdmin);
        }
        // Writing the same hash holds the row and tells whether the checked password still stands.
        if store::change_password(connection, user, checked, checked)?.is_none() {
            return Ok(Confirmed::HashReplaced);
        }
        end::revoke_all_within(app, connection, user, None, client)?;
        end::forget_clients(connection, user)?;
        store::delete(connection, user)?;
        app.record(connection, &Event::by(user, Kind::UserDeleted, None, client))?;
        Ok(Confirmed::Done)
    })
}
