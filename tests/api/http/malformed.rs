//! Requests that are none, and those that two servers might read differently.

use std::time::Duration;

use super::raw::{Line, talk};
use crate::support::{Client, Db, TestServer};

const BODY: &str = r#"{"email":"a@example.com","password":"x"}"#;

/// A login with these header lines, or what else, between the usual ones and the body.
fn login(lines: &str, body: &str) -> String {
    format!(
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         {lines}\r\n\r\n{body}"
    )
}

/// Behind each request comes another, which must not be taken for one of its own.
const SMUGGLED: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

#[track_caller]
fn is_refused(client: &Client, request: &str) {
    let heard = talk(client, format!("{request}{SMUGGLED}").as_bytes());
    assert!(heard.closed, "still open: {request:?}");
    assert_eq!(heard.answers.len(), 1, "{request:?}: {:?}", heard.answers);
    let answer = heard.last_word();
    assert_eq!(answer.status, 400, "{request:?}");
    answer.expect_failure(400, "MALFORMED_REQUEST");
}

/// Security: M5, K2. Answered once, in our form, and the connection ends.
#[test]
fn a_body_whose_length_is_not_certain_is_refused() {
    let server = TestServer::start(Db::sqlite());
    let length = BODY.len();
    for lines in [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        format!("Content-Length: {length}\r\nContent-Length: 5"),
        format!("Content-Length: {length}\r\nContent-Length: {length}"),
        format!("Content-Length: {length}, {length}"),
        format!("Content-Length: +{length}"),
        format!("Content-Length : {length}"),
        format!("X-A: b\r\n c\r\nContent-Length: {length}"),
        "Content-Length: -1".into(),
        "Content-Length: 0x28".into(),
        "Content-Length: 4 0".into(),
        "Content-Length: abc".into(),
        "Content-Length: ".into(),
        "Content-Length: 99999999999999999999999".into(),
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding: chunked, identity".into(),
        "Transfer-Encoding: gzip, chunked".into(),
        "Transfer-Encoding: identity".into(),
        "Transfer-Encoding : chunked".into(),
        "Transfer-Encoding: \u{b}chunked".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".into(),
    ] {
        is_refused(&server, &login(&lines, BODY));
    }
    let old = login("Transfer-Encoding: chunked", "0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0");
    is_refused(&server, &old);
}

/// Security: M5.
#[test]
fn broken_chunks_are_refused() {
    let server = TestServer::start(Db::sqlite());
    let head = login("Transfer-Encoding: chunked", "");
    for chunks in [
        "zz\r\n",
        "-1\r\n",
        "0x28\r\n",
        " 28\r\n",
        "\r\n",
        "fffffffffffffffff\r\n",
        &format!("28\r\n{BODY}XX0\r\n\r\n"),
        &format!("28\n{BODY}\n0\n\n"),
    ] {
        is_refused(&server, &format!("{head}{chunks}"));
        // And where they come later than the head.
        let mut line = Line::to(&server);
        line.say(head.as_bytes());
        std::thread::sleep(Duration::from_millis(50));
        line.say(chunks.as_bytes());
        let answer = line.listen(Duration::from_secs(5)).last_word();
        answer.expect_failure(400, "MALFORMED_REQUEST");
    }
}

/// Security: M5, K2.
#[test]
fn what_is_no_http_1_request_is_refused() {
    let server = TestServer::start(Db::sqlite());
    for request in [
        "nonsense\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX\0A: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}TLS hello",
    ] {
        is_refused(&server, request);
    }
}

/// Security: M5.
#[test]
fn a_body_is_never_taken_for_a_request() {
    let server = TestServer::start(Db::sqlite());
    let inner = "DELETE /auth/me HTTP/1.1\r\nHost: x\r\n\r\n";
    for path in ["/healthz", "/nope", "/auth/me"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{inner}",
            inner.len()
        );
        talk(&server, request.as_bytes()).last_word();
    }
}

/// Security: K2.
#[test]
fn a_good_request_before_a_bad_one_is_answered_first() {
    let server = TestServer::start(Db::sqlite());
    let heard = talk(&server, format!("{SMUGGLED}{SMUGGLED}nonsense\r\n\r\n").as_bytes());
    assert!(heard.closed);
    let statuses: Vec<_> = heard.answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 400]);
    heard.answers[2].clone().expect_failure(400, "MALFORMED_REQUEST");
    let ids: Vec<_> = heard.answers.iter().map(|answer| answer.header("x-request-id")).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

/// Security: K2. More than we take, more than the framework takes, more headers than it takes.
#[test]
fn a_head_that_is_too_large_is_431() {
    let server = TestServer::start(Db::sqlite());
    let large = |bytes| format!("X-Large: {}\r\n", "x".repeat(bytes));
    for lines in [large(17 * 1024), large(100 * 1024), large(1024 * 1024), "X: y\r\n".repeat(97)] {
        let request =
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n");
        talk(&server, request.as_bytes()).last_word().expect_failure(431, "HEADERS_TOO_LARGE");
    }
    let path = format!("/{}", "x".repeat(17 * 1024));
    server.get(&path).send().expect_failure(431, "HEADERS_TOO_LARGE");
    server.get("/healthz").header("x-large", &"x".repeat(15 * 1024)).send().expect(200);
}
