//! `/.well-known/*`: what others keep a copy of. `signing/` has what the keys are.

use serde_json::json;
use symbolon::signing::key_file::KeyAlgorithm::Es256;

use crate::support::{Db, TestServer};

const METADATA: &str = "/.well-known/oauth-authorization-server";
const KEYS: &str = "/.well-known/jwks.json";

/// RFC 8414: what is true of us, and nothing that readers would assume where it is missing.
#[test]
fn the_metadata_say_what_is_true() {
    let flags = [
        ("--public-url", "https://auth.example.com/"),
        ("--jwt-issuer", "https://issuer.test"),
        ("--introspection-clients", "rooms:s3cret"),
    ];
    let server = TestServer::with(Db::sqlite(), &flags);
    let answer = server.get(METADATA).send().expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.json(),
        json!({
            "issuer": "https://issuer.test",
            "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
            "introspection_endpoint": "https://auth.example.com/auth/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
            "response_types_supported": [],
            "grant_types_supported": [],
        })
    );
}

#[test]
fn where_nobody_may_introspect_nobody_is_told_where() {
    let metadata = TestServer::start(Db::sqlite()).get(METADATA).send().expect(200).json();
    assert!(metadata["issuer"].is_string() && metadata["jwks_uri"].is_string());
    assert!(metadata.get("introspection_endpoint").is_none(), "{metadata}");
}

/// Security: H4. A forged `Host` changes no address.
#[test]
fn addresses_are_those_of_the_settings() {
    let server = TestServer::start(Db::sqlite());
    let usual = server.get(METADATA).send().expect(200).text;
    let forged = server.get(METADATA).header("host", "evil.example").send().expect(200).text;
    assert_eq!(usual, forged);
}

#[test]
fn without_signing_keys_there_is_nothing_to_publish() {
    let server = TestServer::start(Db::sqlite());
    server.register("ada@example.com");
    assert_eq!(server.get(KEYS).send().expect(200).json(), json!({"keys": []}));
}

#[test]
fn copies_are_kept_and_compared() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    server.add_key(Es256);
    for path in [METADATA, KEYS] {
        let answer = server.get(path).send().expect(200);
        let tag = answer.header("etag").unwrap().to_owned();
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        for known in [&*tag, &format!("W/{tag}"), &format!("\"other\", {tag}"), "*"] {
            let same = server.get(path).header("if-none-match", known).send().expect(304);
            assert_eq!((same.header("etag"), &*same.text), (Some(&*tag), ""), "{known}");
            assert_eq!(same.header("cache-control"), Some("public, max-age=300"));
        }
        server.get(path).header("if-none-match", "\"other\"").send().expect(200);
        let head = server.call("HEAD", path).send().expect(200);
        assert_eq!((head.header("etag"), &*head.text), (Some(&*tag), ""));
        server.post(path).send().expect_failure(405, "METHOD_NOT_ALLOWED");
    }
    let before = server.get(KEYS).send().header("etag").unwrap().to_owned();
    server.add_key(Es256);
    server.get(KEYS).header("if-none-match", &before).send().expect(200);
}

/// Pages of allowed origins can read them, as all that is here.
#[test]
fn pages_that_may_call_can_read_them() {
    let server = TestServer::start(Db::sqlite());
    let answer = server.get(KEYS).header("origin", &server.base).send().expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(&*server.base));
}
