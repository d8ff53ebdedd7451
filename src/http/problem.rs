//! Failures as `application/problem+json` (RFC 9457), the framework's own included.

use actix_cors::CorsError;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::request_id::RequestId;
use super::same_site;
use crate::error::{ApiError, Code, FieldError};
use crate::verifier::refusal::{CHALLENGE, CHALLENGE_BAD_TOKEN, CHALLENGE_OTHER_ROLE};

/// The media type of every failure.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What a client that introspects has to present (RFC 7617).
const CHALLENGE_CLIENT: HeaderValue =
    HeaderValue::from_static(r#"Basic realm="symbolon", charset="UTF-8""#);

/// A failure (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem<'a> {
    /// `urn:symbolon:problem:` and the code.
    r#type: String,
    /// A sentence for people, the same for every occurrence.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is particular about this occurrence.
    detail: &'a str,
    /// What went wrong, for programs.
    #[schema(value_type = Code)]
    code: &'static str,
    /// The title again, for clients that know a failure as `{error, code}`.
    error: &'static str,
    /// The request's name in the service's logs, as in `X-Request-Id`.
    request_id: &'a str,
    /// What is wrong with each field, where `code` is `VALIDATION_FAILED`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false)]
    errors: &'a [FieldError],
}

impl<'a> Problem<'a> {
    /// The body that tells of `failure` in answer to the request `id`.
    pub fn new(failure: &'a ApiError, id: &'a str) -> Self {
        let code = failure.code;
        Self {
            r#type: format!("urn:symbolon:problem:{}", code.name()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: &failure.detail,
            code: code.name(),
            error: code.title(),
            request_id: id,
            errors: &failure.errors,
        }
    }
}

/// What a refused preflight's answer depends on, as that of an accepted one says.
const PREFLIGHT_VARY: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// Gives a failed answer its body, whoever made it; leaves every other answer alone.
pub fn finish(response: HttpResponse, id: &RequestId) -> HttpResponse {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let ours = response.extensions().get::<ApiError>().cloned();
    let by_cors = response.error().and_then(|error| error.as_error::<CorsError>());
    let failure = match by_cors {
        Some(CorsError::OriginNotAllowed) => same_site::rejected(),
        _ => ours.unwrap_or_else(|| Code::of_status(status).into()),
    };
    let mut failed = answer(&failure, id);
    if by_cors.is_some() {
        failed.headers_mut().insert(header::VARY, PREFLIGHT_VARY);
    }
    // What the framework adds to a status has to stay: `Allow`, `Vary`, the CORS headers.
    for (name, value) in response.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            failed.headers_mut().append(name.clone(), value.clone());
        }
    }
    failed
}

/// The whole answer for `failure`.
pub fn answer(failure: &ApiError, id: &RequestId) -> HttpResponse {
    let code = failure.code;
    let status = code.status();
    let mut response = HttpResponse::build(status);
    let challenge = match code {
        Code::Forbidden => Some(CHALLENGE_OTHER_ROLE),
        Code::InvalidClient => Some(CHALLENGE_CLIENT),
        _ if status.as_u16() != 401 => None,
        _ if failure.bad_access_token => Some(CHALLENGE_BAD_TOKEN),
        _ => Some(CHALLENGE),
    };
    if let Some(challenge) = challenge {
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if let Some(seconds) = failure.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    let mut response = response.json(Problem::new(failure, id.as_str()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}
