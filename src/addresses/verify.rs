//! Proving an address.

use crate::accounts::email::EmailAddress;
use crate::accounts::store as users;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::db::{DbError, Id};
use crate::mail::{self, Mail};
use crate::one_time::store as tokens;
use crate::one_time::{Purpose, redeem};

/// What came of a link that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The address is proven, and this user's.
    Verified(Id),
    /// The token is not good.
    Invalid,
    /// Somebody else has registered the address meanwhile.
    Taken,
}

/// Redeems a token that proves an address: the user's own, or the one that is to replace it.
pub fn verify(app: &App, token: &str, client: &Client) -> Result<Outcome, DbError> {
    let purposes = [Purpose::VerifyEmail, Purpose::ChangeEmail];
    let Some((id, purpose)) = app.one_time.check(token, &purposes) else {
        return Ok(Outcome::Invalid);
    };
    let verified = app.database.write(|connection| {
        let now = app.now();
        let Some((user, email)) = redeem(connection, id, purpose, now)? else {
            return Ok(Outcome::Invalid);
        };
        let Some(email) = EmailAddress::parse(&email) else { return Ok(Outcome::Invalid) };
        let event = |kind| Event::by(user.id, kind, None, client);
        let (is_done, event) = if purpose == Purpose::ChangeEmail {
            // Links that went to the old address prove nothing any more.
            tokens::revoke(connection, user.id, &[Purpose::VerifyEmail, Purpose::ResetPassword])?;
            let replaced = format!("in the place of {}", user.email);
            let is_done = users::set_email(connection, user.id, &email, now)?;
            (is_done, event(Kind::EmailChanged).with_detail(replaced))
        } else {
            let is_done = users::set_verified(connection, user.id, &email, now)?;
            (is_done, event(Kind::EmailVerified))
        };
        if !is_done {
            return Ok(Outcome::Invalid);
        }
        app.record(connection, &event)?;
        Ok(Outcome::Verified(user.id))
    });
    match verified {
        Err(error) if error.is_unique_violation() => Ok(Outcome::Taken),
        verified => verified,
    }
}

/// Mails the user a new link, in the place of the one before, unless the address is proven.
pub fn resend(app: &App, user: Id, client: &Client) -> Result<(), DbError> {
    app.database.write(|connection| {
        let held = users::hold(connection, user)?.filter(|user| user.email_verified_at.is_none());
        match held {
            Some(user) => app.post(connection, &Mail::to(&user, mail::Kind::VerifyEmail, client)),
            None => Ok(()),
        }
    })
}
