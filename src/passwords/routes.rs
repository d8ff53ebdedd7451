//! `/auth/change-password`.

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::change;
use crate::crypto::password::Password;
use crate::error::{ApiError, FieldError};
use crate::http::app_of;
use crate::http::bearer::CurrentUser;
use crate::http::body::{self, required};
use crate::http::confirm::confirm;

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
    let hash = app.hasher.hash(new).await?;
    confirm(&app, user.id, &old, move |app, checked| {
        change::change(app, user.id, session.id, checked, &hash, &client)
    })
    .await?;
    tracing::info!(user = %user.id, "password changed");
    Ok(HttpResponse::NoContent().finish())
}
