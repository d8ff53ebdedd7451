//! Headers that every answer has, and the id of a request.

use std::collections::HashSet;

use super::raw::talk;
use crate::support::{Answer, Db, TestServer};

const PRODUCTION: [(&str, &str); 3] = [
    ("--environment", "production"),
    ("--public-url", "https://auth.test"),
    ("--jwt-secret", "Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA"),
];

/// An answer of each kind: of a handler, of the framework, and of what comes before both.
fn one_of_each(server: &TestServer) -> Vec<(u16, Answer)> {
    let raw = |request: &str| talk(server, request.as_bytes()).last_word();
    let large = "x".repeat(17 * 1024);
    server.clock.set_broken(true);
    let panicked = server.get("/auth/me").bearer("x.y.z").send();
    server.clock.set_broken(false);
    vec![
        (200, server.get("/healthz").send()),
        (200, server.get("/readyz").send()),
        (400, server.post("/auth/login").header("content-type", "application/json").send()),
        (400, raw("nonsense\r\n\r\n")),
        (401, server.get("/auth/me").send()),
        (404, server.get("/nope").send()),
        (404, server.post("/auth/nope").send()),
        (405, server.get("/auth/login").send()),
        (413, server.post("/auth/login").json(&large.clone().into()).send()),
        (415, server.post("/auth/login").body(b"{}").send()),
        (431, server.get("/healthz").header("x-large", &large).send()),
        (431, raw(&format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(100)))),
        (500, panicked),
        (405, server.call("OPTIONS", "/auth/login").send()),
    ]
}

/// Security: D8, K2.
#[test]
fn every_answer_has_the_security_headers() {
    for production in [false, true] {
        let flags: &[_] = if production { &PRODUCTION } else { &[] };
        let server = TestServer::with(Db::sqlite(), flags);
        for (status, answer) in one_of_each(&server) {
            let answer = answer.expect(status);
            let header = |name| answer.header(name);
            assert_eq!(header("x-content-type-options"), Some("nosniff"), "{status}");
            assert_eq!(header("referrer-policy"), Some("no-referrer"), "{status}");
            let policy = "default-src 'none'; frame-ancestors 'none'";
            assert_eq!(header("content-security-policy"), Some(policy), "{status}");
            let transport = header("strict-transport-security");
            assert_eq!(transport, production.then_some("max-age=31536000"), "{status}");
            assert!(header("x-request-id").is_some_and(|id| id.len() >= 16), "{status}");
            assert!(header("date").is_some(), "{status}");
            assert!(header("server").is_none() && header("x-powered-by").is_none(), "{status}");
            for (name, _) in &answer.headers {
                let count = answer.headers.get_all(name).iter().count();
                assert_eq!(count, 1, "{status}: {name}");
            }
            if status >= 400 {
                let code = answer.code();
                answer.expect_failure(status, &code);
            }
        }
    }
}

/// Security: D7. Failures of these paths may not be kept by a cache either.
#[test]
fn answers_under_auth_are_not_to_be_stored() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    for answer in [
        server.me(&ada.access).expect(200),
        server.get("/auth/sessions").bearer(&ada.access).send().expect(200),
        server.refresh(&ada.refresh).expect(200),
        server.get("/auth/me").send().expect(401),
        server.get("/auth/nope").send().expect(404),
        server.get("/auth/login").send().expect(405),
        server.post("/auth/login").body(b"{}").send().expect(415),
        server.logout(&ada.access, "x").expect(401),
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.text);
    }
}

#[test]
fn a_sane_request_id_is_kept() {
    let server = TestServer::start(Db::sqlite());
    for id in ["a", "01J-8x_9.z:4/5+6=", &"x".repeat(64)] {
        let answer = server.get("/healthz").header("x-request-id", id).send().expect(200);
        assert_eq!(answer.header("x-request-id"), Some(id));
        let answer = server.get("/nope").header("x-request-id", id).send().expect(404);
        assert_eq!(answer.header("x-request-id"), Some(id));
        assert_eq!(answer.json()["requestId"], id);
    }
}

/// Security: L4.
#[test]
fn any_other_request_id_is_replaced() {
    let server = TestServer::start(Db::sqlite());
    let mut seen = HashSet::new();
    let too_long = "x".repeat(65);
    let insane = ["", "a b", "a\tb", "<script>", "\u{1b}[31m", "\u{e9}", "a\"b", "a,b", &too_long];
    for id in insane {
        let request = format!(
            "GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: {id}\r\n\r\n"
        );
        let heard = talk(&server, request.as_bytes()).last_word();
        let made = heard.header("x-request-id").unwrap().to_owned();
        assert_ne!(made, id);
        assert!(made.len() == 16 && made.is_ascii(), "{made:?}");
        assert!(seen.insert(made), "made twice");
    }
}
