//! Finding the access token of a request.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web_httpauth::headers::authorization::{Bearer, Scheme};

use super::refusal::Refusal;

/// The access token in `Authorization: Bearer`.
pub fn bearer_token(request: &HttpRequest) -> Result<Bearer, Refusal> {
    bearer_of(request.headers())
}

/// RFC 6750, 2.1, the scheme in any case (RFC 9110, 11.1). Two credentials are a malformed request
/// (RFC 6750, 3.1), whichever would be read.
fn bearer_of(headers: &HeaderMap) -> Result<Bearer, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::SeveralCredentials);
    }
    let value = value.to_str().unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::Missing);
    }
    // Schemes are spelt in any case, but the parser knows one spelling.
    let spelt = HeaderValue::from_str(&format!("Bearer {}", token.trim_start()));
    spelt.ok().and_then(|value| Bearer::parse(&value).ok()).ok_or(Refusal::Invalid)
}
