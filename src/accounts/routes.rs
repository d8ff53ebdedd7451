//! `/auth/register`, `/auth/login`, `/auth/me`.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use super::login::{self, Outcome};
use super::profile;
use super::register::{self, NewAccount};
use super::user::UserView;
use crate::app::App;
use crate::crypto::password::Password;
use crate::error::{ApiError, Code, FieldError};
use crate::http::bearer::CurrentUser;
use crate::http::body::{self, required, required_email};
use crate::http::client::client_of;
use crate::http::confirm::confirm;
use crate::http::{app_of, blocking, limit, same_site, tokens};
use crate::sessions::open::SignIn;
use crate::sessions::token::Transport;

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/auth/register").post(register))
        .service(web::resource("/auth/login").post(login))
        .service(web::resource("/auth/me").get(me).patch(rename).delete(delete));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RegisterBody {
    #[schema(value_type = String, required, format = Email, example = "ada@example.com")]
    email: Option<String>,
    /// Not one of the common ones, and not the person's own address or name. The service may ask for
    /// more characters.
    #[schema(value_type = String, required, format = Password, min_length = 8, max_length = 256, example = "correct horse battery")]
    password: Option<Password>,
    /// Up to 100 characters, without control characters; white space around it is cut off.
    #[schema(
        pattern = "^\\s*[^\\u0000-\\u001F\\u007F-\\u009F]{0,100}\\s*$",
        example = "Ada Lovelace"
    )]
    name: Option<String>,
    refresh_transport: Option<Transport>,
}

async fn register(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: RegisterBody = body::json(&request, payload).await?;
    same_site::check(&request, &app.settings.http.allowed_origins)?;
    if !app.settings.passwords.registration_open {
        return Err(Code::RegistrationClosed.into());
    }
    let name = body.name.as_deref().and_then(profile::clean_name);
    let mut errors = Vec::new();
    let email = required_email(body.email.as_deref(), "email", &mut errors);
    let password = required(body.password, "password", &mut errors);
    if let Some((code, message)) = name.as_deref().and_then(profile::name_objection) {
        errors.push(FieldError::new("name", code, message));
    }
    if let Some(password) = &password {
        let address = body.email.as_deref().unwrap_or_default();
        if let Some(objection) = app.passwords.objection(password, address, name.as_deref()) {
            errors.push(FieldError::new("password", objection.code, objection.message));
        }
    }
    let (Some(email), Some(password), true) = (email, password, errors.is_empty()) else {
        return Err(ApiError::validation(errors));
    };
    let transport = body.refresh_transport.unwrap_or_default();
    let sign_in = sign_in_of(&request, transport)?;
    limit::check(&request, app.limits.policies.register(&sign_in.client)).await?;
    let hash = app.hasher.hash(password).await?;
    let account = NewAccount { email, name, hash };
    let registering = Arc::clone(&app);
    let registered =
        blocking::run(move || register::register(&registering, &account, &sign_in)).await?;
    let (session, user) = registered.ok_or(Code::EmailTaken)?;
    tracing::info!(user = %user.id, session = %session.id, "registered");
    tokens::answer(&app, StatusCode::CREATED, &session, user)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LoginBody {
    #[schema(value_type = String, required, format = Email, example = "ada@example.com")]
    email: Option<String>,
    #[schema(value_type = Password, required)]
    password: Option<Password>,
    refresh_transport: Option<Transport>,
}

async fn login(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: LoginBody = body::json(&request, payload).await?;
    same_site::check(&request, &app.settings.http.allowed_origins)?;
    let mut errors = Vec::new();
    let email = required(body.email, "email", &mut errors);
    let password = required(body.password, "password", &mut errors);
    let (Some(email), Some(password)) = (email, password) else {
        return Err(ApiError::validation(errors));
    };
    let transport = body.refresh_transport.unwrap_or_default();
    let sign_in = sign_in_of(&request, transport)?;
    limit::check(&request, app.limits.policies.login(&sign_in.client, &email)).await?;
    let mut outcome = sign_in_once(&app, &email, &password, &sign_in).await?;
    if matches!(outcome, Outcome::HashReplaced) {
        outcome = sign_in_once(&app, &email, &password, &sign_in).await?;
    }
    let Outcome::SignedIn(signed_in) = outcome else {
        limit::failed(&app, &email).await?;
        return Err(Code::InvalidCredentials.into());
    };
    limit::succeeded(&app, &email).await;
    let (session, user) = *signed_in;
    tracing::info!(user = %user.id, session = %session.id, "login");
    tokens::answer(&app, StatusCode::OK, &session, user)
}

async fn sign_in_once(
    app: &Arc<App>,
    email: &str,
    password: &Password,
    sign_in: &SignIn,
) -> Result<Outcome, ApiError> {
    let (finding, email) = (Arc::clone(app), email.to_owned());
    let found = blocking::run(move || login::find(&finding, &email)).await?;
    // Security: E10, F1. One bcrypt and one answer, whoever is asked for.
    let (user, stored) = found.unzip();
    let is_right = app.hasher.verify(password.clone(), stored.clone()).await?;
    let log_refusal =
        || tracing::info!(user = user.as_ref().map(|user| user.id.to_string()), "login refused");
    let (Some(user), Some(stored), true) = (&user, stored, is_right) else {
        log_refusal();
        return Ok(Outcome::Refused);
    };
    let hash = if app.hasher.is_current(&stored) || !user.is_active() {
        stored.clone()
    } else {
        // A new hash can wait for the next sign-in; the person need not.
        app.hasher.hash(password.clone()).await.unwrap_or_else(|_busy| stored.clone())
    };
    let (signing_in, id, sign_in) = (Arc::clone(app), user.id, sign_in.clone());
    let outcome =
        blocking::run(move || login::sign_in(&signing_in, id, &stored, &hash, &sign_in)).await?;
    if !matches!(outcome, Outcome::SignedIn(_)) {
        log_refusal();
    }
    Ok(outcome)
}

async fn me(current: CurrentUser) -> HttpResponse {
    HttpResponse::Ok().json(UserView::from(current.user))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameBody {
    // Absent is a mistake, `null` removes the name: so the two are kept apart.
    /// Up to 100 characters, without control characters; white space around it is cut off. `null`, or
    /// nothing but white space, removes it.
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Option<String>, required, pattern = "^\\s*[^\\u0000-\\u001F\\u007F-\\u009F]{0,100}\\s*$", example = "Ada Lovelace")]
    name: Option<NewName>,
}

/// `None` removes the name.
type NewName = Option<String>;

async fn rename(
    request: HttpRequest,
    current: CurrentUser,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: RenameBody = body::json(&request, payload).await?;
    let mut errors = Vec::new();
    let name = required(body.name, "name", &mut errors).flatten();
    let name = name.as_deref().and_then(profile::clean_name);
    if let Some((code, message)) = name.as_deref().and_then(profile::name_objection) {
        errors.push(FieldError::new("name", code, message));
    }
    if !errors.is_empty() {
        return Err(ApiError::validation(errors));
    }
    let CurrentUser { user, client, .. } = current;
    let renamed =
        blocking::run(move || profile::rename(&app, user.id, name.as_deref(), &client)).await?;
    let renamed = renamed.ok_or_else(|| ApiError::access_token(Code::SessionRevoked))?;
    Ok(HttpResponse::Ok().json(UserView::from(renamed)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteBody {
    #[schema(value_type = Password, required)]
    password: Option<Password>,
}

async fn delete(
    request: HttpRequest,
    current: CurrentUser,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: DeleteBody = body::json(&request, payload).await?;
    let mut errors = Vec::new();
    let password = required(body.password, "password", &mut errors);
    let password = password.ok_or_else(|| ApiError::validation(errors))?;
    let CurrentUser { user, client, session } = current;
    limit::check(&request, app.limits.policies.confirm(user.id)).await?;
    let (user_id, session_id) = (user.id, session.id);
    confirm(&app, user.id, &password, move |app, checked| {
        profile::delete(app, user_id, session_id, checked, &client)
    })
    .await?;
    tracing::info!(user = %user.id, "account deleted");
    let mut response = HttpResponse::NoContent();
    if session.transport == Transport::Cookie {
        response.insert_header((header::SET_COOKIE, app.settings.http.cookie.delete()));
    }
    Ok(response.finish())
}

fn sign_in_of(request: &HttpRequest, transport: Transport) -> Result<SignIn, ApiError> {
    let app = app_of(request)?;
    Ok(SignIn {
        transport,
        client: client_of(request, &app.settings.http.trusted_proxies),
        replaced: tokens::replaced_sessions(&app, request, transport),
    })
}
