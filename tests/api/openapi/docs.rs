//! The page that shows the document.

use crate::support::{Db, TestServer};

#[test]
fn the_page_and_its_files_come_with_a_policy_of_their_own() {
    let server = TestServer::start(Db::sqlite());
    let way = server.get("/docs").send().expect(302);
    assert_eq!(way.header("location"), Some("docs/"));
    for (file, media_type) in [
        ("", "text/html"),
        ("index.html", "text/html"),
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-initializer.js", "text/javascript"),
    ] {
        let answer = server.get(&format!("/docs/{file}")).send().expect(200);
        assert_eq!(answer.header("content-type"), Some(media_type), "{file}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{file}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        let tag = answer.header("etag").unwrap();
        let again = server.get(&format!("/docs/{file}")).header("if-none-match", tag).send();
        assert_eq!(again.expect(304).text, "");
    }
    for file in ["nope", "../openapi.json", "%2e%2e/healthz", "index.html/"] {
        server.get(&format!("/docs/{file}")).send().expect_failure(404, "NOT_FOUND");
    }
}

/// What the page asks for is here, and it asks nobody else.
#[test]
fn the_page_shows_our_document() {
    let server = TestServer::start(Db::sqlite());
    let script = server.get("/docs/swagger-initializer.js").send().expect(200).text;
    assert!(script.contains(r#""../openapi.json""#), "{script}");
    assert!(script.contains(r#""validatorUrl": "none""#), "{script}");
    let page = server.get("/docs/").send().expect(200).text;
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
}
