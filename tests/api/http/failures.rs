//! Every failure is one of ours, in one form.

use std::fmt::Write;

use serde_json::json;
use symbolon::error::Code;

use crate::support::{Answer, Db, PASSWORD, TestServer};

/// Every resource with the methods it takes.
const RESOURCES: [(&str, &[&str]); 35] = [
    ("/auth/register", &["POST"]),
    ("/auth/login", &["POST"]),
    ("/auth/refresh-token", &["POST"]),
    ("/auth/logout", &["POST"]),
    ("/auth/me", &["GET", "PATCH", "DELETE"]),
    ("/auth/sessions", &["GET", "DELETE"]),
    ("/auth/sessions/01890a5d-ac96-774b-bcce-b302099a8057", &["DELETE"]),
    ("/auth/change-password", &["POST"]),
    ("/auth/change-email", &["POST"]),
    ("/auth/forgot-password", &["POST"]),
    ("/auth/reset-password", &["POST"]),
    ("/auth/verify-email", &["POST"]),
    ("/auth/resend-verification", &["POST"]),
    ("/admin/users", &["GET"]),
    ("/admin/users/01890a5d-ac96-774b-bcce-b302099a8057", &["GET", "PATCH", "DELETE"]),
    ("/admin/users/01890a5d-ac96-774b-bcce-b302099a8057/sessions", &["GET", "DELETE"]),
    ("/admin/events", &["GET"]),
    ("/admin/stats", &["GET"]),
    ("/healthz", &["GET", "HEAD"]),
    ("/readyz", &["GET", "HEAD"]),
    ("/", &["GET", "HEAD"]),
    ("/.well-known/change-password", &["GET", "HEAD"]),
    ("/account", &["GET", "HEAD"]),
    ("/account/sign-in", &["GET", "HEAD"]),
    ("/account/register", &["GET", "HEAD"]),
    ("/account/forgot", &["GET", "HEAD"]),
    ("/account/reset", &["GET", "HEAD"]),
    ("/account/verify", &["GET", "HEAD"]),
    ("/account/password", &["GET", "HEAD"]),
    ("/account/devices", &["GET", "HEAD"]),
    ("/account/assets/style.css", &["GET", "HEAD"]),
    ("/admin", &["GET", "HEAD"]),
    ("/openapi.json", &["GET", "HEAD"]),
    ("/docs", &["GET", "HEAD"]),
    ("/docs/index.html", &["GET", "HEAD"]),
];

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"];

/// Security: M4, D1, K2.
#[test]
fn a_method_that_a_resource_does_not_take_is_405_with_allow() {
    let server = TestServer::start(Db::sqlite());
    for (path, taken) in RESOURCES {
        for method in METHODS.iter().filter(|method| !taken.contains(method)) {
            let answer = server.call(method, path).send();
            assert_eq!(answer.status, 405, "{method} {path}");
            let mut allow: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
            allow.sort_unstable();
            let mut expected = taken.to_vec();
            expected.sort_unstable();
            assert_eq!(allow, expected, "{method} {path}");
            // An answer to HEAD has no body.
            if *method != "HEAD" {
                answer.expect_failure(405, "METHOD_NOT_ALLOWED");
            }
        }
    }
}

/// Security: D1.
#[test]
fn get_and_head_change_nothing() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    for (path, _) in RESOURCES {
        for method in ["GET", "HEAD"] {
            server.call(method, path).bearer(&ada.access).cookie(&ada.refresh).send();
        }
    }
    assert_eq!(server.db.number("SELECT max(generation) FROM refresh_tokens"), 0);
    server.me(&ada.access).expect(200);
    server.refresh(&ada.refresh).expect(200);
    server.login("ada@example.com");
}

/// Security: K2.
#[test]
fn what_does_not_exist_is_404() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    for path in [
        "/nope",
        "/auth",
        "/auth/",
        "/auth/nope",
        "/auth/login/",
        "/auth/LOGIN",
        "//auth/login",
        "/healthz/",
        "/auth/../healthz",
        "/%2e%2e/healthz",
        "/auth%2flogin",
        "/\u{1f980}",
    ] {
        for method in METHODS.iter().filter(|method| **method != "HEAD") {
            let path = path.replace('\u{1f980}', "%F0%9F%A6%80");
            server.call(method, &path).send().expect_failure(404, "NOT_FOUND");
        }
    }
    for id in ["nope", "01890a5d-ac96-774b-bcce-b302099a8057", "%00", "1"] {
        let answer = server.delete(&format!("/auth/sessions/{id}")).bearer(&ada.access).send();
        answer.expect_failure(404, "NOT_FOUND");
    }
}

fn challenge(answer: &Answer) -> &str {
    answer.header("www-authenticate").expect("a challenge")
}

const PLAIN: &str = r#"Bearer realm="symbolon""#;
const BAD_TOKEN: &str = r#"Bearer realm="symbolon", error="invalid_token""#;

on_both_databases! {
    /// Security: K1.
    fn every_401_has_a_challenge_that_names_an_error_for_a_bad_access_token_only(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let me = |authorization: &str| {
            server.get("/auth/me").header("authorization", authorization).send()
        };

        let answer = server.get("/auth/me").send().expect_failure(401, "TOKEN_MISSING");
        assert_eq!(challenge(&answer), PLAIN);
        for other in ["Basic YTpi", "Digest x", "", "Bearerx y", "token"] {
            let answer = me(other).expect_failure(401, "TOKEN_MISSING");
            assert_eq!(challenge(&answer), PLAIN, "{other}");
        }
        for bad in ["Bearer x", "bearer x.y.z", "Bearer ", "Bearer a b", &ada.refresh] {
            let bad = if bad == ada.refresh { format!("Bearer {bad}") } else { bad.to_owned() };
            let answer = me(&bad).expect_failure(401, "TOKEN_INVALID");
            assert_eq!(challenge(&answer), BAD_TOKEN, "{bad}");
        }
        for path in ["/auth/sessions", "/auth/me"] {
            let answer = server.delete(path).send().expect_failure(401, "TOKEN_MISSING");
            assert_eq!(challenge(&answer), PLAIN);
        }

        let refresh = |token| {
            let call = server.post("/auth/refresh-token");
            Option::into_iter(token).fold(call, |call, token: &str| call.cookie(token)).send()
        };
        let answer = refresh(None).expect_failure(401, "REFRESH_TOKEN_MISSING");
        assert_eq!(challenge(&answer), PLAIN);
        let answer = refresh(Some("x")).expect_failure(401, "REFRESH_TOKEN_INVALID");
        assert_eq!(challenge(&answer), PLAIN);

        let login = json!({"email": "ada@example.com", "password": "not the password"});
        let answer = server.post("/auth/login").json(&login).send();
        assert_eq!(challenge(&answer.expect_failure(401, "INVALID_CREDENTIALS")), PLAIN);
        let change = json!({"currentPassword": "wrong", "newPassword": "another good one"});
        let answer = server.post("/auth/change-password").bearer(&ada.access).json(&change).send();
        assert_eq!(challenge(&answer.expect_failure(401, "INVALID_CREDENTIALS")), PLAIN);

        server.logout(&ada.access, &ada.refresh).expect(204);
        let answer = server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(challenge(&answer), BAD_TOKEN);
        let answer = refresh(Some(&ada.refresh)).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(challenge(&answer), PLAIN);
    }

    /// Security: K1, K4.
    fn a_token_has_expired_only_if_it_was_ours(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.clock.step(15.0 * 60.0);

        let answer = server.me(&ada.access).expect_failure(401, "TOKEN_EXPIRED");
        assert_eq!(challenge(&answer), BAD_TOKEN);
        let (content, signature) = ada.access.rsplit_once('.').unwrap();
        let forged = format!("{content}.{}", signature.chars().rev().collect::<String>());
        server.me(&forged).expect_failure(401, "TOKEN_INVALID");
        let (content, signature) = ada.refresh.rsplit_once('.').unwrap();
        let forged = format!("{content}.{}", signature.chars().rev().collect::<String>());
        server.clock.step(8.0 * 86_400.0);
        server.refresh(&forged).expect_failure(401, "REFRESH_TOKEN_INVALID");
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
    }

    /// Security: M7, K6.
    fn a_panic_is_a_500_of_ours_and_the_process_lives(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        for _ in 0..3 {
            server.clock.set_broken(true);
            for answer in [
                server.me(&ada.access),
                server.refresh(&ada.refresh),
                server.post("/auth/login").json(&login).send(),
                server.logout(&ada.access, &ada.refresh),
            ] {
                let answer = answer.expect_failure(500, "INTERNAL");
                assert_eq!(answer.json()["detail"], "Something went wrong on our side");
                for inner in ["panic", "clock", "broken", ".rs", "thread"] {
                    assert!(!answer.text.contains(inner), "{}", answer.text);
                }
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
            server.clock.set_broken(false);
            server.me(&ada.access).expect(200);
        }
        server.refresh(&ada.refresh).expect(200);
        server.login("ada@example.com");
    }
}

/// Pages that may call can read why they fail, wherever that was found.
#[test]
fn an_allowed_page_can_read_every_failure() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    let me = || server.get("/auth/me").bearer(&ada.access).header("origin", &server.base);
    let large = me().header("x-pad", &"x".repeat(17_000)).send();
    server.clock.set_broken(true);
    let broken = me().send();
    for (answer, status, code) in [(large, 431, "HEADERS_TOO_LARGE"), (broken, 500, "INTERNAL")] {
        let answer = answer.expect_failure(status, code);
        assert_eq!(answer.header("access-control-allow-origin"), Some(&*server.base));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert!(answer.header("vary").unwrap().contains("Origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

/// Security: K3. What clients match on never changes by accident: the list is kept in `codes.txt`,
/// and a change of it is to be seen in review.
#[test]
fn the_codes_are_frozen() {
    let mut table = String::new();
    for code in Code::ALL {
        writeln!(table, "{} {} {}", code.status().as_u16(), code.name(), code.title()).unwrap();
    }
    assert_eq!(table, include_str!("codes.txt"), "if this is meant, change codes.txt too");
}
