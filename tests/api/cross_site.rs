//! Which pages may act on the refresh cookie, and which may read answers.

use serde_json::json;

use crate::support::{Answer, Call, PASSWORD, SignedIn, TestServer};

const ALLOWED: (&str, &str) = (
    "--allowed-origins",
    "https://app.example.com, http://localhost:3000, https://xn--bcher-kva.example",
);
const PUBLIC: (&str, &str) = ("--public-url", "https://auth.example.com");
const PRODUCTION: [(&str, &str); 2] =
    [("--environment", "production"), ("--jwt-secret", "nE0xk2mT7uVq4sYb9rLw6pHc3zGd8fJa")];

/// `Sec-Fetch-Site`, `Origin`, and whether the request passes.
const TABLE: [(Option<&str>, Option<&str>, bool); 40] = [
    (None, None, true),
    (Some("same-origin"), None, true),
    (Some("none"), None, true),
    (Some("same-origin"), Some("https://anything.example"), true),
    (Some("same-site"), None, false),
    (Some("cross-site"), None, false),
    (Some("same-site"), Some("https://app.example.com"), true),
    (Some("cross-site"), Some("https://app.example.com"), true),
    (Some("same-site"), Some("https://evil.example.com"), false),
    (Some("cross-site"), Some("https://evil.example"), false),
    (Some("cross-site"), Some("null"), false),
    (Some(""), None, false),
    (Some("Same-Origin"), None, false),
    (Some("same-origin, cross-site"), None, false),
    (Some("something-new"), None, false),
    (Some("something-new"), Some("https://app.example.com"), true),
    (None, Some("https://app.example.com"), true),
    (None, Some("https://auth.example.com"), true),
    (None, Some("http://localhost:3000"), true),
    (None, Some("https://xn--bcher-kva.example"), true),
    (None, Some("null"), false),
    (None, Some(""), false),
    (None, Some("*"), false),
    (None, Some("https://evil.example"), false),
    (None, Some("https://app.example.com.evil.example"), false),
    (None, Some("https://app.example.comevil"), false),
    (None, Some("https://evil-app.example.com"), false),
    (None, Some("https://app.example.com@evil.example"), false),
    (None, Some("https://sub.app.example.com"), false),
    (None, Some("https://example.com"), false),
    (None, Some("https://app.example.com:8443"), false),
    (None, Some("https://app.example.com:443"), false),
    (None, Some("http://app.example.com"), false),
    (None, Some("https://APP.example.com"), false),
    (None, Some("https://app.example.com/"), false),
    (None, Some("https://app.example.com https://evil.example"), false),
    (None, Some("http://localhost"), false),
    (None, Some("http://127.0.0.1:3000"), false),
    (None, Some("http://localhost:30000"), false),
    (None, Some("https://bücher.example"), false),
];

/// The calls that act on the cookie, each complete but for the page it comes from.
fn calls<'a>(server: &'a TestServer, ada: &SignedIn) -> [Call<'a>; 4] {
    let login = json!({"email": ada.email, "password": "a wrong password"});
    let register = json!({"email": ada.email, "password": "short"});
    [
        server.post("/auth/refresh-token").cookie(&ada.refresh),
        server.post("/auth/logout").bearer("nobody").cookie(&ada.refresh),
        server.post("/auth/login").json(&login),
        server.post("/auth/register").json(&register),
    ]
}

fn from<'a>(call: Call<'a>, site: Option<&str>, origin: Option<&str>) -> Call<'a> {
    let call = site.into_iter().fold(call, |call, site| call.header("sec-fetch-site", site));
    origin.into_iter().fold(call, |call, origin| call.header("origin", origin))
}

#[track_caller]
fn expect_refusal(answer: Answer) -> Answer {
    let answer = answer.expect_failure(403, "ORIGIN_REJECTED");
    assert!(answer.header("set-cookie").is_none());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
}

on_both_databases! {
    /// What passes fails later on, each call in its own way, so that every line costs little.
    ///
    /// Security: D2, D3.
    fn the_table_of_sites_and_origins(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        let ada = server.register("ada@example.com");
        let passed = ["", "TOKEN_INVALID", "INVALID_CREDENTIALS", "VALIDATION_FAILED"];
        for (site, origin, passes) in TABLE {
            let before = server.db.dump();
            for (call, code) in calls(&server, &ada).into_iter().zip(passed) {
                let answer = from(call, site, origin).send();
                let expected = if passes { code } else { "ORIGIN_REJECTED" };
                assert_eq!(answer.code(), expected, "{site:?} {origin:?}");
                if !passes {
                    expect_refusal(answer);
                }
            }
            assert!(passes || server.db.dump() == before, "{site:?} {origin:?}");
        }
    }

    /// Security: D3.
    fn two_headers_of_a_kind_say_nothing_good(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        let ada = server.register("ada@example.com");
        let good = Some("https://app.example.com");
        for call in calls(&server, &ada) {
            let call = from(from(call, None, good), None, Some("https://evil.example"));
            expect_refusal(call.send());
        }
        for call in calls(&server, &ada) {
            let call = from(from(call, Some("same-origin"), None), Some("cross-site"), None);
            expect_refusal(call.send());
        }
        assert_eq!(server.db.generation(&ada.session), 0);
    }

    fn in_development_a_page_of_the_service_itself_passes(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let refresh = |host: &str, origin: &str| {
            let call = server.post("/auth/refresh-token").cookie(&ada.refresh);
            call.header("host", host).header("origin", origin).send()
        };
        let own = server.base.strip_prefix("http://").unwrap();
        refresh(own, &server.base).expect(200);
        refresh("dev.local:8080", "http://dev.local:8080").expect(200);
        refresh("dev.local", "https://dev.local").expect(200);
        expect_refusal(refresh(own, "http://dev.local"));
        expect_refusal(refresh("dev.local:8080", "http://dev.local"));
        expect_refusal(refresh("dev.local", "http://dev.local.evil.example"));
        expect_refusal(refresh("null", "null"));
    }

    fn in_production_the_host_header_vouches_for_nobody(db) {
        let server = TestServer::with(db, &[&PRODUCTION[..], &[PUBLIC]].concat());
        let ada = server.register("ada@example.com");
        let refresh = |host: &str, origin: &str| {
            let call = server.post("/auth/refresh-token").cookie(&ada.refresh);
            call.header("host", host).header("origin", origin).send()
        };
        expect_refusal(refresh("dev.local:8080", "http://dev.local:8080"));
        expect_refusal(refresh("evil.example", "https://evil.example"));
        refresh("auth.example.com", "https://auth.example.com").expect(200);
        refresh("evil.example", "https://auth.example.com").expect(200);
    }

    fn in_development_every_origin_may_be_let_in(db) {
        let server = TestServer::with(db, &[("--allowed-origins", "*")]);
        let ada = server.register("ada@example.com");
        let refresh = |origin: &str| {
            server.post("/auth/refresh-token").cookie(&ada.refresh).header("origin", origin).send()
        };
        let answer = refresh("https://anything.example").expect(200);
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, Some("https://anything.example"));
        expect_refusal(refresh("null"));
    }

    /// Security: D1.
    fn reading_methods_change_nothing(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let before = server.db.dump();
        for path in ["/auth/refresh-token", "/auth/logout", "/auth/login", "/auth/register",
            "/auth/change-password"]
        {
            for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"] {
                let answer = server.call(method, path).bearer(&ada.access).cookie(&ada.refresh).send();
                assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {path}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                assert!(answer.header("set-cookie").is_none());
                if method != "HEAD" {
                    answer.expect_failure(405, "METHOD_NOT_ALLOWED");
                }
            }
        }
        let session = format!("/auth/sessions/{}", ada.session);
        for (path, methods) in [("/auth/me", "GET, PATCH, DELETE"), ("/auth/sessions", "GET, DELETE"),
            (&session, "DELETE")]
        {
            let answer = server.post(path).bearer(&ada.access).send();
            let answer = answer.expect_failure(405, "METHOD_NOT_ALLOWED");
            let mut allow: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
            let mut expected: Vec<_> = methods.split(", ").collect();
            allow.sort_unstable();
            expected.sort_unstable();
            assert_eq!(allow, expected, "{path}");
        }
        let overridden = server.get("/auth/logout").bearer(&ada.access).cookie(&ada.refresh);
        let overridden = overridden.header("x-http-method-override", "POST").send();
        overridden.expect_failure(405, "METHOD_NOT_ALLOWED");
        assert_eq!(server.db.dump(), before);
    }

    /// Security: D5.
    fn what_a_form_can_send_is_refused_before_any_effect(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let login = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
        let register = json!({"email": "new@example.com", "password": PASSWORD}).to_string();
        let change = json!({"currentPassword": PASSWORD, "newPassword": "another horse"}).to_string();
        let rename = json!({"name": "Eve"}).to_string();
        let delete = json!({"password": PASSWORD}).to_string();
        let calls = [
            ("POST", "/auth/login", &*login),
            ("POST", "/auth/register", &register),
            ("POST", "/auth/refresh-token", "{}"),
            ("POST", "/auth/logout", "{}"),
            ("POST", "/auth/change-password", &change),
            ("PATCH", "/auth/me", &rename),
            ("DELETE", "/auth/me", &delete),
        ];
        let types = [
            None,
            Some(""),
            Some("text/plain"),
            Some("text/plain; application/json"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/x+json"),
            Some("application/problem+json"),
            Some("application/jsonp"),
            Some("text/json"),
            Some("application/json; charset=utf-16"),
            Some("application/json, text/plain"),
        ];
        let before = server.db.dump();
        for (method, path, body) in calls {
            let call = || {
                let call = server.call(method, path).body(body.as_bytes());
                call.bearer(&ada.access).cookie(&ada.refresh)
            };
            for kind in types {
                let call = kind.into_iter().fold(call(), |call, kind| call.header("content-type", kind));
                let answer = call.send();
                assert_eq!(answer.code(), "UNSUPPORTED_MEDIA_TYPE", "{method} {path} {kind:?}");
                let answer = answer.expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
                assert!(answer.header("set-cookie").is_none());
            }
            let twice = call().header("content-type", "application/json");
            let twice = twice.header("content-type", "application/json").send();
            twice.expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
            let packed = call().header("content-type", "application/json");
            let packed = packed.header("content-encoding", "gzip").send();
            packed.expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        assert_eq!(server.db.dump(), before);
        for kind in ["application/json", "Application/JSON", "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\""]
        {
            let call = server.post("/auth/login").body(login.as_bytes());
            call.header("content-type", kind).send().expect(200);
        }
    }

    /// Security: D6.
    fn a_preflight_of_an_allowed_page_is_answered(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        let origin = "https://app.example.com";
        for (path, method) in [("/auth/refresh-token", "POST"), ("/auth/me", "PATCH"),
            ("/auth/me", "DELETE"), ("/auth/sessions", "GET")]
        {
            let wanted = "authorization,content-type,idempotency-key,x-request-id";
            let call = server.call("OPTIONS", path).header("origin", origin);
            let call = call.header("access-control-request-method", method);
            let answer = call.header("access-control-request-headers", wanted).send();
            assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            let allowed = answer.header("access-control-allow-methods").unwrap();
            assert!(allowed.split(',').any(|allowed| allowed.trim() == method), "{allowed}");
            let mut allowed: Vec<_> = answer.header("access-control-allow-headers").unwrap()
                .split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), wanted);
            let age: u32 = answer.header("access-control-max-age").unwrap().parse().unwrap();
            assert!(age >= 60);
            assert!(varies_by_origin(&answer));
        }
    }

    /// Security: D6.
    fn a_preflight_of_any_other_page_gets_no_leave(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        for origin in ["https://evil.example", "null", "https://app.example.com.evil.example"] {
            let call = server.call("OPTIONS", "/auth/refresh-token").header("origin", origin);
            let answer = call.header("access-control-request-method", "POST").send();
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert!(varies_by_origin(&answer), "{origin}");
            expect_refusal(answer);
        }
        let call = server.call("OPTIONS", "/auth/me").header("origin", "https://app.example.com");
        let call = call.header("access-control-request-method", "GET");
        let answer = call.header("access-control-request-headers", "x-evil").send();
        assert!(answer.header("access-control-allow-headers").is_none_or(|names| !names.contains("x-evil")));
    }

    /// Security: D6, D7.
    fn answers_can_be_read_by_allowed_pages_only(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        let ada = server.register("ada@example.com");
        let get = |path: &str, origin: &str| {
            server.get(path).bearer(&ada.access).header("origin", origin).send()
        };
        // Failures, too: a page has to see the code.
        for path in ["/auth/me", "/auth/logout", "/auth/nowhere"] {
            let answer = get(path, "https://app.example.com");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, Some("https://app.example.com"), "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            let mut exposed: Vec<_> = answer.header("access-control-expose-headers").unwrap()
                .split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            exposed.sort_unstable();
            let expected =
                ["ratelimit", "ratelimit-policy", "retry-after", "www-authenticate", "x-request-id"];
            assert_eq!(exposed, expected);
            assert!(varies_by_origin(&answer), "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let refused = get(path, "https://evil.example");
            assert_eq!(refused.header("access-control-allow-origin"), None, "{path}");
            assert!(varies_by_origin(&refused), "{path}");
            assert_eq!(refused.status, answer.status);
        }
        let rejected = server.post("/auth/refresh-token").header("origin", "https://evil.example");
        let rejected = expect_refusal(rejected.send());
        assert_eq!(rejected.header("access-control-allow-origin"), None);
    }

    /// Security: D7.
    fn nothing_under_auth_may_be_cached(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let answers = [
            (server.me(&ada.access), 200),
            (server.me("x"), 401),
            (server.refresh(&ada.refresh), 200),
            (server.refresh("x"), 401),
            (server.get("/auth/login").send(), 405),
            (server.get("/auth/nowhere").send(), 404),
            (server.post("/auth/login").body(b"x").send(), 415),
            (server.post("/auth/login").json(&json!({})).send(), 400),
            (server.post("/auth/login").json(&json!({"email": "x".repeat(17_000)})).send(), 413),
            (server.get("/auth/me").header("x-pad", &"x".repeat(17_000)).send(), 431),
            (server.get("/auth/sessions").bearer(&ada.access).send(), 200),
            (server.logout(&ada.access, &ada.refresh), 204),
        ];
        for (answer, status) in answers {
            let answer = answer.expect(status);
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{status}");
            assert_eq!(answer.headers.get_all("cache-control").iter().count(), 1);
        }
    }
}

fn varies_by_origin(answer: &Answer) -> bool {
    let lines = answer.headers.get_all("vary").iter();
    lines
        .flat_map(|line| line.to_str().unwrap().split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("origin"))
}
