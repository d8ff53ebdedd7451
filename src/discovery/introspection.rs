//! Introspection (RFC 7662): whose an access token is, and whether it is good now.

use actix_web::http::header;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actix_web_httpauth::headers::authorization::{Basic, Scheme};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Type;
use utoipa::openapi::schema::{Object, ObjectBuilder};

use crate::accounts::user::Role;
use crate::app::App;
use crate::db::Id;
use crate::error::{ApiError, Code, FieldError};
use crate::http::bearer::{Holder, holder};
use crate::http::client::client_of;
use crate::http::{app_of, body, limit};

/// What is said of a token: everything, or that it is not active.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Introspection)]
pub(super) enum Introspected {
    Active {
        #[schema(schema_with = always::<true>)]
        active: bool,
        #[schema(example = "Bearer")]
        token_type: &'static str,
        /// The token's issuer.
        iss: String,
        aud: String,
        /// The user's id.
        sub: Id,
        /// The session's id.
        sid: Id,
        /// As it is now, not when the token was issued.
        role: Role,
        iat: i64,
        exp: i64,
        jti: String,
    },
    Inactive {
        #[schema(schema_with = always::<false>)]
        active: bool,
    },
}

fn always<const VALUE: bool>() -> Object {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([VALUE])).build()
}

/// Why a token is not active is nobody's business (RFC 7662, 2.2), and a refresh token never is: it
/// gives access to nothing.
pub(super) async fn introspect(
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    if !is_client(&app, &request)? {
        // Whoever knows a secret is never limited, whatever others of the same network try.
        let client = client_of(&request, &app.settings.http.trusted_proxies);
        limit::check(&request, app.limits.policies.introspect(&client)).await?;
        tracing::info!("introspection refused: wrong credentials");
        return Err(Code::InvalidClient.into());
    }
    let form = body::form(&request, payload).await?;
    let mut tokens = form.iter().filter(|(name, _)| name == "token").map(|(_, value)| value);
    let Some(token) = tokens.next() else {
        let error = FieldError::new("token", "REQUIRED", "token is required.");
        return Err(ApiError::validation(vec![error]));
    };
    if tokens.next().is_some() {
        return Err(ApiError::new(Code::MalformedRequest, "the body has a field twice"));
    }
    let said = match holder(&app, token).await {
        Ok(holder) if !holder.must_prove_address(&app) => active(holder),
        Err(error) if error.code.status().as_u16() != 401 => return Err(error),
        _ => Introspected::Inactive { active: false },
    };
    let is_active = matches!(said, Introspected::Active { .. });
    app.metrics.introspections.count(if is_active { "active" } else { "inactive" });
    Ok(HttpResponse::Ok().json(said))
}

fn active(holder: Holder) -> Introspected {
    let Holder { claims, user, .. } = holder;
    Introspected::Active {
        active: true,
        token_type: "Bearer",
        iss: claims.iss,
        aud: claims.aud,
        sub: claims.sub,
        sid: claims.sid,
        role: user.role,
        iat: claims.iat,
        exp: claims.exp,
        jti: claims.jti,
    }
}

/// Whether the request has the credentials of a client (RFC 7617).
fn is_client(app: &App, request: &HttpRequest) -> Result<bool, ApiError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(false) };
    if values.next().is_some() {
        let detail = "there is more than one Authorization header";
        return Err(ApiError::new(Code::MalformedRequest, detail));
    }
    let Ok(basic) = Basic::parse(value) else { return Ok(false) };
    Ok(app.settings.introspection.admits(basic.user_id(), basic.password().unwrap_or_default()))
}
