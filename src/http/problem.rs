//! Failures as `application/problem+json` (RFC 9457), the framework's own included.

use actix_cors::CorsError;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use serde::Serialize;

use super::request_id::RequestId;
use super::same_site;
use crate::error::{ApiError, Code, FieldError};
use crate::verifier::refusal::{CHALLENGE, CHALLENGE_BAD_TOKEN, CHALLENGE_OTHER_ROLE};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a client that introspects has to present (RFC 7617).
const CHALLENGE_CLIENT: HeaderValue =
    HeaderValue::from_static(r#"Basic realm="symbolon", charset="UTF-8""#);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    error: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
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
    let problem = Problem {
        r#type: format!("urn:symbolon:problem:{}", code.name()),
        title: code.title(),
        status: status.as_u16(),
        detail: &failure.detail,
        code: code.name(),
        error: code.title(),
        request_id: id.as_str(),
        errors: &failure.errors,
    };
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
    let mut response = response.json(problem);
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}
