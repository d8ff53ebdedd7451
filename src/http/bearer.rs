//! Who is calling, by the access token in `Authorization: Bearer`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::app_of;
use super::client::client_of;
use crate::accounts::user::{Role, User};
use crate::app::App;
use crate::client::Client;
use crate::error::{ApiError, Code};
use crate::sessions::token::Session;
use crate::verifier::Refusal;
use crate::verifier::bearer::bearer_token;
use crate::verifier::claims::AccessClaims;

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

impl CurrentUser {
    fn new(app: &App, request: &HttpRequest, holder: Holder) -> Self {
        let client = client_of(request, &app.settings.http.trusted_proxies);
        Self { session: holder.session, user: holder.user, client }
    }
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (app, holder) = holder_of(&request).await?;
            if holder.must_prove_address(&app) {
                return Err(Code::EmailNotVerified.into());
            }
            Ok(CurrentUser::new(&app, &request, holder))
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

/// Who holds an access token that is good, checked against session and account just now.
#[derive(Debug, Clone)]
pub struct Holder {
    /// What the token says.
    pub claims: AccessClaims,
    /// Its session, which is live.
    pub session: Session,
    /// Its user, who is active.
    pub user: User,
}

impl Holder {
    /// Whether the user has to prove the address first, and has not.
    pub fn must_prove_address(&self, app: &App) -> bool {
        app.settings.passwords.require_verified_email && self.user.email_verified_at.is_none()
    }
}

/// Who holds `token`.
pub async fn holder(app: &App, token: &str) -> Result<Holder, ApiError> {
    let now = app.now();
    let claims = app.tokens.verify_access(token, now).map_err(Refusal::from)?;
    let found = app.lookup.find(claims.sid).await??;
    let (session, user) =
        found.filter(|(session, _)| session.is_live(now)).ok_or(Refusal::Revoked)?;
    let user = user.filter(User::is_active).ok_or(Refusal::Revoked)?;
    if user.id != claims.sub {
        return Err(Refusal::Invalid.into());
    }
    Ok(Holder { claims, session, user })
}

/// The user behind the access token of `request`, even where the address is still to be proven: for
/// the few calls that such a user may make.
pub async fn current_user(request: &HttpRequest) -> Result<CurrentUser, ApiError> {
    let (app, holder) = holder_of(request).await?;
    Ok(CurrentUser::new(&app, request, holder))
}

async fn holder_of(request: &HttpRequest) -> Result<(Arc<App>, Holder), ApiError> {
    let app = app_of(request)?;
    let token = bearer_token(request)?;
    let holder = holder(&app, token.token()).await?;
    Ok((app, holder))
}
