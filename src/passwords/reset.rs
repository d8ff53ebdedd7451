//! Setting a password that is forgotten, by a mailed link.

use crate::accounts::email::EmailAddress;
use crate::accounts::store as users;
use crate::accounts::user::User;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::mail::{self, Mail};
use crate::one_time::store as tokens;
use crate::one_time::{Purpose, redeem};
use crate::sessions::end;

/// Asks for a link to be mailed to `email`.
///
/// This writes one row, whoever has that address, so that the answer and its time tell nobody. Who
/// has it is found out by the worker that sends the mail, or does not.
pub fn ask(app: &App, email: &EmailAddress, client: &Client) -> Result<(), DbError> {
    let mail = Mail {
        kind: mail::Kind::ResetPassword,
        user: None,
        email: email.typed().to_owned(),
        client: client.clone(),
        detail: None,
    };
    app.database.write(|connection| app.post(connection, &mail))
}

/// The id of a reset token and its user, without using it up; `None` where it is not good.
pub fn find(app: &App, token: &str) -> Result<Option<(Id, User)>, DbError> {
    let Some((id, purpose)) = app.one_time.check(token, &[Purpose::ResetPassword]) else {
        return Ok(None);
    };
    app.database.read(|connection| {
        let Some(found) = tokens::find(connection, id, purpose, app.now())? else {
            return Ok(None);
        };
        let user = users::by_id(connection, found.user)?;
        Ok(user.map(|(user, _)| (id, user)).filter(|(_, user)| user.is_active()))
    })
}

/// Redeems the reset token `id`: sets the password, ends every session and every other link that was
/// mailed to change something. `false` where it is not good any more.
pub fn reset(app: &App, id: Id, hash: &PasswordHash, client: &Client) -> Result<bool, DbError> {
    app.database.write(|connection| {
        let now = app.now();
        let redeemed = redeem(connection, id, Purpose::ResetPassword, now)?;
        let Some((user, email)) = redeemed else { return Ok(false) };
        users::set_password(connection, user.id, hash)?;
        tokens::revoke(connection, user.id, &[Purpose::ResetPassword, Purpose::ChangeEmail])?;
        // Whoever has the link reads what is sent to the address.
        if let (None, Some(email)) = (user.email_verified_at, EmailAddress::parse(&email))
            && users::set_verified(connection, user.id, &email, now)?
        {
            app.record(connection, &Event::by(user.id, Kind::EmailVerified, None, client))?;
        }
        app.record(connection, &Event::by(user.id, Kind::PasswordReset, None, client))?;
        end::revoke_all_within(app, connection, user.id, None, client)?;
        app.post(connection, &Mail::to(&user, mail::Kind::PasswordChanged, client))?;
        Ok(true)
    })
}
