//! Each library accepts a token of ours and nothing that only looks like one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{EXPRESS, JOSE, JOSE_BY_METADATA, Library, PYJWT, Service, Verifier, forged};
use crate::support::Db;

#[test]
fn others_accept_our_es256_tokens_and_no_forgery() {
    judge(Db::sqlite(), "ES256", &[JOSE, EXPRESS, PYJWT]);
}

#[test]
fn others_accept_our_eddsa_tokens_and_no_forgery() {
    judge(Db::postgres(), "EdDSA", &[JOSE_BY_METADATA, PYJWT]);
}

/// Security: A14.
#[test]
fn what_is_published_is_public_and_named_by_its_thumbprint() {
    for (algorithm, members) in [("ES256", "crv kty x y"), ("EdDSA", "crv kty x")] {
        let service = Service::start(Db::sqlite(), algorithm, "15m");
        let published = service.process.get("/.well-known/jwks.json").send().expect(200).json();
        let [key] = &published["keys"].as_array().unwrap()[..] else { panic!("{published}") };
        assert_eq!(key["alg"], algorithm);
        assert_eq!(key["use"], "sig");
        let names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        for name in &names {
            let known = members.split(' ').chain(["alg", "kid", "use"]).any(|known| known == *name);
            assert!(known, "{names:?}");
        }
        assert_eq!(key["kid"], thumbprint(key, members));
    }
}

/// RFC 7638, 3: of the required members alone, in their order, without any space.
fn thumbprint(key: &Value, members: &str) -> String {
    let members: Vec<String> =
        members.split(' ').map(|name| format!("\"{name}\":{}", key[name])).collect();
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
}

fn judge(db: Db, algorithm: &str, libraries: &[Library]) {
    let service = Service::start(db, algorithm, "15m");
    let verifiers = Verifier::start(libraries, &service, algorithm);
    let ada = service.process.register_in_body("ada@example.com");
    let bad = forged::tokens(&service, &ada.access);
    for verifier in &verifiers {
        verifier.accepts(&ada.access, &ada, "a fresh token");
        for (why, token) in &bad {
            verifier.refuses(token, why);
        }
        verifier.refuses(&ada.refresh, "a refresh token");
        verifier.accepts(&ada.access, &ada, "a token after so much else");
    }
}
