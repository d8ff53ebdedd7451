//! Changing a password that is known.

use crate::accounts::store;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::sessions::end;

/// Replaces the password that was checked against `checked`, and ends every other session than
/// `kept`; `false` where the password has changed since.
pub fn change(
    app: &App,
    user: Id,
    kept: Id,
    checked: &PasswordHash,
    hash: &PasswordHash,
    client: &Client,
) -> Result<bool, DbError> {
    app.database.write(|connection| {
        if !store::change_password(connection, user, checked, hash)? {
            return Ok(false);
        }
        app.record(connection, &Event::by(user, Kind::PasswordChanged, Some(kept), client))?;
        end::revoke_all_within(app, connection, user, Some(kept), client)?;
        Ok(true)
    })
}
