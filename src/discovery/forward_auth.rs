//! Forward-auth: a reverse proxy asks before each request whether its caller may pass, and hands on
//! who that is. For `auth_request` of nginx, Traefik's `ForwardAuth`, Caddy's `forward_auth`.

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::user::Role;
use crate::error::{ApiError, Code};
use crate::http::bearer::CurrentUser;
use crate::http::query;

const USER: HeaderName = HeaderName::from_static("x-auth-user");
const ROLE: HeaderName = HeaderName::from_static("x-auth-role");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyQuery {
    /// The least that the caller has to be.
    #[param(value_type = Role, required = false)]
    role: Option<String>,
}

/// Lets pass whoever has a live session, of the role asked for or one above it. Session, account and
/// role are read from the tables on this very request.
pub(super) async fn verify(
    request: HttpRequest,
    current: CurrentUser,
) -> Result<HttpResponse, ApiError> {
    let CurrentUser { session, user, .. } = current;
    let query: VerifyQuery = query::read(&request).map_err(|error| ApiError {
        detail: "the query may hold one role and nothing else; a proxy that hands on the query of \
                 its own caller is to ask /auth/verify? instead"
            .into(),
        ..error
    })?;
    if let Some(name) = query.role {
        let required = Role::named(&name);
        if required.is_none() {
            tracing::warn!(role = name, "a proxy asks for a role that does not exist");
        }
        if required.is_none_or(|required| user.role < required) {
            return Err(Code::Forbidden.into());
        }
    }
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((USER, user.id.to_string()))
        .insert_header((ROLE, user.role.name()))
        .insert_header((SESSION, session.id.to_string()));
    Ok(response.finish())
}
