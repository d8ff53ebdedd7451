//! Whether a text is a token of one kind.
//!
//! [`TokenRules`] fixes what RFC 8725 wants fixed: one exact `typ`, one issuer, one audience; a [`KeySet`]
//! fixes the keys, and of each key its one algorithm. Nothing of a token's header chooses how it is
//! verified: `kid` only selects among the keys that are known already.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::de::DeserializeOwned;

use crate::moment::Moment;

/// Longer tokens are refused unread.
const MAX_BYTES: usize = 4096;

/// The algorithms that we sign with.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA];

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// It is not one of ours.
    Invalid,
    /// It is one of ours, past its time.
    Expired,
}

/// The times in a token's claims, in seconds since 1970 (RFC 7519, 4.1).
pub trait TokenTimes {
    /// `exp`: from this second on it is no longer good.
    fn expires(&self) -> i64;

    /// `nbf`, where there is one: before this second it is not yet good.
    fn not_before(&self) -> Option<i64> {
        None
    }
}

/// Keys that may have signed a token.
pub enum KeySet {
    /// HS256 with any of these secrets.
    Shared(Vec<DecodingKey>),
    /// The key of the token's `kid`, by its own algorithm.
    Published(HashMap<String, PublicKey>),
}

/// A public key and the one algorithm it is for.
pub struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl KeySet {
    /// Tokens are signed HS256 with any of these secrets.
    pub fn shared<K: AsRef<[u8]>>(secrets: impl IntoIterator<Item = K>) -> Self {
        let keys = secrets.into_iter().map(|secret| DecodingKey::from_secret(secret.as_ref()));
        Self::Shared(keys.collect())
    }

    /// Tokens are signed by one of these keys. Those that we never sign with are left out: whoever
    /// writes the document does not widen what is accepted, least of all to a secret.
    pub fn published(keys: &JwkSet) -> Self {
        let keys = keys.keys.iter().filter_map(|jwk| {
            let algorithm = algorithm_of(jwk)?;
            let key = DecodingKey::from_jwk(jwk).ok()?;
            Some((jwk.common.key_id.clone()?, PublicKey { algorithm, key }))
        });
        Self::Published(keys.collect())
    }
}

/// The algorithm of a key's type; `None` for types that we never sign with, and where the key says
/// that it is for another one.
fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let named = jwk.common.key_algorithm;
    named.is_none_or(|named| named == KeyAlgorithm::from(algorithm)).then_some(algorithm)
}

/// What a token of one kind has to be.
#[derive(Debug, Clone)]
pub struct TokenRules {
    typ: &'static str,
    leeway_seconds: i64,
    /// One for each algorithm: the crate takes no key whose family is not that of all in a list.
    validations: HashMap<Algorithm, Validation>,
}

impl TokenRules {
    /// Tokens of `typ`, from `issuer`, for `audience`. Without leeway: a token is no longer good in
    /// the second of its `exp`.
    pub fn new(typ: &'static str, issuer: &str, audience: &str) -> Self {
        let validations = ALGORITHMS.into_iter().map(|algorithm| {
            let mut validation = Validation::new(algorithm);
            validation.set_issuer(&[issuer]);
            validation.set_audience(&[audience]);
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
            // Times are judged by our own clock, to the second; the crate would ask the system's and
            // let a token live on in the second it expires.
            validation.leeway = 0;
            validation.validate_exp = false;
            (algorithm, validation)
        });
        Self { typ, leeway_seconds: 0, validations: validations.collect() }
    }

    /// The same, but forgiving clocks that differ by so much.
    #[must_use]
    pub fn with_leeway(self, leeway: Duration) -> Self {
        let leeway_seconds = i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX);
        Self { leeway_seconds, ..self }
    }

    /// The claims of `token` if it is of this kind, one of `keys` has signed it and it is good at
    /// `now`. That it has expired is said only of what was signed.
    ///
    /// `C` has to name `iss` and `aud` as strings: an array of them is refused by its type.
    pub fn verify<C>(&self, token: &str, keys: &KeySet, now: Moment) -> Result<C, TokenFault>
    where
        C: DeserializeOwned + TokenTimes,
    {
        let header = self.header(token).ok_or(TokenFault::Invalid)?;
        let with = |key, algorithm| decode::<C>(token, key, self.validations.get(&algorithm)?).ok();
        let decoded = match keys {
            KeySet::Shared(keys) => keys.iter().find_map(|key| with(key, Algorithm::HS256)),
            KeySet::Published(keys) => header
                .kid
                .and_then(|kid| keys.get(&kid))
                .and_then(|public| with(&public.key, public.algorithm)),
        };
        let claims = decoded.ok_or(TokenFault::Invalid)?.claims;
        let now = now.unix_seconds();
        let starts = claims.not_before().unwrap_or(i64::MIN);
        if starts > now.saturating_add(self.leeway_seconds) {
            return Err(TokenFault::Invalid);
        }
        // RFC 7519, 4.1.4: good only *before* `exp`.
        if claims.expires() <= now.saturating_sub(self.leeway_seconds) {
            return Err(TokenFault::Expired);
        }
        Ok(claims)
    }

    /// Whether `token` could be good, but for a key that `keys` do not have.
    pub fn names_unknown_key(&self, token: &str, keys: &KeySet) -> bool {
        let KeySet::Published(keys) = keys else { return false };
        let header = self.header(token).filter(|header| {
            // A secret is never published.
            header.alg != Algorithm::HS256 && self.validations.contains_key(&header.alg)
        });
        header.and_then(|header| header.kid).is_some_and(|kid| !keys.contains_key(&kid))
    }

    /// The header of `token`, if its form and its header are those of this kind.
    fn header(&self, token: &str) -> Option<jsonwebtoken::Header> {
        if token.len() > MAX_BYTES || token.bytes().filter(|&byte| byte == b'.').count() != 2 {
            return None;
        }
        let header = decode_header(token).ok()?;
        // RFC 8725, 3.11: `typ` tells kinds apart. RFC 7515, 4.1.11: we understand no extension.
        let is_ours = header.typ.as_deref() == Some(self.typ) && header.crit.is_none();
        is_ours.then_some(header)
    }
}
