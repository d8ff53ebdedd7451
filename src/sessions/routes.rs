//! `/auth/refresh-token`, `/auth/logout`, `/auth/sessions`.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Path, Payload, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::refresh::{How, Outcome, Refresh, Refusal};
use super::token::{Presented, Transport};
use super::view::Sessions;
use super::{end, lookup};
use crate::activity;
use crate::app::App;
use crate::db::Id;
use crate::error::{ApiError, Code};
use crate::http::bearer::{CurrentUser, current_user};
use crate::http::client::{client_of, is_browser};
use crate::http::idempotency::retry_key;
use crate::http::{app_of, blocking, body, same_site, tokens};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/auth/refresh-token").post(refresh_token))
        .service(web::resource("/auth/logout").post(logout))
        .service(web::resource("/auth/sessions").get(list).delete(revoke_all))
        .service(web::resource("/auth/sessions/{id}").delete(revoke_one));
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RefreshTokenBody {
    /// Where the field is there, no cookie is read: so `null` is a mistake and not its absence.
    #[serde(default, deserialize_with = "body::present")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

impl RefreshTokenBody {
    fn token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }
}

async fn refresh_token(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let refreshed = refresh(&app, &request, payload).await;
    app.metrics.refreshes.count(match &refreshed {
        Ok((How::Rotated, _)) => "rotated",
        Ok((How::Replayed, _)) => "replayed",
        Err(error) => outcome_of(error.code),
    });
    refreshed.map(|(_, answer)| answer)
}

async fn refresh(
    app: &Arc<App>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(How, HttpResponse), ApiError> {
    let body: RefreshTokenBody = body::optional_json(request, payload).await?;
    let retry_key = retry_key(request.headers())?;
    same_site::check(request, &app.settings.http.allowed_origins)?;
    let (claims, transport) = tokens::presented(app, request, body.token()).await?;
    let refresh = Refresh {
        session: claims.sid,
        presented: Presented {
            generation: claims.generation,
            retry_key,
            from_browser: is_browser(request),
        },
        transport,
        client: client_of(request, &app.settings.http.trusted_proxies),
    };
    match app.writer.refresh(refresh).await?? {
        Outcome::Live(live, how) => {
            let (session, user) = *live;
            let replayed = how == How::Replayed;
            tracing::debug!(session = %session.id, replayed, "refresh");
            app.count(activity::Kind::Refresh);
            Ok((how, tokens::answer(app, StatusCode::OK, &session, user)?))
        }
        Outcome::Refused(refusal) => {
            if refusal == Refusal::Reused {
                app.count(activity::Kind::Reuse);
                tracing::warn!(session = %claims.sid, user = %claims.sub, "refresh token reused: session ended");
            } else {
                tracing::info!(session = %claims.sid, ?refusal, "refresh refused");
            }
            Err(code_of(refusal).into())
        }
    }
}

fn code_of(refusal: Refusal) -> Code {
    match refusal {
        Refusal::Unknown | Refusal::WrongTransport => Code::RefreshTokenInvalid,
        Refusal::Revoked => Code::SessionRevoked,
        Refusal::Expired => Code::RefreshTokenExpired,
        Refusal::Reused => Code::RefreshTokenReused,
    }
}

/// What a refresh that failed is counted as.
fn outcome_of(code: Code) -> &'static str {
    match code {
        Code::RefreshTokenReused => "reused",
        Code::RefreshTokenExpired => "expired",
        Code::SessionRevoked => "revoked",
        Code::RefreshTokenInvalid => "invalid",
        Code::RefreshTokenMissing => "missing",
        Code::Unavailable => "unavailable",
        Code::Internal => "failed",
        _ => "refused",
    }
}

/// The access token is judged first; on any failure nothing is revoked and no cookie deleted.
async fn logout(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: RefreshTokenBody = body::optional_json(&request, payload).await?;
    same_site::check(&request, &app.settings.http.allowed_origins)?;
    let CurrentUser { session, user, client } = current_user(&request).await?;
    let (claims, transport) = tokens::presented(&app, &request, body.token()).await?;
    if claims.sid != session.id || transport != session.transport {
        return Err(Code::RefreshTokenInvalid.into());
    }
    let (ending, id) = (Arc::clone(&app), session.id);
    blocking::run(move || end::log_out(&ending, &session, user.id, claims.generation, &client))
        .await?;
    tracing::info!(session = %id, user = %claims.sub, "logout");
    let mut response = HttpResponse::NoContent();
    if transport == Transport::Cookie {
        response.insert_header((header::SET_COOKIE, app.settings.http.cookie.delete()));
    }
    Ok(response.finish())
}

async fn list(request: HttpRequest, current: CurrentUser) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let user = current.user.id;
    let sessions = blocking::run(move || lookup::live_of_user(&app, user)).await?;
    Ok(HttpResponse::Ok().json(Sessions::new(sessions, current.session.id)))
}

async fn revoke_one(
    request: HttpRequest,
    current: CurrentUser,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let id: Id = id.parse().map_err(|_| Code::NotFound)?;
    let CurrentUser { user, client, .. } = current;
    let ended = blocking::run(move || end::revoke_own(&app, user.id, id, &client)).await?;
    if !ended {
        return Err(Code::NotFound.into());
    }
    tracing::info!(session = %id, "session revoked");
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeQuery {
    /// `current` lets the session that asks go on.
    #[param(value_type = String, required = false, pattern = "^current$")]
    keep: Option<String>,
}

async fn revoke_all(
    request: HttpRequest,
    current: CurrentUser,
    query: Result<Query<RevokeQuery>, actix_web::Error>,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let refused = |detail| ApiError::new(Code::MalformedRequest, detail);
    let query = query.map_err(|_| refused("the query may hold keep=current only"))?;
    let kept = match query.keep.as_deref() {
        None => None,
        Some("current") => Some(current.session.id),
        // A misspelt `current` must not end every session.
        Some(_) => return Err(refused("keep can only be `current`")),
    };
    let CurrentUser { user, client, .. } = current;
    blocking::run(move || end::revoke_all_own(&app, user.id, kept, &client)).await?;
    tracing::info!(user = %user.id, "sessions revoked");
    Ok(HttpResponse::NoContent().finish())
}
