//! Signing and verifying JWTs of one kind.
//!
//! A [`TokenKind`] fixes what RFC 8725 wants fixed: one algorithm, one exact `typ`, one issuer, one
//! audience. Nothing of a token's header chooses how it is verified. Whether a verified token has
//! expired is for the caller to say, by its own clock.

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Longer tokens are refused unread.
const MAX_BYTES: usize = 4096;

/// A token that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the token is not valid")]
pub struct InvalidToken;

/// A token could not be signed.
#[derive(Debug, Error)]
#[error("a token could not be signed: {0}")]
pub struct SigningError(#[from] jsonwebtoken::errors::Error);

/// The times in a token's claims, in seconds since 1970 (RFC 7519, 4.1).
pub trait TokenTimes {
    /// `exp`: from this second on it is no longer good.
    fn expires(&self) -> i64;

    /// `nbf`, where there is one: before this second it is not yet good.
    fn not_before(&self) -> Option<i64> {
        None
    }
}

/// One kind of token: how it is signed and what it must say.
pub struct TokenKind {
    header: Header,
    typ: &'static str,
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    validation: Validation,
}

impl TokenKind {
    /// Tokens of `typ`, signed HS256 with the first of `keys` and verified with any of them.
    pub fn new<K: AsRef<[u8]>>(
        typ: &'static str,
        issuer: &str,
        audience: &str,
        keys: &[K],
    ) -> Self {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(typ.into());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are judged by our own clock, to the second; the crate would ask the system's and
        // let a token live on in the second it expires.
        validation.leeway = 0;
        validation.validate_exp = false;
        Self {
            header,
            typ,
            signing: EncodingKey::from_secret(keys.first().map_or(&[], AsRef::as_ref)),
            verifying: keys.iter().map(|key| DecodingKey::from_secret(key.as_ref())).collect(),
            validation,
        }
    }

    /// Signs `claims`. The same claims give the same token, byte for byte.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningError> {
        Ok(jsonwebtoken::encode(&self.header, claims, &self.signing)?)
    }

    /// The claims of `token` if it is of this kind and its signature holds; it may have expired.
    ///
    /// `C` has to name `iss` and `aud` as strings: an array of them is refused by its type.
    pub fn verify<C: DeserializeOwned + TokenTimes>(
        &self,
        token: &str,
        now_seconds: i64,
    ) -> Result<C, InvalidToken> {
        if token.len() > MAX_BYTES || token.bytes().filter(|&byte| byte == b'.').count() != 2 {
            return Err(InvalidToken);
        }
        let header = decode_header(token).map_err(|_| InvalidToken)?;
        // RFC 8725, 3.11: `typ` tells kinds apart. RFC 7515, 4.1.11: we understand no extension.
        if header.typ.as_deref() != Some(self.typ) || header.crit.is_some() {
            return Err(InvalidToken);
        }
        let with = |key| decode::<C>(token, key, &self.validation);
        let claims = self.verifying.iter().find_map(|key| with(key).ok()).ok_or(InvalidToken)?;
        let claims = claims.claims;
        match claims.not_before() {
            Some(start) if start > now_seconds => Err(InvalidToken),
            _ => Ok(claims),
        }
    }
}
