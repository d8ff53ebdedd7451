//! The HTML of the pages: what it may load, and what it says of the settings.

use serde_json::json;
use symbolon::one_time::Purpose;

use super::{ACCOUNT, NO_PAGE, attribute, both};
use crate::support::{Db, TestServer};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types lit-html";

const PRODUCTION: [(&str, &str); 3] = [
    ("--environment", "production"),
    ("--public-url", "https://auth.test"),
    ("--jwt-secret", "Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA"),
];

/// Security: D8. They have what every answer has, but a policy of their own.
#[test]
fn a_page_runs_our_own_scripts_and_is_in_no_frame() {
    for production in [false, true] {
        let flags: &[_] = if production { &PRODUCTION } else { &[] };
        let server = TestServer::with(Db::sqlite(), flags);
        for path in ACCOUNT.into_iter().chain(["/admin"]) {
            let page = both(&server, path, |call| call).expect(200);
            for (name, value) in [
                ("content-type", "text/html; charset=utf-8"),
                ("content-security-policy", POLICY),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
            ] {
                let values: Vec<_> = page.headers.get_all(name).iter().collect();
                assert_eq!(values, [value], "{path}: {name}");
            }
            let transport = page.header("strict-transport-security");
            assert_eq!(transport, production.then_some("max-age=31536000"));
            assert!(page.header("set-cookie").is_none());
        }
    }
}

/// Security: D8. What is refused below their addresses is not for a browser to render.
#[test]
fn a_refusal_is_no_page() {
    let server = TestServer::start(Db::sqlite());
    let large = "x".repeat(17 * 1024);
    for (status, answer) in [
        (404, server.get("/account/nope").send()),
        (404, server.get("/account/assets/nope.js").send()),
        (405, server.post("/account/sign-in").send()),
        (405, server.post("/account/assets/style.css").send()),
        (431, server.get("/account").header("x-large", &large).send()),
        (401, server.get("/admin/users").send()),
        (405, server.post("/admin").send()),
    ] {
        let code = answer.code();
        let answer = answer.expect_failure(status, &code);
        assert_eq!(answer.header("content-security-policy"), Some(NO_PAGE), "{status}");
        for name in ["cross-origin-opener-policy", "permissions-policy"] {
            assert!(answer.header(name).is_none(), "{status}: {name}");
        }
    }
}

#[test]
fn a_page_knows_the_settings() {
    let usual = [
        ("data-registration", "open"),
        ("data-password-min-length", "8"),
        ("data-verified-email", "optional"),
    ];
    let flags = [
        ("--registration", "closed"),
        ("--password-min-length", "12"),
        ("--require-verified-email", "true"),
    ];
    let changed = [
        ("data-registration", "closed"),
        ("data-password-min-length", "12"),
        ("data-verified-email", "required"),
    ];
    for (flags, expected) in [(&[][..], usual), (&flags[..], changed)] {
        let server = TestServer::with(Db::sqlite(), flags);
        for path in ["/account", "/account/register", "/admin"] {
            let page = server.get(path).send().expect(200);
            for (name, value) in expected {
                assert_eq!(attribute(&page, name).as_deref(), Some(value), "{path}");
            }
            assert_eq!(attribute(&page, "data-return-to"), None);
        }
    }
}

/// It is the same for everybody: nothing in it depends on who asks.
#[test]
fn a_page_knows_nobody() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    for path in ["/account", "/account/devices", "/admin"] {
        let page = server.get(path).send().expect(200);
        let own = server.get(path).bearer(&ada.access).cookie(&ada.refresh).send().expect(200);
        assert_eq!(own.text, page.text, "{path}");
        assert_eq!(server.get(path).bearer("nonsense").send().expect(200).text, page.text);
    }
}

on_both_databases! {
    /// Security: H6. Mail programs look at links before people do.
    fn opening_a_link_uses_nothing_up(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let column = if server.db.is_postgres() { "id" } else { "hex(id)" };
        let id = server.db.text(&format!("SELECT {column} FROM one_time_tokens"));
        let token = server.app.one_time.text(id.parse().unwrap(), Purpose::VerifyEmail);
        let before = server.db.dump();
        for page in ["verify", "reset"] {
            for _ in 0..2 {
                let path = format!("/account/{page}?token={token}");
                let answer = both(&server, &path, |call| call.cookie(&ada.refresh)).expect(200);
                assert!(!answer.text.contains(&token), "what is in a query is not for a page");
            }
        }
        assert_eq!(server.db.dump(), before);
        let verify = server.post("/auth/verify-email").json(&json!({"token": token}));
        verify.send().expect(204);
    }
}
