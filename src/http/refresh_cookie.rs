//! The refresh token's cookie: set, read, deleted.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::settings::http::CookieSettings;

impl CookieSettings {
    /// `Set-Cookie` for `token`, good for `max_age` seconds.
    pub fn set(&self, token: &str, max_age: i64) -> HeaderValue {
        self.header(token, max_age)
    }

    /// `Set-Cookie` that deletes: the same attributes, empty, aged 0. A browser deletes a cookie
    /// only by name, path and host together.
    pub fn delete(&self) -> HeaderValue {
        self.header("", 0)
    }

    fn header(&self, value: &str, max_age: i64) -> HeaderValue {
        let cookie = Cookie::build((&*self.name, value))
            .path(&*self.path)
            .max_age(Duration::seconds(max_age))
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure)
            .build();
        // Name and path were checked at start, a token is base64url and dots.
        HeaderValue::try_from(cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
    }

    /// The values of every cookie of this name, as they came. Names are compared byte for byte: a
    /// percent-decoded `__%48ost-x` must not pass for `__Host-x`.
    pub fn values<'a>(&self, headers: &'a HeaderMap) -> Vec<&'a str> {
        headers
            .get_all(header::COOKIE)
            // Each pair by itself: what another cookie holds must not hide this one.
            .flat_map(|line| line.as_bytes().split(|&byte| byte == b';'))
            .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
            .filter(|(name, value)| *name == self.name && !value.is_empty())
            .map(|(_, value)| value)
            .collect()
    }
}
