//! Tokens that a service must refuse, though much about them is right.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use symbolon::signing::key_file::KeyFile;

use super::{Service, make_key};
use crate::support::client::claims;

/// Each way to be no good token of `service`, where `good` is one.
pub fn tokens(service: &Service, good: &str) -> Vec<(&'static str, String)> {
    let real = key(&service.keys);
    let strangers = service.db.dir.path().join("strangers");
    make_key(&service.db, &strangers, &["--alg", &format!("{:?}", real.algorithm)]);
    let other = key(&strangers);
    let header = jsonwebtoken::decode_header(good).unwrap();
    let said = claims(good);
    let signed =
        |header: &Header, said: &Value, key: &KeyFile| encode(header, said, &key.private).unwrap();
    let with_header = |change: fn(&mut Header), key: &KeyFile| {
        let mut header = header.clone();
        change(&mut header);
        signed(&header, &said, key)
    };
    let with_claim = |name: &str, value: Value| {
        let mut said = said.clone();
        said[name] = value;
        signed(&header, &said, &real)
    };
    let seconds = |name: &str| said[name].as_i64().unwrap();
    let mut own_key_in_header = header.clone();
    own_key_in_header.jwk = Some(other.public.clone());
    let head_and_claims = good.rsplit_once('.').unwrap().0;
    let mut tokens = vec![
        ("another issuer's", with_claim("iss", json!("https://other.test"))),
        ("for another audience", with_claim("aud", json!("https://other.test"))),
        ("of yesterday", with_claim("exp", json!(seconds("iat") - 1))),
        ("of tomorrow", with_claim("nbf", json!(seconds("exp")))),
        ("a JWT of another kind", with_header(|header| header.typ = Some("JWT".into()), &real)),
        ("signed by a stranger", signed(&header, &said, &other)),
        ("a stranger's, no kid", with_header(|header| header.kid = None, &other)),
        ("a stranger's, its own kid", with_header(|h| h.kid = Some("stranger".into()), &other)),
        ("a stranger's, its key in it", signed(&own_key_in_header, &said, &other)),
        ("unsigned", unsigned(&said)),
        ("with another's claims", swapped(good, &said)),
        ("without its signature", format!("{head_and_claims}.")),
        ("half a token", head_and_claims.to_owned()),
        ("none", String::new()),
    ];
    // What is public, used as if it were the secret of HS256.
    let public = serde_json::to_string(&real.public).unwrap();
    for (name, secret) in [("HS256 with the PEM", pem(&real)), ("HS256 with the JWK", public)] {
        let header = Header { alg: Algorithm::HS256, ..header.clone() };
        let secret = EncodingKey::from_secret(secret.as_bytes());
        tokens.push((name, encode(&header, &said, &secret).unwrap()));
    }
    tokens
}

/// The only key in a folder.
fn key(folder: &std::path::Path) -> KeyFile {
    let mut entries = std::fs::read_dir(folder).unwrap();
    KeyFile::read(&entries.next().unwrap().unwrap().path(), Duration::ZERO).unwrap()
}

fn unsigned(said: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({"typ": "at+jwt", "alg": "none"})), part(said))
}

fn swapped(good: &str, said: &Value) -> String {
    let [head, _, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let mut said = said.clone();
    said["sub"] = json!("01890000-0000-7000-8000-000000000000");
    format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(said.to_string()))
}

/// The public key as Node.js writes it, and so as jwks-rsa hands it to express-jwt.
fn pem(key: &KeyFile) -> String {
    let public = serde_json::to_value(&key.public).unwrap();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(public[name].as_str().unwrap()).unwrap();
    // The heads of such keys (RFC 5480, RFC 8410), whose lengths are fixed.
    let der = match key.algorithm {
        Algorithm::ES256 => {
            let head = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\
                \x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
            [&head[..], &part("x"), &part("y")].concat()
        }
        _ => [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &part("x")].concat(),
    };
    pem::encode(&pem::Pem::new("PUBLIC KEY", der)).replace("\r\n", "\n")
}
