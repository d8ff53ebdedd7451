//! The refresh cookie: its attributes, its name, and several of them at once.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::client::claims;
use crate::support::{Answer, PASSWORD, TestServer};

/// Settings of a deployment for real users.
const PRODUCTION: [(&str, &str); 3] = [
    ("--environment", "production"),
    ("--public-url", "https://auth.example.com"),
    ("--jwt-secret", "nE0xk2mT7uVq4sYb9rLw6pHc3zGd8fJa"),
];

/// Name, value and attributes of the only cookie of an answer.
#[track_caller]
fn parts(answer: &Answer) -> (String, String, BTreeSet<String>) {
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    let mut parts = answer.header("set-cookie").unwrap().split("; ").map(str::to_owned);
    let pair = parts.next().unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let attributes: Vec<String> = parts.collect();
    let set: BTreeSet<String> = attributes.iter().cloned().collect();
    assert_eq!(set.len(), attributes.len(), "an attribute came twice");
    (name.to_owned(), value.to_owned(), set)
}

fn set<const N: usize>(attributes: [&str; N]) -> BTreeSet<String> {
    attributes.into_iter().map(str::to_owned).collect()
}

on_both_databases! {
    /// Security: C1.
    fn its_attributes_in_development(db) {
        let server = TestServer::start(db);
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let opened = server.post("/auth/register").json(&body).send().expect(201);
        let a_week = set(["Path=/auth", "Max-Age=604800", "HttpOnly", "SameSite=Strict"]);
        let (name, token, attributes) = parts(&opened);
        assert_eq!((&*name, &attributes), ("refreshToken", &a_week));
        server.clock.step(100.0);
        let rotated = server.refresh(&token).expect(200);
        assert_eq!(parts(&rotated).2, a_week);
        server.clock.step(5.0);
        // A replay's cookie has less time left.
        let replayed = server.refresh(&token).expect(200);
        let rest = set(["Path=/auth", "Max-Age=604795", "HttpOnly", "SameSite=Strict"]);
        assert_eq!(parts(&replayed).2, rest);
        let left = server.logout(&opened.access_token(), &replayed.refresh_token()).expect(204);
        let gone = set(["Path=/auth", "Max-Age=0", "HttpOnly", "SameSite=Strict"]);
        assert_eq!(parts(&left), ("refreshToken".into(), String::new(), gone));
    }

    /// Security: C1.
    fn its_attributes_in_production(db) {
        let server = TestServer::with(db, &PRODUCTION);
        let ada = server.register("ada@example.com");
        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        let login = server.post("/auth/login").json(&login).send().expect(200);
        let attributes = |age| set(["Path=/auth", age, "HttpOnly", "SameSite=Strict", "Secure"]);
        assert_eq!(parts(&login).2, attributes("Max-Age=604800"));
        let left = server.logout(&ada.access, &ada.refresh).expect(204);
        assert_eq!(parts(&left), ("refreshToken".into(), String::new(), attributes("Max-Age=0")));
    }

    /// Security: C3.
    fn the_host_prefix_works(db) {
        let host = [("--cookie-name", "__Host-refreshToken"), ("--cookie-path", "/")];
        let server = TestServer::with(db, &[&PRODUCTION[..], &host].concat());
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let opened = server.post("/auth/register").json(&body).send().expect(201);
        let attributes = |age| set(["Path=/", age, "HttpOnly", "SameSite=Strict", "Secure"]);
        let (name, token, set) = parts(&opened);
        assert_eq!((&*name, set), ("__Host-refreshToken", attributes("Max-Age=604800")));
        let with = |call: crate::support::Call<'_>, cookies: &str| call.header("cookie", cookies).send();
        let refresh = |cookies: &str| with(server.post("/auth/refresh-token"), cookies);
        let refreshed = refresh(&format!("__Host-refreshToken={token}")).expect(200);
        let (_, token, _) = parts(&refreshed);
        // A page of a sibling domain can set these, but not the real one.
        for name in ["refreshToken", "__%48ost-refreshToken", "__host-refreshToken", "Host-refreshToken"] {
            refresh(&format!("{name}={token}")).expect_failure(401, "REFRESH_TOKEN_MISSING");
        }
        let logout = server.post("/auth/logout").bearer(&opened.access_token());
        let left = with(logout, &format!("__Host-refreshToken={token}")).expect(204);
        assert_eq!(parts(&left), ("__Host-refreshToken".into(), String::new(), attributes("Max-Age=0")));
    }

    /// Security: C7.
    fn a_percent_encoded_name_shadows_nothing(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let evil = server.register("evil@example.com");
        let refresh = |cookies: String| server.post("/auth/refresh-token").header("cookie", &cookies).send();
        for name in ["refresh%54oken", "%72efreshToken", "REFRESHTOKEN", "refreshToken2", "xrefreshToken"] {
            refresh(format!("{name}={}", evil.refresh)).expect_failure(401, "REFRESH_TOKEN_MISSING");
            let answer = refresh(format!("{name}={}; refreshToken={}", evil.refresh, ada.refresh));
            assert_eq!(answer.expect(200).json()["user"]["id"], *ada.user);
        }
        assert_eq!(server.db.generation(&evil.session), 0);
    }

    /// Security: C7.
    fn of_one_session_the_highest_generation_counts(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let first = server.refresh(&ada.refresh).expect(200).refresh_token();
        let second = server.refresh(&first).expect(200).refresh_token();
        server.clock.step(60.0);
        let cookies = format!("refreshToken={first}; refreshToken={second}; refreshToken={}", ada.refresh);
        let answer = server.post("/auth/refresh-token").header("cookie", &cookies).send().expect(200);
        assert_eq!(claims(&answer.refresh_token())["gen"], 3);
        assert!(!server.db.is_revoked(&ada.session));
    }

    /// Security: C7.
    fn cookies_that_are_no_tokens_are_passed_over(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let forged = server.forge_refresh(&ada.refresh).claim("gen", 7).key(b"guessed").sign();
        for other in ["", "nonsense", "a.b.c", &forged] {
            // In one header or, as HTTP/2 has it, in several.
            let one = format!("refreshToken={other}; theme=dark; refreshToken={}", ada.refresh);
            server.post("/auth/refresh-token").header("cookie", &one).send().expect(200);
            let several = server.post("/auth/refresh-token").cookie(other).cookie(&ada.refresh);
            several.send().expect(200);
        }
    }

    /// Security: C7.
    fn of_several_sessions_the_live_one_counts(db) {
        let server = TestServer::start(db);
        let live = server.register("ada@example.com");
        let ended = server.login("ada@example.com");
        let disabled = server.register("off@example.com");
        let pruned = server.login("ada@example.com");
        let body = server.register_in_body("body@example.com");
        server.logout(&ended.access, &ended.refresh).expect(204);
        server.disable(&disabled.user);
        let id = server.db.id(&pruned.session);
        server.db.execute(&format!("DELETE FROM refresh_tokens WHERE id = {id}"));
        let refresh = |tokens: [&str; 2]| {
            let cookies = tokens.map(|token| format!("refreshToken={token}")).join("; ");
            server.post("/auth/refresh-token").header("cookie", &cookies).send()
        };
        for dead in [&ended, &disabled, &pruned, &body] {
            for order in [[&*live.refresh, &*dead.refresh], [&dead.refresh, &live.refresh]] {
                assert_eq!(refresh(order).expect(200).json()["user"]["id"], *live.user);
            }
        }
        assert_eq!(server.db.generation(&body.session), 0);
        refresh([&ended.refresh, &disabled.refresh]).expect_failure(401, "SESSION_REVOKED");
    }

    /// Security: C7, B8.
    fn two_live_sessions_are_for_nobody_to_choose_but_a_sign_in_ends_both(db) {
        let server = TestServer::start(db);
        for path in ["/auth/login", "/auth/register"] {
            let email = format!("{}@example.com", &path[6..]);
            let ada = server.register(&email);
            let bob = server.register(&format!("bob-{email}"));
            let cookies = format!("refreshToken={}; refreshToken={}", ada.refresh, bob.refresh);
            let before = server.db.dump();
            let refresh = server.post("/auth/refresh-token").header("cookie", &cookies).send();
            let refresh = refresh.expect_failure(400, "MALFORMED_REQUEST");
            assert!(refresh.header("set-cookie").is_none());
            let logout = server.post("/auth/logout").bearer(&ada.access).header("cookie", &cookies);
            logout.send().expect_failure(400, "MALFORMED_REQUEST");
            assert_eq!(server.db.dump(), before);
            let email = if path == "/auth/login" { email } else { format!("new-{email}") };
            let body = json!({"email": email, "password": PASSWORD});
            let signed_in = server.post(path).json(&body).header("cookie", &cookies).send();
            assert!(matches!(signed_in.status, 200 | 201));
            for ended in [ada, bob] {
                server.refresh(&ended.refresh).expect_failure(401, "SESSION_REVOKED");
                server.me(&ended.access).expect_failure(401, "SESSION_REVOKED");
            }
            server.refresh(&signed_in.refresh_token()).expect(200);
        }
    }

    /// Security: C9.
    fn a_failed_refresh_sets_no_cookie(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let bob = server.register("bob@example.com");
        server.logout(&bob.access, &bob.refresh).expect(204);
        server.refresh(&ada.refresh).expect(200);
        let gone = server.register("gone@example.com");
        let id = server.db.id(&gone.session);
        server.db.execute(&format!("DELETE FROM refresh_tokens WHERE id = {id}"));
        server.clock.step(60.0);
        let late = server.forge_refresh(&ada.refresh).claim("exp", server.seconds()).sign();
        let cases = [
            ("nonsense", 401, "REFRESH_TOKEN_INVALID"),
            (&gone.refresh, 401, "REFRESH_TOKEN_INVALID"),
            (&late, 401, "REFRESH_TOKEN_EXPIRED"),
            (&bob.refresh, 401, "SESSION_REVOKED"),
            (&ada.refresh, 401, "REFRESH_TOKEN_REUSED"),
            (&ada.refresh, 401, "SESSION_REVOKED"),
        ];
        for (token, status, code) in cases {
            let answer = server.refresh(token).expect_failure(status, code);
            assert!(answer.header("set-cookie").is_none(), "{code}");
        }
        let evil = server.post("/auth/refresh-token").cookie(&ada.refresh);
        let evil = evil.header("origin", "https://evil.example").send();
        let evil = evil.expect_failure(403, "ORIGIN_REJECTED");
        assert!(evil.header("set-cookie").is_none());
    }

    /// Security: C8.
    fn the_largest_cookie_fits_into_a_browser(db) {
        // Quotation marks double in JSON.
        let longest = "\"".repeat(256);
        let name = "n".repeat(64);
        let flags = [("--jwt-issuer", &*longest), ("--jwt-audience", &longest), ("--cookie-name", &name)];
        let server = TestServer::with(db, &flags);
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let opened = server.post("/auth/register").json(&body).send().expect(201);
        let (name, token, _) = parts(&opened);
        let later = server.forge_refresh(&token).claim("gen", i64::MAX - 1).sign();
        assert!(name.len() + later.len() <= 4096, "{}", name.len() + later.len());
        // And it is taken back: so is the access token.
        let refreshed = server.post("/auth/refresh-token").header("cookie", &format!("{name}={token}"));
        server.me(&refreshed.send().expect(200).access_token()).expect(200);
    }

    /// Other software on the same host sets what it likes.
    fn another_cookie_hides_nothing(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let cookies = format!("city=K\u{f6}ln; refreshToken={}; x=\u{1f980}", ada.refresh);
        server.post("/auth/refresh-token").header("cookie", &cookies).send().expect(200);
    }
}
