//! Changing a password that is known.

use crate::accounts::profile::Confirmed;
use crate::accounts::store;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::mail::{self, Mail};
use crate::one_time::Purpose;
use crate::one_time::store as tokens;
use crate::sessions::{end, lookup};

/// Replaces the password that was checked against `checked`, and ends every other session than
/// `kept`, from which it was asked for, and every link that was mailed to change something.
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
        let Some(user) = store::change_password(connection, user, checked, hash)? else {
            return Ok(Confirmed::HashReplaced);
        };
        tokens::revoke(connection, user.id, &[Purpose::ResetPassword, Purpose::ChangeEmail])?;
        app.record(connection, &Event::by(user.id, Kind::PasswordChanged, Some(kept), client))?;
        end::revoke_all_within(app, connection, user.id, Some(kept), client)?;
        app.post(connection, &Mail::to(&user, mail::Kind::PasswordChanged, client))?;
        Ok(Confirmed::Done)
    })
}
