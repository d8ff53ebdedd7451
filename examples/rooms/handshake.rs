//! The access token of a WebSocket handshake.
//!
//! Browsers cannot set `Authorization` on a WebSocket, so the token may also come in the URL, or as
//! what looks like a subprotocol (`new WebSocket(url, ["bearer", token])`), which keeps it out of
//! logs and histories. Wherever it comes from, it has to come once: of two, somebody on the way might
//! have checked the other one.

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Query;
use symbolon::secret::Secret;
use symbolon::verifier::Refusal;
use symbolon::verifier::bearer::bearer_token;

use crate::problem::{Code, Problem};

/// The subprotocol that stands before a token, and the only one that is ever answered with: the token
/// itself is not repeated.
pub const SUBPROTOCOL: &str = "bearer";

/// The token, by whichever way it came.
pub fn token(request: &HttpRequest) -> Result<Secret, actix_web::Error> {
    let mut tokens = by_query(request)?;
    tokens.extend(by_subprotocol(request)?);
    match bearer_token(request) {
        Ok(bearer) => tokens.push(Secret::new(bearer.token())),
        Err(Refusal::Missing) => {}
        Err(_) if !tokens.is_empty() => return Err(several()),
        Err(refusal) => return Err(refusal.into()),
    }
    if tokens.len() > 1 {
        return Err(several());
    }
    tokens.pop().ok_or_else(|| Refusal::Missing.into())
}

/// Every `token` of the URL.
fn by_query(request: &HttpRequest) -> Result<Vec<Secret>, Problem> {
    let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs =
        pairs.map_err(|_| Problem::new(Code::MalformedRequest, "The query is malformed"))?;
    let tokens = pairs.into_inner().into_iter().filter(|(name, _)| name == "token");
    Ok(tokens.map(|(_, token)| Secret::new(token)).collect())
}

/// What stands beside `bearer` among the subprotocols, if that is there.
fn by_subprotocol(request: &HttpRequest) -> Result<Vec<Secret>, actix_web::Error> {
    let headers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let offered: Vec<&str> = headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(',').map(str::trim))
        .collect();
    if !offered.contains(&SUBPROTOCOL) {
        return Ok(Vec::new());
    }
    match offered[..] {
        [SUBPROTOCOL] => Err(Refusal::Missing.into()),
        [SUBPROTOCOL, token] if token != SUBPROTOCOL => Ok(vec![Secret::new(token)]),
        _ => Err(several()),
    }
}

fn several() -> actix_web::Error {
    Problem::new(Code::MalformedRequest, "The access token has to come once, by one way").into()
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;

    use super::*;

    fn of(uri: &str, headers: &[(&str, &str)]) -> Result<String, StatusCode> {
        let mut request = TestRequest::with_uri(uri);
        for header in headers {
            request = request.append_header(*header);
        }
        let found = token(&request.to_http_request());
        found
            .map(|token| token.expose().to_owned())
            .map_err(|error| error.as_response_error().status_code())
    }

    const AUTHORIZATION: (&str, &str) = ("authorization", "Bearer a.b.c");
    const SUBPROTOCOLS: (&str, &str) = ("sec-websocket-protocol", "bearer, a.b.c");

    #[test]
    fn it_comes_by_one_of_three_ways() {
        let token = Ok("a.b.c".to_owned());
        assert_eq!(of("/", &[AUTHORIZATION]), token);
        assert_eq!(of("/?token=a.b.c", &[]), token);
        assert_eq!(of("/?x=1&token=a%2Eb.c&y", &[]), token);
        assert_eq!(of("/", &[SUBPROTOCOLS]), token);
        let by_lines = [("sec-websocket-protocol", "bearer"), ("sec-websocket-protocol", "a.b.c")];
        assert_eq!(of("/", &by_lines), token);
        // Credentials of a proxy are no access token.
        assert_eq!(of("/?token=a.b.c", &[("authorization", "Basic eDp5")]), token);
    }

    #[test]
    fn it_comes_once() {
        for (uri, headers) in [
            ("/?token=a.b.c", &[AUTHORIZATION][..]),
            ("/?token=a.b.c", &[SUBPROTOCOLS]),
            ("/", &[AUTHORIZATION, SUBPROTOCOLS]),
            ("/", &[AUTHORIZATION, AUTHORIZATION]),
            ("/", &[SUBPROTOCOLS, SUBPROTOCOLS]),
            ("/?token=a.b.c&token=a.b.c", &[]),
            ("/?token=a.b.c", &[("authorization", "Bearer ?!")]),
            ("/", &[("sec-websocket-protocol", "bearer, a.b.c, chat")]),
            ("/", &[("sec-websocket-protocol", "a.b.c, bearer")]),
            ("/", &[("sec-websocket-protocol", "bearer, bearer")]),
        ] {
            assert_eq!(of(uri, headers), Err(StatusCode::BAD_REQUEST), "{uri} {headers:?}");
        }
    }

    #[test]
    fn it_has_to_come() {
        for (uri, headers) in [
            ("/", &[][..]),
            ("/?tokens=a.b.c", &[]),
            ("/", &[("sec-websocket-protocol", "bearer")]),
            ("/", &[("sec-websocket-protocol", "chat")]),
            ("/", &[("authorization", "Basic eDp5")]),
        ] {
            assert_eq!(of(uri, headers), Err(StatusCode::UNAUTHORIZED), "{uri} {headers:?}");
        }
    }
}
