//! Proving an address.

use crate::accounts::email::EmailAddress;
use crate::accounts::store as users;
use crate::accounts::user::User;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::db::{AnyConnection, DbError, Id, Moment, QueryResult};
use crate::mail::{self, Mail};
use crate::one_time::Purpose;
use crate::one_time::store::{self as tokens, Redeemed};

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
        let Some((_, Redeemed { user, email })) = redeem(connection, id, purpose, now)? else {
            return Ok(Outcome::Invalid);
        };
        let Some(email) = EmailAddress::parse(&email) else { return Ok(Outcome::Invalid) };
        let (is_done, kind) = if purpose == Purpose::ChangeEmail {
            // Links that went to the old address prove nothing any more.
            tokens::revoke(connection, user, &[Purpose::VerifyEmail, Purpose::ResetPassword])?;
            (users::set_email(connection, user, &email, now)?, Kind::EmailChanged)
        } else {
            (users::set_verified(connection, user, &email, now)?, Kind::EmailVerified)
        };
        if !is_done {
            return Ok(Outcome::Invalid);
        }
        app.record(connection, &Event::by(user, kind, None, client))?;
        Ok(Outcome::Verified(user))
    });
    match verified {
        Err(error) if error.is_unique_violation() => Ok(Outcome::Taken),
        verified => verified,
    }
}

/// Uses a token up and holds the row of its user, who is active. `None` where the token is not good.
///
/// The row is held first, as everywhere: whoever issues tokens holds it before touching them, and
/// two that take locks in different orders wait for each other.
pub fn redeem(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    now: Moment,
) -> QueryResult<Option<(User, Redeemed)>> {
    let Some(found) = tokens::find(connection, id, purpose, now)? else { return Ok(None) };
    let held = users::hold(connection, found.user)?.filter(User::is_active);
    let Some(user) = held else { return Ok(None) };
    let redeemed = tokens::redeem(connection, id, purpose, now)?;
    Ok(redeemed.map(|redeemed| (user, redeemed)))
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
