//! Headers of answers, each described once and referred to.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{Ref, RefOr, Response, Type};

use crate::error::Code;

/// RFC 9110, 10.2.1.
pub const ALLOW: &str = "Allow";
/// RFC 9111, 5.2.
pub const CACHE_CONTROL: &str = "Cache-Control";
/// RFC 9110, 8.8.3.
pub const ETAG: &str = "ETag";
/// draft-ietf-httpapi-ratelimit-headers.
pub const RATE_LIMIT: &str = "RateLimit";
/// draft-ietf-httpapi-ratelimit-headers.
pub const RATE_LIMIT_POLICY: &str = "RateLimit-Policy";
/// Of every answer.
pub const REQUEST_ID: &str = "X-Request-Id";
/// RFC 9110, 10.2.3.
pub const RETRY_AFTER: &str = "Retry-After";
/// W3C Trace Context, level 3 (draft).
pub const TRACERESPONSE: &str = "traceresponse";
/// RFC 6265, 4.1.
pub const SET_COOKIE: &str = "Set-Cookie";
/// RFC 9110, 11.6.1.
pub const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
/// Of forward-auth.
pub const X_AUTH_ROLE: &str = "X-Auth-Role";
/// Of forward-auth.
pub const X_AUTH_SESSION: &str = "X-Auth-Session";
/// Of forward-auth.
pub const X_AUTH_USER: &str = "X-Auth-User";

/// Every header, with its type and what it says.
const ALL: [(&str, Type, &str); 13] = [
    (ALLOW, Type::String, "The methods that are taken here."),
    (CACHE_CONTROL, Type::String, "How long a copy may be kept: `no-store` is not at all."),
    (ETAG, Type::String, "The tag of this state, to ask by in `If-None-Match`."),
    (
        RATE_LIMIT,
        Type::String,
        "How it stands with each limit that counts: `r` calls remain, in `t` seconds there is one \
         more (draft-ietf-httpapi-ratelimit-headers).",
    ),
    (RATE_LIMIT_POLICY, Type::String, "The limits that count: `q` calls within `w` seconds."),
    (
        REQUEST_ID,
        Type::String,
        "The request's name in the service's logs: the one that came along, where it was sane.",
    ),
    (RETRY_AFTER, Type::Integer, "Whole seconds after which it makes sense to try again."),
    (
        SET_COOKIE,
        Type::String,
        "The refresh cookie of the session, or its end (`Max-Age=0`); where the session's \
         transport is `cookie`.",
    ),
    (
        TRACERESPONSE,
        Type::String,
        "The request's span, where requests are traced: in the form of `traceparent` (W3C Trace \
         Context).",
    ),
    (
        WWW_AUTHENTICATE,
        Type::String,
        "What to present (RFC 9110, 11.6.1); with `error` where the access token is at fault.",
    ),
    (X_AUTH_ROLE, Type::String, "The user's role."),
    (X_AUTH_SESSION, Type::String, "The session's id."),
    (X_AUTH_USER, Type::String, "The user's id."),
];

/// Every header, by the name that it is referred to by.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Header)> {
    ALL.into_iter().map(|(name, kind, about)| {
        let schema = ObjectBuilder::new().schema_type(kind);
        (name, HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build())
    })
}

/// Lets `answer` have a header.
pub(super) fn add(answer: &mut Response, name: &str) {
    let header = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    answer.headers.insert(name.to_owned(), header);
}

/// Lets an answer have what all have.
pub(super) fn add_to_all(answer: &mut Response) {
    add(answer, REQUEST_ID);
    add(answer, TRACERESPONSE);
}

/// Lets an answer have what a failure by `code` brings along.
pub(super) fn add_of_failure(answer: &mut Response, code: Code) {
    match code {
        Code::MethodNotAllowed => add(answer, ALLOW),
        Code::RateLimited => {
            add_limits(answer);
            add(answer, RETRY_AFTER);
        }
        Code::Unavailable => add(answer, RETRY_AFTER),
        Code::Forbidden => add(answer, WWW_AUTHENTICATE),
        _ if code.status().as_u16() == 401 => add(answer, WWW_AUTHENTICATE),
        _ => {}
    }
}

/// Lets an answer say how it stands with the limits of its call.
pub(super) fn add_limits(answer: &mut Response) {
    add(answer, RATE_LIMIT);
    add(answer, RATE_LIMIT_POLICY);
}
