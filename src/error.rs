//! Every failure a caller can meet, as one table of statuses and codes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::db::DbError;
use crate::queue::Unanswered;
use crate::sessions::lookup::NotRead;
use crate::sessions::refresh::NotWritten;
use crate::verifier::Refusal;

/// Defines [`Code`] and its table in one place.
macro_rules! codes {
    ($($name:ident $status:literal $code:literal $title:literal)*) => {
        /// A failure's stable, machine-readable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the title beside each code is its description")]
        pub enum Code { $($name),* }

        impl Code {
            /// Every code, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            fn row(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$name => ($status, $code, $title)),* }
            }
        }
    };
}

codes! {
    MalformedRequest     400 "MALFORMED_REQUEST"      "The request is malformed"
    ValidationFailed     400 "VALIDATION_FAILED"      "Some fields are not acceptable"
    LinkInvalid          400 "TOKEN_INVALID"          "The link is not valid any more"
    InvalidCredentials   401 "INVALID_CREDENTIALS"    "The e-mail address or password is wrong"
    TokenMissing         401 "TOKEN_MISSING"          "An access token is needed"
    TokenInvalid         401 "TOKEN_INVALID"          "The access token is not valid"
    TokenExpired         401 "TOKEN_EXPIRED"          "The access token has expired"
    SessionRevoked       401 "SESSION_REVOKED"        "The session has ended"
    RefreshTokenMissing  401 "REFRESH_TOKEN_MISSING"  "A refresh token is needed"
    RefreshTokenInvalid  401 "REFRESH_TOKEN_INVALID"  "The refresh token is not valid"
    RefreshTokenExpired  401 "REFRESH_TOKEN_EXPIRED"  "The refresh token has expired"
    RefreshTokenReused   401 "REFRESH_TOKEN_REUSED"   "The refresh token was used twice; the session has been ended"
    InvalidClient        401 "INVALID_CLIENT"         "The client's credentials are wrong"
    Forbidden            403 "FORBIDDEN"              "Your role does not allow this"
    EmailNotVerified     403 "EMAIL_NOT_VERIFIED"     "The e-mail address has to be verified first"
    OriginRejected       403 "ORIGIN_REJECTED"        "This origin may not call the service"
    RegistrationClosed   403 "REGISTRATION_CLOSED"    "Registration is closed"
    NotFound             404 "NOT_FOUND"              "There is nothing here"
    MethodNotAllowed     405 "METHOD_NOT_ALLOWED"     "This method is not allowed here"
    RequestTimeout       408 "REQUEST_TIMEOUT"        "The request did not arrive in time"
    EmailTaken           409 "EMAIL_TAKEN"            "An account with this e-mail address exists"
    LastAdmin            409 "LAST_ADMIN"             "The last administrator has to stay one"
    PayloadTooLarge      413 "PAYLOAD_TOO_LARGE"      "The body is too large"
    UnsupportedMediaType 415 "UNSUPPORTED_MEDIA_TYPE" "The body must be application/json"
    RateLimited          429 "RATE_LIMITED"           "Too many requests"
    HeadersTooLarge      431 "HEADERS_TOO_LARGE"      "The headers are too large"
    Internal             500 "INTERNAL"               "Something went wrong on our side"
    Unavailable          503 "UNAVAILABLE"            "The service is not available at the moment"
}

impl Code {
    /// The HTTP status it comes with.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its name, as in `code`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// A sentence for people, the same for every occurrence.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// The code for a failure that the framework has put into a mere status.
    pub fn of_status(status: StatusCode) -> Self {
        match Self::ALL.iter().find(|code| code.row().0 == status.as_u16()) {
            Some(&code) => code,
            None if status.is_client_error() => Self::MalformedRequest,
            None => Self::Internal,
        }
    }
}

/// By its name.
impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let names: BTreeSet<&str> = Self::ALL.iter().map(|code| code.name()).collect();
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Code {}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name in the body or the query.
    #[schema(value_type = String, example = "password")]
    pub field: Cow<'static, str>,
    /// A stable name of the problem, such as `TOO_SHORT`.
    #[schema(value_type = String, example = "TOO_SHORT")]
    pub code: &'static str,
    /// A sentence for the person who filled in the field.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl FieldError {
    /// A problem of `field`.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

/// A failure, as the caller will see it. Holds nothing internal: causes go to the log.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// Its name, status and title.
    pub code: Code,
    /// What is particular about this occurrence.
    pub detail: Cow<'static, str>,
    /// Problems field by field.
    pub errors: Vec<FieldError>,
    /// Whole seconds after which it makes sense to try again.
    pub retry_after: Option<u32>,
    /// Whether a presented access token was at fault (RFC 6750, 3.1).
    pub bad_access_token: bool,
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self {
            code,
            detail: code.title().into(),
            errors: Vec::new(),
            retry_after: (code == Code::Unavailable).then_some(1),
            bad_access_token: false,
        }
    }
}

impl ApiError {
    /// A failure with a sentence about this occurrence.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..code.into() }
    }

    /// Fields that are not acceptable.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(|error| &*error.message).collect::<Vec<_>>().join(" ");
        Self { detail: detail.into(), errors, ..Code::ValidationFailed.into() }
    }

    /// A fault of the access token that came along.
    pub fn access_token(code: Code) -> Self {
        Self { bad_access_token: true, ..code.into() }
    }

    /// Too many attempts: the next may pass after so many seconds.
    pub fn rate_limited(seconds: u32) -> Self {
        let detail = format!("There were too many attempts. Try again in {seconds} seconds.");
        Self { retry_after: Some(seconds), ..Self::new(Code::RateLimited, detail) }
    }

    /// Something is not available for now: `cause` goes to the log and nowhere else.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        tracing::warn!(%cause, "answered 503");
        Code::Unavailable.into()
    }

    /// An unexpected failure: `cause` goes to the log and nowhere else.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal failure");
        Code::Internal.into()
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) | DbError::Aborted(_) | DbError::Unclear => {
                Self::unavailable(error)
            }
            DbError::Query(_) => Self::internal(error),
        }
    }
}

impl From<Unanswered> for ApiError {
    fn from(reason: Unanswered) -> Self {
        match reason {
            Unanswered::Panicked => Self::internal(reason),
            Unanswered::Full | Unanswered::TooLate => Self::unavailable(reason),
        }
    }
}

impl From<NotRead> for ApiError {
    fn from(reason: NotRead) -> Self {
        Self::unavailable(reason)
    }
}

impl From<NotWritten> for ApiError {
    fn from(reason: NotWritten) -> Self {
        match reason {
            NotWritten::Unavailable => Self::unavailable(reason),
            NotWritten::Refused => Self::internal(reason),
        }
    }
}

/// What other services refuse is refused here in the same way.
impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Code::TokenMissing.into(),
            Refusal::SeveralCredentials => {
                Self::new(Code::MalformedRequest, "there is more than one Authorization header")
            }
            Refusal::Invalid => Self::access_token(Code::TokenInvalid),
            Refusal::Expired => Self::access_token(Code::TokenExpired),
            Refusal::Revoked => Self::access_token(Code::SessionRevoked),
            Refusal::Forbidden => Code::Forbidden.into(),
            Refusal::NoVerifier => Code::Internal.into(),
            Refusal::Unavailable => Code::Unavailable.into(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// The answer before [`crate::http::problem`] gives it its body, which names the request.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.clone());
        response
    }
}
