//! `/auth/change-password`, `/auth/forgot-password`, `/auth/reset-password`.

use std::sync::Arc;

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{change, reset};
use crate::accounts::user::User;
use crate::app::App;
use crate::crypto::password::Password;
use crate::error::{ApiError, Code, FieldError};
use crate::http::bearer::CurrentUser;
use crate::http::body::{self, required, required_email};
use crate::http::client::client_of;
use crate::http::confirm::confirm;
use crate::http::{accepted, app_of, blocking, limit};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/auth/change-password").post(change_password))
        .service(web::resource("/auth/forgot-password").post(forgot_password))
        .service(web::resource("/auth/reset-password").post(reset_password));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ChangePasswordBody)]
pub(super) struct ChangeBody {
    #[schema(value_type = Password, required)]
    current_password: Option<Password>,
    #[schema(value_type = String, required, format = Password, min_length = 8, max_length = 256, example = "correct horse battery")]
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
    errors.extend(new.as_ref().and_then(|new| objection(&app, new, &user)));
    let (Some(old), Some(new), true) = (old, new, errors.is_empty()) else {
        return Err(ApiError::validation(errors));
    };
    limit::check(&request, app.limits.policies.confirm(user.id)).await?;
    let hash = app.hasher.hash(new).await?;
    let id = user.id;
    confirm(&app, id, &old, move |app, checked| {
        change::change(app, id, session.id, checked, &hash, &client)
    })
    .await?;
    tracing::info!(user = %id, "password changed");
    Ok(HttpResponse::NoContent().finish())
}

/// What is wrong with the new password of `user`, if anything is.
fn objection(app: &App, new: &Password, user: &User) -> Option<FieldError> {
    let objection = app.passwords.objection(new, &user.email, user.name.as_deref())?;
    Some(FieldError::new("newPassword", objection.code, objection.message))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgotPasswordBody)]
pub(super) struct ForgotBody {
    #[schema(value_type = String, required, format = Email, example = "ada@example.com")]
    email: Option<String>,
}

async fn forgot_password(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: ForgotBody = body::json(&request, payload).await?;
    let mut errors = Vec::new();
    let email = required_email(body.email.as_deref(), "email", &mut errors);
    let email = email.ok_or_else(|| ApiError::validation(errors))?;
    let client = client_of(&request, &app.settings.http.trusted_proxies);
    limit::check(&request, app.limits.policies.forgot(&client, email.typed())).await?;
    blocking::run(move || reset::ask(&app, &email, &client)).await?;
    tracing::info!("password reset asked for");
    Ok(accepted())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ResetPasswordBody)]
pub(super) struct ResetBody {
    /// From the mailed link, behind `#token=`.
    #[schema(value_type = String, required)]
    token: Option<String>,
    #[schema(value_type = String, required, format = Password, min_length = 8, max_length = 256, example = "correct horse battery")]
    new_password: Option<Password>,
}

async fn reset_password(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: ResetBody = body::json(&request, payload).await?;
    let mut errors = Vec::new();
    let token = required(body.token, "token", &mut errors);
    let new = required(body.new_password, "newPassword", &mut errors);
    let (Some(token), Some(new)) = (token, new) else {
        return Err(ApiError::validation(errors));
    };
    let client = client_of(&request, &app.settings.http.trusted_proxies);
    limit::check(&request, app.limits.policies.reset(&client)).await?;
    // Judged before anything is hashed: no work for guesses.
    let finding = Arc::clone(&app);
    let found = blocking::run(move || reset::find(&finding, &token)).await?;
    let (id, user) = found.ok_or(Code::LinkInvalid)?;
    if let Some(objection) = objection(&app, &new, &user) {
        return Err(ApiError::validation(vec![objection]));
    }
    let hash = app.hasher.hash(new).await?;
    let resetting = Arc::clone(&app);
    if !blocking::run(move || reset::reset(&resetting, id, &hash, &client)).await? {
        return Err(Code::LinkInvalid.into());
    }
    limit::succeeded(&app, &user.email).await;
    tracing::info!(user = %user.id, "password reset");
    Ok(HttpResponse::NoContent().finish())
}
