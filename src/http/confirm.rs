//! What users confirm by their password.

use std::sync::Arc;

use super::blocking;
use crate::accounts::profile::{self, Confirmed};
use crate::app::App;
use crate::crypto::password::{Password, PasswordHash};
use crate::db::{DbError, Id};
use crate::error::{ApiError, Code};

/// Checks `password` and does what it confirms, handing `act` the hash it was checked against. Once
/// more if that was replaced meanwhile: a sign-in replaces hashes of another scheme or cost.
pub async fn confirm(
    app: &Arc<App>,
    user: Id,
    password: &Password,
    act: impl Fn(&App, &PasswordHash) -> Result<Confirmed, DbError> + Clone + Send + 'static,
) -> Result<(), ApiError> {
    for _ in 0..2 {
        let finding = Arc::clone(app);
        let stored = blocking::run(move || profile::password_hash(&finding, user)).await?;
        let is_right = app.hasher.verify(password.clone(), stored.clone()).await?;
        let (Some(stored), true) = (stored, is_right) else {
            return Err(Code::InvalidCredentials.into());
        };
        let (acting, act) = (Arc::clone(app), act.clone());
        match blocking::run(move || act(&acting, &stored)).await? {
            Confirmed::Done => return Ok(()),
            Confirmed::HashReplaced => {}
            Confirmed::SessionEnded => return Err(ApiError::access_token(Code::SessionRevoked)),
            Confirmed::LastAdmin => return Err(Code::LastAdmin.into()),
        }
    }
    Err(Code::InvalidCredentials.into())
}
