//! Why a caller is refused, and how that is answered.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;
use thiserror::Error;

use super::token::TokenFault;

/// The challenge of a 401 (RFC 6750, 3): the scheme alone where no access token is at fault.
pub const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="symbolon""#);
/// The challenge where a presented access token is at fault.
pub const CHALLENGE_BAD_TOKEN: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="symbolon", error="invalid_token""#);
/// The challenge where the token is good, but of a user whose role does not do.
pub const CHALLENGE_OTHER_ROLE: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="symbolon", error="insufficient_scope""#);

/// Why a caller is refused. As an answer it is what Symbolon itself would give: a problem document
/// (RFC 9457) with a stable `code`, and the challenge of RFC 6750.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no access token: 401 `TOKEN_MISSING`.
    #[error("An access token is needed")]
    Missing,
    /// There is more than one `Authorization` header: 400 `MALFORMED_REQUEST`.
    #[error("There is more than one Authorization header")]
    SeveralCredentials,
    /// The access token is none of ours, or for somebody else: 401 `TOKEN_INVALID`.
    #[error("The access token is not valid")]
    Invalid,
    /// The access token has expired; a refresh gives a new one: 401 `TOKEN_EXPIRED`.
    #[error("The access token has expired")]
    Expired,
    /// The session was ended, or its user is gone or disabled: 401 `SESSION_REVOKED`.
    #[error("The session has ended")]
    Revoked,
    /// The role does not allow it: 403 `FORBIDDEN`.
    #[error("Your role does not allow this")]
    Forbidden,
    /// The service lacks its verifier: 500 `INTERNAL`.
    #[error("Something went wrong on our side")]
    NoVerifier,
    /// Whether the token is good cannot be told, because Symbolon does not answer: 503 `UNAVAILABLE`.
    #[error("Access tokens cannot be checked at the moment")]
    Unavailable,
}

impl Refusal {
    /// The stable, machine-readable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::SeveralCredentials => "MALFORMED_REQUEST",
            Self::Invalid => "TOKEN_INVALID",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Revoked => "SESSION_REVOKED",
            Self::Forbidden => "FORBIDDEN",
            Self::NoVerifier => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    fn challenge(self) -> Option<HeaderValue> {
        match self {
            Self::Missing => Some(CHALLENGE),
            Self::Invalid | Self::Expired | Self::Revoked => Some(CHALLENGE_BAD_TOKEN),
            Self::Forbidden => Some(CHALLENGE_OTHER_ROLE),
            Self::SeveralCredentials | Self::NoVerifier | Self::Unavailable => None,
        }
    }
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Invalid => Self::Invalid,
            TokenFault::Expired => Self::Expired,
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SeveralCredentials => StatusCode::BAD_REQUEST,
            Self::Missing | Self::Invalid | Self::Expired | Self::Revoked => {
                StatusCode::UNAUTHORIZED
            }
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NoVerifier => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let (code, title) = (self.code(), self.to_string());
        let mut response = HttpResponse::build(status);
        if let Some(challenge) = self.challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if *self == Self::Unavailable {
            response.insert_header((header::RETRY_AFTER, 1));
        }
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        let mut response = response.json(json!({
            "type": format!("urn:symbolon:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "detail": title,
            "code": code,
            "error": title,
        }));
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}
