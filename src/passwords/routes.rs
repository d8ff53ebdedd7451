//! `/auth/change-password`.

use std::sync::Arc;

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::change;
use crate::accounts::profile;
use crate::crypto::password::Password;
use crate::error::{ApiError, Code, FieldError};
use crate::http::bearer::CurrentUser;
use crate::http::body::{self, required};
use crate::http::{app_of, blocking};

/// Mounts this route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/auth/change-password").post(change_password));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChangeBody {
    current_password: Option<Password>,
    new_password: Option<Password>,
}

async fn change_password(
    request: HttpRequest,
    current: CurrentUser,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: ChangeBody = body::json(&request, payload).await?;
    let CurrentUser { user, session, client } = current;
    let mut errors = Vec::new();
    let old = required(body.current_password, "currentPassword", &mut errors);
    let new = required(body.new_password, "newPassword", &mut errors);
    if let Some(new) = &new {
        let objection = app.passwords.objection(new, &user.email, user.name.as_deref());
        errors
            .extend(objection.map(|objection| {
                FieldError::new("newPassword", objection.code, objection.message)
            }));
    }
    let (Some(old), Some(new), true) = (old, new, errors.is_empty()) else {
        return Err(ApiError::validation(errors));
    };
    let finding = Arc::clone(&app);
    let stored = blocking::run(move || profile::password_hash(&finding, user.id)).await?;
    let is_right = app.hasher.verify(old, stored.clone()).await?;
    let (Some(stored), true) = (stored, is_right) else {
        return Err(Code::InvalidCredentials.into());
    };
    let hash = app.hasher.hash(new).await?;
    let changed =
        blocking::run(move || change::change(&app, user.id, session.id, &stored, &hash, &client));
    if !changed.await? {
        return Err(Code::InvalidCredentials.into());
    }
    tracing::info!(user = %user.id, "password changed");
    Ok(HttpResponse::NoContent().finish())
}
