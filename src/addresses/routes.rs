//! `/auth/verify-email`, `/auth/resend-verification`, `/auth/change-email`.

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use super::change;
use super::verify::{self, Outcome};
use crate::crypto::password::Password;
use crate::error::{ApiError, Code, FieldError};
use crate::http::bearer::{CurrentUser, current_user};
use crate::http::body::{self, required, required_email};
use crate::http::client::client_of;
use crate::http::confirm::confirm;
use crate::http::{accepted, app_of, blocking, limit};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/auth/verify-email").post(verify_email))
        .service(web::resource("/auth/resend-verification").post(resend_verification))
        .service(web::resource("/auth/change-email").post(change_email));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyEmailBody)]
pub(super) struct VerifyBody {
    /// From the mailed link, behind `#token=`.
    #[schema(value_type = String, required)]
    token: Option<String>,
}

async fn verify_email(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: VerifyBody = body::json(&request, payload).await?;
    let mut errors = Vec::new();
    let token = required(body.token, "token", &mut errors);
    let token = token.ok_or_else(|| ApiError::validation(errors))?;
    let client = client_of(&request, &app.settings.http.trusted_proxies);
    limit::check(&request, app.limits.policies.verify(&client)).await?;
    match blocking::run(move || verify::verify(&app, &token, &client)).await? {
        Outcome::Verified(user) => {
            tracing::info!(%user, "address verified");
            Ok(HttpResponse::NoContent().finish())
        }
        Outcome::Invalid => Err(Code::LinkInvalid.into()),
        Outcome::Taken => Err(Code::EmailTaken.into()),
    }
}

/// For users whose address is not proven yet, so it must not be asked for.
async fn resend_verification(
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let CurrentUser { user, client, .. } = current_user(&request).await?;
    let body::Nothing {} = body::optional_json(&request, payload).await?;
    limit::check(&request, app.limits.policies.mail(&user.email)).await?;
    blocking::run(move || verify::resend(&app, user.id, &client)).await?;
    Ok(accepted())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ChangeEmailBody)]
pub(super) struct ChangeBody {
    #[schema(value_type = String, required, format = Email, example = "ada@example.com")]
    new_email: Option<String>,
    #[schema(value_type = Password, required)]
    password: Option<Password>,
}

async fn change_email(
    request: HttpRequest,
    current: CurrentUser,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: ChangeBody = body::json(&request, payload).await?;
    let CurrentUser { user, session, client } = current;
    let mut errors = Vec::new();
    let new = required_email(body.new_email.as_deref(), "newEmail", &mut errors);
    if new.as_ref().is_some_and(|new| new.typed() == user.email) {
        let message = "This is your address already.";
        errors.push(FieldError::new("newEmail", "UNCHANGED", message));
    }
    let password = required(body.password, "password", &mut errors);
    let (Some(new), Some(password), true) = (new, password, errors.is_empty()) else {
        return Err(ApiError::validation(errors));
    };
    let id = user.id;
    let policies = &app.limits.policies;
    let limits = [policies.confirm(id), policies.mail(new.typed())].concat();
    limit::check(&request, limits).await?;
    confirm(&app, id, &password, move |app, checked| {
        change::ask(app, id, session.id, checked, &new, &client)
    })
    .await?;
    tracing::info!(user = %id, "another address asked for");
    Ok(accepted())
}
