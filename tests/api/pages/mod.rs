//! `/account/*`, `/admin`: the hosted pages, as a browser gets them. `tests/browser` uses them.

mod assets;
mod return_to;
mod shells;

use crate::support::{Answer, Call, Db, TestServer};

/// The page of an account, by each of its addresses.
const ACCOUNT: [&str; 8] = [
    "/account",
    "/account/sign-in",
    "/account/register",
    "/account/forgot",
    "/account/reset",
    "/account/verify",
    "/account/password",
    "/account/devices",
];

/// What every answer has that no browser should render.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// An attribute of the root element, as a browser reads it.
fn attribute(page: &Answer, name: &str) -> Option<String> {
    let (_, root) = page.text.split_once("<html").expect("a page");
    let (root, _) = root.split_once('>').expect("a root element");
    let (_, rest) = root.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"').expect("an attribute ends");
    let entities =
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    Some(entities.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// Sends `GET` and `HEAD`, which have to be answered alike; the answer to `GET`.
#[track_caller]
fn both<'a>(server: &'a TestServer, path: &str, with: impl Fn(Call<'a>) -> Call<'a>) -> Answer {
    let get = with(server.get(path)).send();
    let head = with(server.call("HEAD", path)).send();
    assert_eq!((head.status, &*head.text), (get.status, ""), "{path}");
    for (name, value) in &get.headers {
        let differs = matches!(name.as_str(), "x-request-id" | "date")
            || name.as_str().starts_with("access-control-");
        assert!(differs || head.headers.get(name) == Some(value), "{path}: {name}");
    }
    get
}

#[test]
fn they_can_be_switched_off() {
    let server = TestServer::with(Db::sqlite(), &[("--hosted-pages", "off")]);
    let others = ["/", "/admin", "/.well-known/change-password", "/account/assets/style.css"];
    for path in ACCOUNT.into_iter().chain(others) {
        let answer = both(&server, path, |call| call).expect_failure(404, "NOT_FOUND");
        assert_eq!(answer.header("content-security-policy"), Some(NO_PAGE), "{path}");
    }
    let ada = server.register("ada@example.com");
    server.me(&ada.access).expect(200);
    server.get("/admin/users").bearer(&ada.access).send().expect_failure(403, "FORBIDDEN");
}

/// Whoever opens the bare address gets somewhere, and so do password managers.
#[test]
fn addresses_lead_to_them() {
    let server = TestServer::start(Db::sqlite());
    for (path, status, place) in
        [("/", 303, "/account"), ("/.well-known/change-password", 302, "/account/password")]
    {
        for query in ["", "?return_to=https://evil.example"] {
            let answer = both(&server, &format!("{path}{query}"), |call| call).expect(status);
            assert_eq!(answer.header("location"), Some(place));
            assert_eq!(
                (answer.header("content-security-policy"), &*answer.text),
                (Some(NO_PAGE), "")
            );
        }
        server.get(place).send().expect(200);
    }
}

/// Whatever is written otherwise is not there, as a page or at all.
#[test]
fn no_other_address_is_one_of_them() {
    let server = TestServer::start(Db::sqlite());
    for path in [
        "//account",
        "/account/",
        "/account//",
        "/account/nope",
        "/account/sign-in/",
        "/account/Sign-In",
        "/ACCOUNT",
        "/account;x",
        "/account%2f",
        "/account%2fsign-in",
        "/account/./sign-in",
        "/account/../account",
        "/account/..%2f..%2fetc/passwd",
        "/account\\sign-in",
        "/accounts",
        "/admin/",
        "//admin",
        "/admin/nope",
        "//evil.example",
        "/%2fevil.example",
        "/index.html",
        "/account.html",
        "/web/account.html",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = server.raw(request.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 404 ") || answer.starts_with("HTTP/1.1 400 "),
            "{path}"
        );
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
        assert!(answer.contains(&format!("content-security-policy: {NO_PAGE}\r\n")), "{path}");
        assert!(!answer.contains("location:"), "{path}: {answer}");
    }
}
