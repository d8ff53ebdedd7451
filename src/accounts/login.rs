//! Signing in.

use super::email::EmailAddress;
use super::store;
use super::user::User;
use crate::activity;
use crate::app::App;
use crate::crypto::password::PasswordHash;
use crate::db::{DbError, Id};
use crate::sessions::open::{self, SignIn};
use crate::sessions::token::Session;

/// Whose address this is, and the hash to check the password by. What is no address is nobody's.
pub fn find(app: &App, email: &str) -> Result<Option<(User, PasswordHash)>, DbError> {
    match EmailAddress::parse(email) {
        Some(email) => app.database.read(|connection| store::by_email(connection, &email)),
        None => Ok(None),
    }
}

/// What became of a sign-in.
#[derive(Debug)]
pub enum Outcome {
    /// The user is in.
    SignedIn(Box<(Session, User)>),
    /// The account is disabled or gone.
    Refused,
    /// The hash was replaced after the password had been checked against it: by a password change,
    /// or by another sign-in that found an imported hash. The password is to be checked again.
    HashReplaced,
}

/// Signs in the user whose password was checked against `checked`, and stores `hash` for it.
pub fn sign_in(
    app: &App,
    user: Id,
    checked: &PasswordHash,
    hash: &PasswordHash,
    sign_in: &SignIn,
) -> Result<Outcome, DbError> {
    let outcome = app.database.write(|connection| {
        let Some(user) = store::sign_in(connection, user, checked, hash, app.now())? else {
            let found = store::by_id(connection, user)?;
            let replaced = found.is_some_and(|(user, now)| user.is_active() && now != *checked);
            return Ok(if replaced { Outcome::HashReplaced } else { Outcome::Refused });
        };
        let session = open::open(app, connection, &user, sign_in)?;
        Ok(Outcome::SignedIn(Box::new((session, user))))
    })?;
    if matches!(outcome, Outcome::SignedIn(_)) {
        app.count(activity::Kind::SignIn);
    }
    Ok(outcome)
}
