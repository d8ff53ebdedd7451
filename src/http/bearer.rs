//! Who is calling, by the access token in `Authorization: Bearer`.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use actix_web_httpauth::headers::authorization::{Bearer, Scheme};

use super::app_of;
use super::client::client_of;
use crate::accounts::user::{Role, User};
use crate::client::Client;
use crate::error::{ApiError, Code};
use crate::sessions::claims::TokenFault;
use crate::sessions::token::Session;

/// The user behind a good access token, checked against session and account on this very request.
/// As an extractor it refuses users whose address has to be proven first and is not.
#[derive(Debug, Clone)]
pub struct CurrentUser {
    /// The session, which is live.
    pub session: Session,
    /// Its user, who is active.
    pub user: User,
    /// Where the request came from.
    pub client: Client,
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let current = current_user(&request).await?;
            let needs_proof = app_of(&request)?.settings.passwords.require_verified_email;
            if needs_proof && current.user.email_verified_at.is_none() {
                return Err(Code::EmailNotVerified.into());
            }
            Ok(current)
        })
    }
}

/// An administrator, whose role is read from the table on this very request. Others are refused
/// (RFC 6750, 3.1: `insufficient_scope`).
#[derive(Debug, Clone)]
pub struct Admin(pub CurrentUser);

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let current = CurrentUser::from_request(request, payload);
        Box::pin(async move {
            let current = current.await?;
            if current.user.role != Role::Admin {
                tracing::info!(user = %current.user.id, "refused: no administrator");
                return Err(Code::Forbidden.into());
            }
            Ok(Self(current))
        })
    }
}

/// The user behind the access token of `request`, even where the address is still to be proven: for
/// the few calls that such a user may make.
pub async fn current_user(request: &HttpRequest) -> Result<CurrentUser, ApiError> {
    let app = app_of(request)?;
    let token = bearer_token(request)?;
    let now = app.now();
    let claims = app.tokens.verify_access(token.token(), now).map_err(|fault| match fault {
        TokenFault::Invalid => ApiError::access_token(Code::TokenInvalid),
        TokenFault::Expired => ApiError::access_token(Code::TokenExpired),
    })?;
    let found = app.lookup.find(claims.sid).await??;
    let revoked = || ApiError::access_token(Code::SessionRevoked);
    let (session, user) = found.filter(|(session, _)| session.is_live(now)).ok_or_else(revoked)?;
    let user = user.filter(User::is_active).ok_or_else(revoked)?;
    if user.id != claims.sub {
        return Err(ApiError::access_token(Code::TokenInvalid));
    }
    let client = client_of(request, &app.settings.http.trusted_proxies);
    Ok(CurrentUser { session, user, client })
}

/// RFC 6750, 2.1, the scheme in any case (RFC 9110, 11.1). Two credentials are a malformed request
/// (RFC 6750, 3.1), whichever would be read.
fn bearer_token(request: &HttpRequest) -> Result<Bearer, ApiError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let value = values.next().ok_or(Code::TokenMissing)?;
    if values.next().is_some() {
        let detail = "there is more than one Authorization header";
        return Err(ApiError::new(Code::MalformedRequest, detail));
    }
    let value = value.to_str().unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Code::TokenMissing.into());
    }
    // Schemes are spelt in any case (RFC 9110, 11.1), but the parser knows one spelling.
    let spelt = HeaderValue::from_str(&format!("Bearer {}", token.trim_start()));
    let bearer = spelt.ok().and_then(|value| Bearer::parse(&value).ok());
    bearer.ok_or_else(|| ApiError::access_token(Code::TokenInvalid))
}
