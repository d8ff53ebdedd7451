//! The published keys (RFC 7517) and the issuer's metadata (RFC 8414), for others to keep a while.

use std::time::Duration;

use actix_web::http::header::{CacheControl, CacheDirective, ContentType};
use actix_web::{HttpRequest, HttpResponse};
use jsonwebtoken::jwk::JwkSet;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::http::{app_of, etag};

/// The longest that a document may be kept.
const FRESH_FOR: Duration = Duration::from_secs(300);

/// The public keys that access tokens may be signed by; none where the secret signs them.
pub(super) async fn jwks(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let Some(signing) = &app.signing else {
        return answer(&request, &JwkSet::default(), Duration::ZERO);
    };
    let public = &signing.at(app.now()).public;
    // The first key signs at once, so nobody should go on believing that there is none.
    let fresh_for = if public.keys.is_empty() { Duration::ZERO } else { signing.fresh_for() };
    answer(&request, public, fresh_for.min(FRESH_FOR))
}

/// What is true of us of RFC 8414: there is no grant or authorization endpoint of OAuth here.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuerMetadata)]
pub(super) struct Metadata {
    issuer: String,
    jwks_uri: String,
    /// Where anybody may ask it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false)]
    introspection_endpoint_auth_methods_supported: Option<[&'static str; 1]>,
    /// RFC 8414 requires it, and wants nothing that is empty; readers miss what is required.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 0],
    /// Empty as well: where it is missing, readers have to assume two grants of OAuth.
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 0],
}

pub(super) async fn metadata(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let public_url = &app.settings.http.public_url;
    let has_clients = app.settings.introspection.has_clients();
    let metadata = Metadata {
        issuer: app.settings.tokens.issuer.clone(),
        jwks_uri: format!("{public_url}/.well-known/jwks.json"),
        introspection_endpoint: has_clients.then(|| format!("{public_url}/auth/introspect")),
        introspection_endpoint_auth_methods_supported: has_clients
            .then_some(["client_secret_basic"]),
        response_types_supported: [],
        grant_types_supported: [],
    };
    answer(&request, &metadata, FRESH_FOR)
}

/// Answers with `document`, or with 304 where the caller has it already.
fn answer(
    request: &HttpRequest,
    document: &impl Serialize,
    fresh_for: Duration,
) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(document).map_err(ApiError::internal)?;
    let seconds = u32::try_from(fresh_for.as_secs()).unwrap_or(u32::MAX);
    let keep = CacheControl(vec![CacheDirective::Public, CacheDirective::MaxAge(seconds)]);
    Ok(etag::answer(request, body.into(), ContentType::json(), keep))
}
