//! Changing a password that is known.

use crate::accounts::profile::Confirmed;
use crate::accounts::store;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::sessions::{end, lookup};

/// Replaces the password that was checked against `checked`, and ends every other session than
/// `kept`, from which it was asked for.
pub fn change(
    app: &App,
    user: Id,
    kept: Id,
    checked: &PasswordHash,
    hash: &PasswordHash,
    client: &Client,
) -> Result<Confirmed, DbError> {
    app.database.write(|connection| {
        if !lookup::is_live(connection, kept, app.now())? {
            return Ok(Confirmed::SessionEnded);
        }
        if !store::change_password(connection, user, checked, hash)? {
            return Ok(Confirmed::HashReplaced);
        }
        app.record(connection, &Event::by(user, Kind::PasswordChanged, Some(kept), client))?;
        end::revoke_all_within(app, connection, user, Some(kept), client)?;
        Ok(Confirmed::Done)
    })
}
