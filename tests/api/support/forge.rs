//! Tokens that the service did not make.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};
use symbolon::crypto::keys;

use super::TestServer;
use super::client::claims;

/// A token that is being forged: a good one until it is changed.
#[derive(Clone)]
pub struct Forgery {
    pub header: Value,
    pub claims: Value,
    pub key: Vec<u8>,
}

impl TestServer {
    /// A forgery of this access token, signed with the real key.
    pub fn forge_access(&self, token: &str) -> Forgery {
        let key = self.app.settings.tokens.secret.expose().as_bytes().to_owned();
        let header = json!({"typ": "at+jwt", "alg": "HS256"});
        Forgery { header, claims: claims(token), key }
    }

    /// A forgery of this refresh token, signed with the real key.
    pub fn forge_refresh(&self, token: &str) -> Forgery {
        let key = keys::refresh_token_key(&self.app.settings.tokens.secret).to_vec();
        let header = json!({"typ": "rt+jwt", "alg": "HS256"});
        Forgery { header, claims: claims(token), key }
    }
}

impl Forgery {
    /// With another header field; `Null` takes it away.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// With another claim; `Null` takes it away.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Signed with another key.
    pub fn key(mut self, key: &[u8]) -> Self {
        self.key = key.into();
        self
    }

    /// The token, signed as its header says; not at all for an `alg` that is no HMAC.
    pub fn sign(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = match self.header["alg"].as_str() {
            Some("HS256") => mac::<Hmac<Sha256>>(&self.key, &message),
            Some("HS384") => mac::<Hmac<Sha384>>(&self.key, &message),
            Some("HS512") => mac::<Hmac<Sha512>>(&self.key, &message),
            _ => Vec::new(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
