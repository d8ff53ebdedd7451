//! Failures as problem documents (RFC 9457), in the form that Symbolon gives its own.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::json;

/// What went wrong, by a stable, machine-readable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    MalformedRequest,
    ValidationFailed,
    OriginRejected,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimited,
    Unavailable,
}

impl Code {
    /// Status, name and title.
    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => (400, "MALFORMED_REQUEST", "The request is malformed"),
            Self::ValidationFailed => (400, "VALIDATION_FAILED", "Some fields are not valid"),
            Self::OriginRejected => (403, "ORIGIN_REJECTED", "Requests from this page are refused"),
            Self::NotFound => (404, "NOT_FOUND", "There is nothing here"),
            Self::MethodNotAllowed => (405, "METHOD_NOT_ALLOWED", "The method is not allowed"),
            Self::RequestTimeout => (408, "REQUEST_TIMEOUT", "The request took too long to arrive"),
            Self::PayloadTooLarge => (413, "PAYLOAD_TOO_LARGE", "The body is too large"),
            Self::UnsupportedMediaType => {
                (415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json")
            }
            Self::RateLimited => (429, "RATE_LIMITED", "There are too many"),
            Self::Unavailable => (503, "UNAVAILABLE", "The service cannot do this at the moment"),
        }
    }
}

/// A field and what is wrong with it.
#[derive(Debug, Serialize)]
pub struct FieldError {
    pub field: &'static str,
    pub code: &'static str,
    pub message: &'static str,
}

/// A failure.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    allow: Option<&'static str>,
    retry_after: Option<u32>,
}

impl Problem {
    /// A failure, and a sentence that says more of it.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self { code, detail, errors: Vec::new(), allow: None, retry_after: None }
    }

    /// A field that is not valid.
    pub fn field(field: &'static str, code: &'static str, message: &'static str) -> Self {
        let errors = vec![FieldError { field, code, message }];
        Self { errors, ..Self::new(Code::ValidationFailed, message) }
    }

    /// A method other than `allow` (RFC 9110, 15.5.6).
    pub fn method(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Code::MethodNotAllowed.into() }
    }

    /// The same, worth another try in so many seconds.
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code, code.row().2)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code, title) = self.code.row();
        let mut document = json!({
            "type": format!("urn:symbolon:problem:{code}"),
            "title": title,
            "status": status,
            "detail": self.detail,
            "code": code,
            "error": title,
        });
        if !self.errors.is_empty() {
            document["errors"] = json!(self.errors);
        }
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(allow) = self.allow {
            response.insert_header((header::ALLOW, allow));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        let mut response = response.json(document);
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}
