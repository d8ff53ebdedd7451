//! Where a page leads on to: nowhere that somebody could have had in mind for our users.

use std::time::{Duration, Instant};

use url::form_urlencoded::byte_serialize;

use super::attribute;
use crate::support::process::{Process, free_port};
use crate::support::{Db, TestServer};

const FLAGS: [(&str, &str); 2] = [
    ("--allowed-origins", "https://app.example.com, http://localhost:3000"),
    ("--public-url", "https://auth.example.com"),
];

const PRODUCTION: [(&str, &str); 2] =
    [("--environment", "production"), ("--jwt-secret", "nE0xk2mT7uVq4sYb9rLw6pHc3zGd8fJa")];

/// What is asked for, and what the page is told.
const ALLOWED: &[(&str, &str)] = &[
    ("/", "/"),
    ("/admin", "/admin"),
    ("/account/devices?x=1&y=%20#z", "/account/devices?x=1&y=%20#z"),
    ("/%2fevil.example", "/%2fevil.example"),
    ("/a//b/../c", "/a//c"),
    ("/\u{fc}", "/%C3%BC"),
    ("/\"><script>alert('1')</script>&quot;", "/%22%3E%3Cscript%3Ealert('1')%3C/script%3E&quot;"),
    ("/x=\"onload=\"alert(1)", "/x=%22onload=%22alert(1)"),
    ("https://app.example.com", "https://app.example.com/"),
    ("https://app.example.com/", "https://app.example.com/"),
    (
        "https://app.example.com/a?b=c&d=https://evil.example#e",
        "https://app.example.com/a?b=c&d=https://evil.example#e",
    ),
    ("https://app.example.com/\"><b='&amp;", "https://app.example.com/%22%3E%3Cb='&amp;"),
    ("https://app.example.com/?\"'<>", "https://app.example.com/?%22%27%3C%3E"),
    ("https://app.example.com/#\"'<>", "https://app.example.com/#%22'%3C%3E"),
    ("https://app.example.com//evil.example", "https://app.example.com//evil.example"),
    ("https://app.example.com/../..//evil.example", "https://app.example.com//evil.example"),
    ("https://app.example.com:443/x", "https://app.example.com/x"),
    ("HTTPS://APP.example.COM/X", "https://app.example.com/X"),
    ("https:app.example.com/x", "https://app.example.com/x"),
    ("https:///app.example.com/x", "https://app.example.com/x"),
    ("https://app.example.com/\u{fc}", "https://app.example.com/%C3%BC"),
    ("https://auth.example.com/account", "https://auth.example.com/account"),
    ("http://localhost:3000/callback", "http://localhost:3000/callback"),
];

const REFUSED: &[&str] = &[
    "",
    " ",
    "account",
    "./account",
    "?x",
    "#x",
    "app.example.com",
    "//evil.example",
    "///evil.example",
    "//app.example.com/",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/x\\..\\..\\evil",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\0/evil.example",
    "/./\\evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/x/..//evil.example",
    "/x/%2e%2e//evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "\u{1}javascript:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "javascript:https://app.example.com",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://app.example.com/",
    "ws://app.example.com/",
    "blob:https://app.example.com/5e1f6a0c-0000-4000-8000-000000000000",
    "filesystem:https://app.example.com/x",
    "view-source:https://app.example.com/",
    "about:blank",
    "null",
    "https:",
    "https://",
    "https://evil.example",
    "https://evil.example/https://app.example.com",
    "https://evil.example?https://app.example.com",
    "https://evil.example#https://app.example.com",
    "https://evil.example#@app.example.com/",
    "https://evil.example\\@app.example.com/",
    "https://app.example.com\\@evil.example/",
    "https://app.example.com\\.evil.example/",
    "https://app.example.com@evil.example/",
    "https://app.example.com:443@evil.example/",
    "https://app.example.com%40evil.example/",
    "https://app.example.com%2f@evil.example/",
    "https://user@app.example.com/",
    "https://user:secret@app.example.com/",
    "https://:@evil.example/",
    "https://app.example.com.evil.example/",
    "https://app.example.com.",
    "https://app.example.comevil/",
    "https://evil-app.example.com/",
    "https://sub.app.example.com/",
    "https://example.com/",
    "https://app.example.com:8443/",
    "https://app.example.com:80/",
    "http://app.example.com/",
    "http://app.example.com:443/",
    "http://auth.example.com/",
    "http://localhost/",
    "http://localhost:30000/",
    "http://127.0.0.1:3000/",
    "http://[::1]:3000/",
    "https://app\u{2024}example.com.evil.example/",
    "https://\u{430}pp.example.com/",
    "https://app.example.com\u{2028}.evil.example/",
    "https://app.example.com /",
    "https://app.example.com/ x",
    "https://app.example.com/\r\nSet-Cookie: x=y",
    "https://app.exa\nmple.com/",
    "https://app.example.com\u{0}.evil.example/",
    "https://app.example.com/\u{7f}",
    "*",
];

fn told(server: &TestServer, page: &str, host: &str, asked: &str) -> Option<String> {
    let asked: String = byte_serialize(asked.as_bytes()).collect();
    let page = format!("{page}?return_to={asked}");
    attribute(&server.get(&page).header("host", host).send().expect(200), "data-return-to")
}

#[test]
fn a_page_leads_on_to_allowed_origins_only() {
    let server = TestServer::with(Db::sqlite(), &[&FLAGS[..], &PRODUCTION].concat());
    let own = "auth.example.com";
    for (asked, expected) in ALLOWED {
        let told = told(&server, "/account/sign-in", own, asked);
        assert_eq!(told.as_deref(), Some(*expected), "{asked}");
    }
    for asked in REFUSED {
        assert_eq!(told(&server, "/account/sign-in", own, asked), None, "{asked}");
    }
    for page in super::ACCOUNT {
        assert_eq!(told(&server, page, own, "/x").as_deref(), Some("/x"), "{page}");
    }
}

/// Security: H4. Nor does whoever sends the request say where that is.
#[test]
fn the_host_header_vouches_for_nobody_in_production() {
    let evil = "https://evil.example/";
    let server = TestServer::with(Db::sqlite(), &[&FLAGS[..], &PRODUCTION].concat());
    assert_eq!(told(&server, "/account", "evil.example", evil), None);
    // In development nobody sets `PUBLIC_URL`, and a browser sends the host that it has called.
    let server = TestServer::start(Db::sqlite());
    let (own, host) = (format!("{}/x", server.base), server.base.strip_prefix("http://").unwrap());
    assert_eq!(told(&server, "/account", host, &own), Some(own));
    let by_name = "http://dev.local:8080/x";
    assert_eq!(told(&server, "/account", "dev.local:8080", by_name).as_deref(), Some(by_name));
    assert_eq!(told(&server, "/account", host, by_name), None);
    assert_eq!(told(&server, "/account", host, evil), None);
    // Where every page may call, which is for development only, every place will do.
    let server = TestServer::with(Db::sqlite(), &[("--allowed-origins", "*")]);
    assert_eq!(told(&server, "/account", host, evil).as_deref(), Some(evil));
    assert_eq!(told(&server, "/account", host, "javascript:alert(1)"), None);
}

/// However the query is written, the page is told of one place or of none.
#[test]
fn a_query_cannot_talk_the_page_into_it() {
    let server = TestServer::with(Db::sqlite(), &FLAGS);
    for (query, expected) in [
        ("return_to=/a&return_to=https://evil.example", Some("/a")),
        ("return_to=https://evil.example&return_to=/a", None),
        ("return_to", None),
        ("return_to=", None),
        ("Return_To=/a", None),
        ("return_to[]=/a", None),
        ("x=1&return_to=/a&y", Some("/a")),
        ("return%5fto=/a", Some("/a")),
        ("return_to=%2Fa%22%3E%3Cscript%3E", Some("/a%22%3E%3Cscript%3E")),
        ("return_to=%2f%2fevil.example", None),
        ("return_to=%252f%252fevil.example", None),
        ("return_to=/%00", None),
        ("return_to=%ff%fe//evil.example", None),
        ("return_to=/a+b", None),
        ("next=/a&redirect=/a&url=/a&returnTo=/a", None),
        ("data-return-to=/a", None),
        ("&&&=&", None),
    ] {
        let page = server.get(&format!("/account?{query}")).send().expect(200);
        assert_eq!(attribute(&page, "data-return-to").as_deref(), expected, "{query}");
        assert_eq!(page.text.matches("data-return-to").count(), expected.iter().len(), "{query}");
        assert!(!page.text.contains("<script>") && !page.text.contains("evil"), "{}", page.text);
        let without = server.get("/account").send().text;
        let rest = |text: &str| {
            text.split_once('>').and_then(|(_, rest)| rest.split_once('>')).unwrap().1.to_owned()
        };
        assert_eq!(rest(&page.text), rest(&without), "{query}");
    }
}

/// The operator reads where somebody was to be led, but nothing that may be a secret of theirs.
#[test]
fn what_is_left_out_is_logged_by_its_origin() {
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[]);
    for (asked, said) in [
        ("https://evil.example/canary?canary%23canary", "return_to leads to https://evil.example"),
        ("javascript:canary", "return_to is neither an http(s) URL nor a path"),
        ("https://canary:canary@127.0.0.1/", "return_to is neither an http(s) URL nor a path"),
    ] {
        process.get(&format!("/account?return_to={asked}")).send().expect(200);
        let began = Instant::now();
        while !process.logged().contains(said) {
            assert!(began.elapsed() < Duration::from_secs(5), "{}", process.logged());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let log = process.logged();
    let line = log.lines().find(|line| line.contains("evil.example")).unwrap();
    assert!(line.contains(" INFO ") && line.contains("ALLOWED_ORIGINS"), "{line}");
    assert!(!log.contains("canary"), "{log}");
    process.get("/account?return_to=/canary").send().expect(200);
    assert!(!process.logged().contains("canary"));
}
