//! Whose pages may connect.
//!
//! A browser lets any page open a WebSocket to anywhere, and only says in `Origin` which page it is
//! (RFC 6455, 10.2): unlike with `fetch`, it is the service alone that can say no. Programs that are
//! no browsers send no `Origin`, and their tokens speak for them.

use actix_cors::Cors;
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};

/// The origins of pages that may connect; where there are none, those of the host that is asked.
#[derive(Clone)]
pub struct AllowedOrigins(pub Vec<String>);

impl AllowedOrigins {
    /// Lets pages of these origins read what is answered over HTTP. Others are not refused: without a
    /// token, which no browser sends by itself, they get nothing.
    pub fn cors(&self) -> Cors {
        let allowed = self.0.clone();
        Cors::default()
            .allowed_origin_fn(move |origin, _| allowed.iter().any(|allowed| origin == allowed))
            .allowed_methods(["GET", "POST"])
            .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_headers([header::LOCATION, header::RETRY_AFTER, header::WWW_AUTHENTICATE])
            .block_on_origin_mismatch(false)
            .max_age(3600)
    }

    /// Whether a handshake with these headers may go on.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN);
        let Some(origin) = origins.next() else { return true };
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
        if self.0.is_empty() {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            return host.is_some() && authority(origin) == host;
        }
        // Browsers send origins in one form only: whatever is not equal is not the same.
        self.0.iter().any(|allowed| allowed == origin)
    }
}

/// Whether this is an origin in the form that browsers send.
pub fn is_origin(text: &str) -> bool {
    let is_lower_case = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_bare = authority(text).is_some_and(|rest| !rest.contains(['/', '@', '?', '#', '*']));
    is_lower_case && is_bare && text.parse::<Uri>().is_ok_and(|url| url.host().is_some())
}

/// Host and port of an origin of http or https.
fn authority(origin: &str) -> Option<&str> {
    let (scheme, authority) = origin.split_once("://")?;
    matches!(scheme, "http" | "https").then_some(authority)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn admits(allowed: &[&str], origins: &[&str]) -> bool {
        let allowed = AllowedOrigins(allowed.iter().map(|&origin| origin.to_owned()).collect());
        let mut request = TestRequest::default().insert_header(("host", "rooms.test:3000"));
        for origin in origins {
            request = request.append_header(("origin", *origin));
        }
        allowed.admit(request.to_http_request().headers())
    }

    #[test]
    fn a_list_admits_what_is_in_it() {
        const LIST: &[&str] = &["https://app.test", "http://localhost:5173"];
        assert!(admits(LIST, &[]));
        assert!(admits(LIST, &["https://app.test"]));
        assert!(admits(LIST, &["http://localhost:5173"]));
        for other in ["http://app.test", "https://app.test.evil.test", "https://APP.test", "null"] {
            assert!(!admits(LIST, &[other]), "{other}");
        }
        assert!(!admits(LIST, &["http://rooms.test:3000"]));
        assert!(!admits(LIST, &["https://app.test", "https://app.test"]));
    }

    #[test]
    fn without_a_list_it_is_the_own_host() {
        assert!(admits(&[], &[]));
        assert!(admits(&[], &["http://rooms.test:3000"]));
        assert!(admits(&[], &["https://rooms.test:3000"]));
        for other in ["http://rooms.test", "http://evil.test", "ftp://rooms.test:3000", "null", ""]
        {
            assert!(!admits(&[], &[other]), "{other}");
        }
    }

    #[test]
    fn an_origin_is_bare() {
        for good in ["https://app.test", "http://localhost:5173", "http://[::1]:3000"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in ["*", "https://*", "app.test", "https://app.test/", "https://A.test", "https://"]
        {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
