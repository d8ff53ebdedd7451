//! Signing JWTs. Verifying them is up to [`crate::verifier::token`].

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use thiserror::Error;

/// A token could not be signed.
#[derive(Debug, Error)]
#[error("a token could not be signed: {0}")]
pub struct SigningError(#[from] jsonwebtoken::errors::Error);

/// Signs tokens of one kind with one key.
pub struct Signer {
    header: Header,
    key: EncodingKey,
}

impl Signer {
    /// Signs tokens of `typ` HS256 with a secret.
    pub fn shared(typ: &str, secret: &[u8]) -> Self {
        Self::new(typ, Algorithm::HS256, EncodingKey::from_secret(secret))
    }

    /// Signs tokens of `typ` with a key whose public half is published as `kid`.
    pub fn published(typ: &str, algorithm: Algorithm, kid: &str, key: EncodingKey) -> Self {
        let mut signer = Self::new(typ, algorithm, key);
        signer.header.kid = Some(kid.to_owned());
        signer
    }

    fn new(typ: &str, algorithm: Algorithm, key: EncodingKey) -> Self {
        let mut header = Header::new(algorithm);
        header.typ = Some(typ.to_owned());
        Self { header, key }
    }

    /// Signs `claims`. By HS256 and `EdDSA` the same claims give the same token, byte for byte.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningError> {
        Ok(jsonwebtoken::encode(&self.header, claims, &self.key)?)
    }
}
