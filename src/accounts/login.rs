//! Signing in.

use super::email::EmailAddress;
use super::store;
use super::user::User;
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

/// Signs in the user whose password was checked against `checked`, and stores `hash` for it.
///
/// `None` where the account is disabled, or its password changed since it was checked.
pub fn sign_in(
    app: &App,
    user: Id,
    checked: &PasswordHash,
    hash: &PasswordHash,
    sign_in: &SignIn,
) -> Result<Option<(Session, User)>, DbError> {
    app.database.write(|connection| {
        let Some(user) = store::sign_in(connection, user, checked, hash, app.now())? else {
            return Ok(None);
        };
        let session = open::open(app, connection, &user, sign_in)?;
        Ok(Some((session, user)))
    })
}
