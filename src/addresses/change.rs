//! Replacing an address: asked for with the password, done once the new address is proven.

use crate::accounts::email::EmailAddress;
use crate::accounts::profile::Confirmed;
use crate::accounts::store;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::mail::{self, Mail};
use crate::sessions::lookup;

/// Mails a link to `new`, and word of it to the address that the user, whose password was checked
/// against `checked`, has now. Whether `new` is somebody else's is not told here.
pub fn ask(
    app: &App,
    user: Id,
    session: Id,
    checked: &PasswordHash,
    new: &EmailAddress,
    client: &Client,
) -> Result<Confirmed, DbError> {
    app.database.write(|connection| {
        if !lookup::is_live(connection, session, app.now())? {
            return Ok(Confirmed::SessionEnded);
        }
        // Writing the same hash holds the row and tells whether the checked password still stands.
        let Some(user) = store::change_password(connection, user, checked, checked)? else {
            return Ok(Confirmed::HashReplaced);
        };
        let new = new.typed().to_owned();
        let link = Mail { email: new.clone(), ..Mail::to(&user, mail::Kind::ChangeEmail, client) };
        let word = Mail::to(&user, mail::Kind::EmailChangeAsked, client);
        app.post(connection, &link)?;
        app.post(connection, &Mail { detail: Some(new), ..word })?;
        let event = Event::by(user.id, Kind::EmailChangeAsked, Some(session), client);
        app.record(connection, &event)?;
        Ok(Confirmed::Done)
    })
}
