//! The cross-site rule for calls that act on the refresh cookie.
//!
//! `SameSite=Strict` keeps other sites out, but not other origins of the same site; so a browser's
//! request must come from an origin that is allowed.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use url::Url;

use super::client::SEC_FETCH_SITE;
use crate::error::{ApiError, Code};

/// An origin (RFC 6454) of http or https, in the form browsers send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin such as `https://app.example.com`; nothing may follow the port.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
        (is_bare && is_web).then(|| Self(url.origin().ascii_serialization()))
    }

    /// Its host, without the port.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }
}

/// Which origins may call.
#[derive(Debug, Clone)]
pub struct AllowedOrigins {
    /// Any at all: development only.
    pub any: bool,
    /// These.
    pub origins: Vec<Origin>,
    /// The one that the request names in its `Host`: development only, where nobody sets `PUBLIC_URL`.
    pub own_host: bool,
}

impl AllowedOrigins {
    /// Whether the origin a browser sent may call the service under the name `host`.
    pub fn contains(&self, origin: &str, host: Option<&str>) -> bool {
        // Browsers send origins in one form only: whatever is not equal is not the same.
        let is = |allowed: &Origin| allowed.0 == origin;
        let is_own = || {
            self.own_host
                && Origin::parse(origin)
                    .is_some_and(|own| is(&own) && Some(own.authority()) == host)
        };
        (self.any && origin != "null") || self.origins.iter().any(is) || is_own()
    }

    /// The contract's table: whether a request with these headers may act on the cookie.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let origin = single(headers, &header::ORIGIN);
        let host = single(headers, &header::HOST).ok().flatten();
        let is_allowed = |origin: Result<Option<&str>, ()>| matches!(origin, Ok(Some(origin)) if self.contains(origin, host));
        match single(headers, &SEC_FETCH_SITE) {
            Ok(Some("same-origin" | "none")) => true,
            Ok(None) => origin == Ok(None) || is_allowed(origin),
            _ => is_allowed(origin),
        }
    }
}

/// The value of a header that may come once at most.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// Refuses a browser's request from an origin that is not allowed.
pub fn check(request: &HttpRequest, allowed: &AllowedOrigins) -> Result<(), ApiError> {
    if allowed.admit(request.headers()) {
        return Ok(());
    }
    tracing::info!(origin = ?request.headers().get(header::ORIGIN), "origin refused");
    Err(rejected())
}

/// What a page of an origin that is not allowed is told.
pub(super) fn rejected() -> ApiError {
    ApiError::new(
        Code::OriginRejected,
        "this page's origin is not in ALLOWED_ORIGINS of the service",
    )
}
