//! The API's document: it has all that there is, and nothing else. That every answer of these tests is
//! documented is seen where they come in (`support/documented.rs`).

mod docs;
mod schemathesis;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use symbolon::error::Code;

use crate::roles::ROUTES;
use crate::support::documented::{self, document, faults};
use crate::support::process::symbolon;
use crate::support::{Answer, Db, TestServer};

fn operations() -> Vec<(String, String, &'static Value)> {
    let mut operations = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    operations
}

#[test]
fn every_route_is_documented_and_nothing_else() {
    let documented: BTreeSet<_> =
        operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let mounted: BTreeSet<_> = ROUTES
        .iter()
        .filter(|(_, path, _)| !documented::is_page(path))
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(documented, mounted);
}

#[test]
fn every_code_is_documented_with_its_status() {
    let mut found = BTreeSet::new();
    for (_, _, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(place) => document().pointer(&place[1..]).unwrap(),
                None => response,
            };
            let schema = &response["content"]["application/problem+json"]["schema"];
            let codes = schema.pointer("/allOf/1/properties/code/enum");
            let codes = codes.and_then(Value::as_array).into_iter().flatten();
            found.extend(codes.map(|code| format!("{status} {}", code.as_str().unwrap())));
        }
    }
    let all = Code::ALL.iter().map(|code| format!("{} {}", code.status().as_u16(), code.name()));
    assert_eq!(found, all.collect());
}

/// Generated clients name their functions by these.
#[test]
fn every_operation_has_a_name_of_its_own_and_words() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
    }
}

#[test]
fn the_document_is_served_for_others_to_keep() {
    let server = TestServer::with(Db::sqlite(), &[("--cookie-name", "another")]);
    let answer = server.get("/openapi.json").send().expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let mut sent = answer.json();
    assert_eq!(sent["openapi"], "3.1.0");
    // The cookie has the name that it has here.
    let cookie = sent.pointer_mut("/components/securitySchemes/refreshCookie/name").unwrap();
    assert_eq!(*cookie, "another");
    *cookie = json!("refreshToken");
    assert!(sent == *document());

    let tag = answer.header("etag").unwrap();
    let again = server.get("/openapi.json").header("if-none-match", tag).send().expect(304);
    assert_eq!(again.text, "");
    let head = server.call("HEAD", "/openapi.json").send().expect(200);
    assert_eq!((&*head.text, head.header("etag")), ("", Some(tag)));
}

/// It needs no settings, no database, and no folder to write into.
#[test]
fn the_command_prints_the_document() {
    let print = |environment: &str| {
        let mut command = symbolon();
        command.current_dir("/").env("ENVIRONMENT", environment).arg("openapi");
        let output = command.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        output.stdout
    };
    let printed = print("development");
    assert!(serde_json::from_slice::<Value>(&printed).unwrap() == *document());
    assert!(print("production") == printed);
}

/// The check that all answers of these tests go through sees what is wrong with one.
#[test]
fn what_is_not_documented_is_seen() {
    let server = TestServer::start(Db::sqlite());
    let ada = server.register("ada@example.com");
    let me = server.me(&ada.access).expect(200);
    let refused = server.me("x").expect(401);
    assert_eq!(faults("GET", "/auth/me", &me), Vec::<String>::new());
    assert_eq!(faults("GET", "/auth/me?x", &refused), Vec::<String>::new());

    let with = |answer: &Answer, change: fn(&mut Value)| {
        let mut body = answer.json();
        change(&mut body);
        Answer { text: body.to_string(), ..answer.clone() }
    };
    let no_header = |name| {
        let mut answer = me.clone();
        answer.headers.insert(name, "x".parse().unwrap());
        answer
    };
    for (method, path, answer, fault) in [
        ("GET", "/auth/me", with(&me, |body| body["age"] = json!(36)), "body.age is not"),
        ("GET", "/auth/me", with(&me, |body| body["id"] = json!(1)), "body.id is of a wrong type"),
        (
            "GET",
            "/auth/me",
            with(&me, |body| body["role"] = json!("king")),
            "body.role has a value",
        ),
        ("GET", "/auth/me", with(&me, |body| *body = json!({})), "body.\"id\" is missing"),
        ("GET", "/auth/me", with(&me, |body| *body = json!([])), "body is of a wrong type"),
        ("GET", "/auth/me", Answer { status: 201, ..me.clone() }, "its status is not"),
        ("GET", "/auth/me", Answer { text: String::new(), ..me.clone() }, "it is no JSON"),
        ("GET", "/auth/me", no_header("set-cookie"), "Set-Cookie is not documented"),
        ("GET", "/auth/me", no_header("content-type"), "it is no application/json"),
        ("GET", "/auth/you", me.clone(), "there is no such call"),
        ("PUT", "/auth/me", me.clone(), "there is no such call"),
        ("HEAD", "/healthz", me.clone(), "there is a body"),
        (
            "GET",
            "/auth/me",
            with(&refused, |body| body["code"] = json!("REFRESH_TOKEN_MISSING")),
            "body.code has a value",
        ),
    ] {
        let faults = faults(method, path, &answer);
        assert!(faults.iter().any(|it| it.starts_with(fault)), "{fault}: {faults:?}");
    }
}
