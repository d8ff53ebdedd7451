//! Answering with tokens, and finding the refresh token of a request.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::blocking;
use crate::accounts::user::{User, UserView};
use crate::app::App;
use crate::db::Id;
use crate::error::{ApiError, Code};
use crate::sessions::choose::{self, Choice};
use crate::sessions::claims::{RefreshClaims, TokenFault};
use crate::sessions::token::{Session, Transport};

/// Tokens of a session (RFC 6749, 5.1, in camelCase), with all times in seconds from now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// A JWT, to be sent as `Authorization: Bearer …`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds that the access token lives.
    #[schema(example = 900)]
    expires_in: i64,
    /// Seconds that the refresh token lives.
    #[schema(example = 604_800)]
    refresh_expires_in: i64,
    /// Seconds until the session ends, however often it is refreshed.
    #[schema(example = 2_592_000)]
    session_expires_in: i64,
    /// A JWT, where the session's transport is `body`. It is missing where it is `cookie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    refresh_token: Option<String>,
    user: UserView,
}

/// Answers with a fresh access token and the session's live refresh token, by its transport.
pub fn answer(
    app: &App,
    status: StatusCode,
    session: &Session,
    user: User,
) -> Result<HttpResponse, ApiError> {
    let now = app.now();
    let refresh_token = app.tokens.sign_refresh(session, &user).map_err(ApiError::internal)?;
    let access_token =
        app.tokens.sign_access(session, &user, now, &*app.random).map_err(ApiError::internal)?;
    let refresh_expires_in = session.expires_at.seconds_since(now);
    let mut response = HttpResponse::build(status);
    let refresh_token = match session.transport {
        Transport::Body => Some(refresh_token),
        Transport::Cookie => {
            let cookie = app.settings.http.cookie.set(&refresh_token, refresh_expires_in);
            response.insert_header((header::SET_COOKIE, cookie));
            None
        }
    };
    Ok(response.json(Tokens {
        access_token,
        token_type: "Bearer",
        expires_in: app.tokens.access_seconds(),
        refresh_expires_in,
        session_expires_in: session.ends_at.seconds_since(now),
        refresh_token,
        user: user.into(),
    }))
}

/// The refresh token that a request presents, its signature and time checked, and how it came.
///
/// A `refreshToken` in the body counts alone: then no cookie is read.
pub async fn presented(
    app: &Arc<App>,
    request: &HttpRequest,
    in_body: Option<&str>,
) -> Result<(RefreshClaims, Transport), ApiError> {
    let now = app.now();
    let (transport, choice) = if let Some(token) = in_body {
        (Transport::Body, choose::choose(&app.tokens, &[token], now))
    } else {
        let cookies = app.settings.http.cookie.values(request.headers());
        (Transport::Cookie, choose::choose(&app.tokens, &cookies, now))
    };
    let claims = match choice {
        Choice::One(claims) => claims,
        Choice::Missing => return Err(Code::RefreshTokenMissing.into()),
        Choice::Faulty(TokenFault::Invalid) => return Err(Code::RefreshTokenInvalid.into()),
        Choice::Faulty(TokenFault::Expired) => return Err(Code::RefreshTokenExpired.into()),
        Choice::Several(candidates) => {
            let asked = Arc::clone(app);
            let chosen = blocking::run(move || choose::the_live_one(&asked, candidates)).await?;
            let ambiguous = "the request carries refresh tokens of two live sessions";
            chosen.ok_or_else(|| ApiError::new(Code::MalformedRequest, ambiguous))?
        }
    };
    Ok((claims, transport))
}

/// The sessions whose cookie came along with a sign-in and is about to be overwritten: none where
/// the new session's token travels in the body.
pub fn replaced_sessions(app: &App, request: &HttpRequest, transport: Transport) -> Vec<Id> {
    if transport == Transport::Body {
        return Vec::new();
    }
    let cookies = app.settings.http.cookie.values(request.headers());
    match choose::choose(&app.tokens, &cookies, app.now()) {
        Choice::One(claims) => vec![claims.sid],
        Choice::Several(all) => all.into_iter().map(|claims| claims.sid).collect(),
        Choice::Missing | Choice::Faulty(_) => Vec::new(),
    }
}
