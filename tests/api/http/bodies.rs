//! Bodies: one JSON object, known fields, each once, 16 KiB.

use std::fmt::Write;
use std::time::Duration;

use super::raw::{Line, talk};
use crate::support::{Answer, Client, Db, TestServer};

const LIMIT: usize = 16 * 1024;

fn login(client: &Client, body: &[u8]) -> Answer {
    client.post("/auth/login").header("content-type", "application/json").body(body).send()
}

/// A body of so many bytes that would be good if it were small enough, but for its credentials.
fn body_of(bytes: usize) -> String {
    let body = r#"{"email":"nobody@example.com","password":"x"}"#;
    format!("{body}{}", " ".repeat(bytes - body.len()))
}

fn chunked(pieces: &[&str]) -> String {
    let mut request = String::from(
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for piece in pieces {
        write!(request, "{:x}\r\n{piece}\r\n", piece.len()).unwrap();
    }
    request + "0\r\n\r\n"
}

/// Security: M1.
#[test]
fn a_body_has_16_kib_at_most_whether_announced_or_in_chunks() {
    let server = TestServer::start(Db::sqlite());
    let (fits, over) = (body_of(LIMIT), body_of(LIMIT + 1));

    login(&server, fits.as_bytes()).expect_failure(401, "INVALID_CREDENTIALS");
    login(&server, over.as_bytes()).expect_failure(413, "PAYLOAD_TOO_LARGE");

    let in_pieces = |body: &str| {
        let pieces: Vec<_> =
            body.as_bytes().chunks(1000).map(|c| std::str::from_utf8(c).unwrap()).collect();
        talk(&server, chunked(&pieces).as_bytes()).last_word()
    };
    in_pieces(&fits).expect_failure(401, "INVALID_CREDENTIALS");
    in_pieces(&over).expect_failure(413, "PAYLOAD_TOO_LARGE");
    let in_one = talk(&server, chunked(&[&over]).as_bytes()).last_word();
    in_one.expect_failure(413, "PAYLOAD_TOO_LARGE");
}

/// Security: M1.
#[test]
fn what_is_announced_too_large_is_refused_without_waiting_for_it() {
    let server = TestServer::start(Db::sqlite());
    let request = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 16385\r\n\r\n{";
    let heard = talk(&server, request.as_bytes());
    assert!(heard.after < Duration::from_secs(3), "{:?}", heard.after);
    heard.last_word().expect_failure(413, "PAYLOAD_TOO_LARGE");
}

/// Security: M1. Who never stops sending is cut off.
#[test]
fn an_endless_body_is_cut_off() {
    let server = TestServer::start(Db::sqlite());
    // One that is read, and two that are refused before anybody reads them.
    for path in ["/auth/login", "/nope", "/healthz"] {
        let mut line = Line::to(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n"
        );
        line.say(head.as_bytes());
        let began = std::time::Instant::now();
        while line.say(format!("400\r\n{}\r\n", " ".repeat(1024)).as_bytes()) {
            assert!(began.elapsed() < Duration::from_secs(5), "{path} still listens");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Security: M6.
#[test]
fn what_is_no_json_object_of_known_fields_is_malformed() {
    let server = TestServer::start(Db::sqlite());
    let deep = format!(r#"{{"email":{}{}}}"#, "[".repeat(7000), "]".repeat(7000));
    let deep_unknown = format!(r#"{{"x":{}1{}}}"#, r#"{"x":"#.repeat(2500), "}".repeat(2500));
    let bodies: [&[u8]; 25] = [
        b"",
        b" ",
        b"{",
        b"{}}",
        b"{} {}",
        b"{},",
        b"null",
        b"true",
        b"1",
        br#""text""#,
        b"[]",
        br#"["ada@example.com","password"]"#,
        br#"[{"email":"a@example.com","password":"x"}]"#,
        b"email=a&password=b",
        b"\xef\xbb\xbf{}",
        b"{\"email\":\"\xff\",\"password\":\"x\"}",
        b"{\"email\":\"a\0b\",\"password\":\"x\"}",
        br#"{"email":"\ud800","password":"x"}"#,
        br#"{"email":"a@example.com","password":"x","email":"b@example.com"}"#,
        br#"{"email":"a@example.com","password":"x","\u0065mail":"b@example.com"}"#,
        br#"{"email":"a@example.com","password":"x","role":"admin"}"#,
        br#"{"email":"a@example.com","password":"x","":1}"#,
        br#"{"email":"a@example.com","password":"x","refresh_transport":"body"}"#,
        br#"{"email":"a@example.com","password":"x",}"#,
        deep_unknown.as_bytes(),
    ];
    for body in bodies {
        let answer = login(&server, body).expect_failure(400, "MALFORMED_REQUEST");
        assert!(answer.text.len() < 512, "{}", answer.text);
    }
    assert_eq!(login(&server, deep.as_bytes()).status, 400);
}

/// Security: M6. A value that is no text never gets as far as a password.
#[test]
fn a_field_of_a_wrong_type_is_named_and_its_value_is_not_repeated() {
    let server = TestServer::start(Db::sqlite());
    for value in ["4711", "true", "[4711]", r#"{"a":4711}"#, "4711e99"] {
        let body = format!(r#"{{"email":"a@example.com","password":{value}}}"#);
        let answer = login(&server, body.as_bytes()).expect_failure(400, "VALIDATION_FAILED");
        assert_eq!(answer.json()["errors"][0]["field"], "password");
        assert_eq!(answer.json()["errors"][0]["code"], "WRONG_TYPE");
        assert!(!answer.text.contains("4711"), "{}", answer.text);
    }
    let body = r#"{"email":"a@example.com","password":"x","refreshTransport":"smoke"}"#;
    let answer = login(&server, body.as_bytes()).expect_failure(400, "VALIDATION_FAILED");
    assert_eq!(answer.json()["errors"][0]["field"], "refreshTransport");
    let answer = login(&server, b"{}").expect_failure(400, "VALIDATION_FAILED");
    let fields: Vec<_> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(fields, ["email", "password"]);
}

const GOOD: &[u8] = br#"{"email":"ada@example.com","password":"correct horse battery"}"#;

/// Security: D5, M6. Of what a page of another site can send without asking, nothing is read.
#[test]
fn only_application_json_is_read_and_nothing_happens_before() {
    let server = TestServer::start(Db::sqlite());
    let refused: [&[(&str, &str)]; 13] = [
        &[],
        &[("content-type", "")],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "application/x+json")],
        &[("content-type", "application/problem+json")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "application/json; charset=iso-8859-1")],
        &[("content-type", "application/json; charset=utf-16")],
        &[("content-type", "text/plain, application/json")],
        &[("content-type", "application/json"), ("content-type", "text/plain")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
    ];
    for path in ["/auth/register", "/auth/login"] {
        for headers in refused {
            let call = server.post(path).body(GOOD);
            let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
            call.send().expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    assert_eq!(server.db.number("SELECT count(*) FROM users"), 0);

    server.register("ada@example.com");
    for kind in [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json ; Charset=UTF-8",
        r#"application/json; charset="utf-8""#,
    ] {
        server.post("/auth/login").header("content-type", kind).body(GOOD).send().expect(200);
    }
}

#[test]
fn a_call_that_needs_no_body_needs_no_content_type() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    let renewed = server.refresh(&ada.refresh).expect(200).refresh_token();
    let call = || server.post("/auth/refresh-token").cookie(&renewed);
    call().body(b"{}").send().expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
    call()
        .header("content-type", "text/plain")
        .send()
        .expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
    let json = || call().header("content-type", "application/json");
    json().body(b"[]").send().expect_failure(400, "MALFORMED_REQUEST");
    json().body(br#"{"x":1}"#).send().expect_failure(400, "MALFORMED_REQUEST");
    assert_eq!(server.db.number("SELECT max(generation) FROM refresh_tokens"), 1);
    json().body(b"{}").send().expect(200);
    let call = server.post("/auth/logout").bearer(&ada.access);
    call.cookie(&renewed).header("content-type", "application/json").send().expect(204);
}
