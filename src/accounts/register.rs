//! Making an account.

use super::email::EmailAddress;
use super::store;
use super::user::{Role, User};
use crate::activity;
use crate::app::App;
use crate::audit::{Event, Kind};
use crate::client::Client;
use crate::crypto::password::PasswordHash;
use crate::db::DbError;
use crate::mail::{self, Mail};
use crate::sessions::open::{self, SignIn};
use crate::sessions::token::Session;

/// An account that is to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its address.
    pub email: EmailAddress,
    /// Its owner's name, if given.
    pub name: Option<String>,
    /// The hash of its password.
    pub hash: PasswordHash,
}

/// Makes an account and signs its owner in; `None` where the address is taken.
pub fn register(
    app: &App,
    account: &NewAccount,
    sign_in: &SignIn,
) -> Result<Option<(Session, User)>, DbError> {
    let registered = app.database.write(|connection| {
        let now = app.now();
        let user = User {
            id: app.new_id(),
            email: account.email.typed().to_owned(),
            name: account.name.clone(),
            role: Role::User,
            email_verified_at: None,
            disabled_at: None,
            last_login_at: Some(now),
            created_at: now,
        };
        store::insert(connection, &user, &account.email, &account.hash)?;
        app.post(connection, &Mail::to(&user, mail::Kind::VerifyEmail, &sign_in.client))?;
        app.record(connection, &Event::by(user.id, Kind::Registered, None, &sign_in.client))?;
        let session = open::open(app, connection, &user, sign_in)?;
        Ok((session, user))
    });
    match registered {
        Err(error) if error.is_unique_violation() => {
            // The answer is the same whether or not there is a mail.
            if let Err(error) = tell_owner(app, &account.email, &sign_in.client) {
                tracing::warn!(%error, "the owner of a taken address was not told");
            }
            Ok(None)
        }
        registered => {
            let registered = registered?;
            app.count(activity::Kind::SignIn);
            Ok(Some(registered))
        }
    }
}

/// Tells whoever has the address that somebody tried to register with it, though not for ever.
fn tell_owner(app: &App, email: &EmailAddress, client: &Client) -> Result<(), DbError> {
    if !app.limits.lets_through(&app.limits.policies.mail(email.typed()), app.now()) {
        return Ok(());
    }
    app.database.write(|connection| {
        let Some((found, _)) = store::by_email(connection, email)? else { return Ok(()) };
        match store::hold(connection, found.id)?.filter(User::is_active) {
            Some(owner) => {
                app.post(connection, &Mail::to(&owner, mail::Kind::AlreadyRegistered, client))
            }
            None => Ok(()),
        }
    })
}
