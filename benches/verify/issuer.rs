//! The real service, signing by one algorithm, and the key that it signs with.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use symbolon::clock::{Clock, SharedClock};
use symbolon::crypto::jwt::Signer;
use symbolon::signing::key_file::{KeyAlgorithm, KeyFile};
use symbolon::verifier::claims::{ACCESS_TOKEN, AccessClaims};
use tempfile::TempDir;

use crate::bare::BareKey;
use crate::process::Process;
use crate::service::{CLIENT, ISSUER, SECRET};
use crate::sign_in;

/// What signs access tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Hs256,
    EdDsa,
    Es256,
}

impl Algorithm {
    pub const ALL: [Self; 3] = [Self::Hs256, Self::EdDsa, Self::Es256];

    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// Of the key to be made for it; HS256 signs with the secret.
    fn of_key(self) -> Option<KeyAlgorithm> {
        match self {
            Self::Hs256 => None,
            Self::EdDsa => Some(KeyAlgorithm::EdDsa),
            Self::Es256 => Some(KeyAlgorithm::Es256),
        }
    }
}

/// A running Symbolon that signs by one algorithm.
pub struct Issuer {
    pub algorithm: Algorithm,
    /// Where it answers.
    pub url: String,
    /// Access tokens, a session each.
    pub tokens: Vec<String>,
    /// Signs as it does.
    pub signer: Signer,
    /// The same key, for the library alone.
    pub bare: BareKey,
    _process: Process,
}

impl Issuer {
    /// Starts it with a fresh key, and signs somebody in `sessions` times.
    pub fn start(algorithm: Algorithm, sessions: usize) -> Self {
        let dir = TempDir::with_prefix("symbolon-bench-").unwrap();
        let keys = dir.path().join("keys");
        std::fs::create_dir(&keys).unwrap();
        let (signer, bare) = match algorithm.of_key() {
            None => {
                let secret = SECRET.as_bytes();
                (Signer::shared(ACCESS_TOKEN, secret), BareKey::new(algorithm, secret))
            }
            Some(of_key) => {
                let now = SharedClock::default().now();
                let file = KeyFile::make(&keys, of_key, now, Duration::ZERO, true).unwrap();
                let bare = BareKey::new(algorithm, &std::fs::read(&file.path).unwrap());
                let kid = file.kid().to_owned();
                (Signer::published(ACCESS_TOKEN, file.algorithm, &kid, file.private), bare)
            }
        };
        let database = format!("sqlite://{}/symbolon.db", dir.path().display());
        let (id, secret) = CLIENT;
        let clients = format!("{id}:{secret}");
        let settings = [
            ("JWT_SECRET", SECRET),
            ("JWT_ISSUER", ISSUER),
            ("ACCESS_TOKEN_TTL", "1h"),
            ("BCRYPT_COST", "10"),
            ("SIGNING_KEYS_DIR", keys.to_str().unwrap()),
            ("INTROSPECTION_CLIENTS", clients.as_str()),
        ];
        // An empty folder of keys would be warned of.
        let settings = settings
            .into_iter()
            .filter(|(name, _)| *name != "SIGNING_KEYS_DIR" || algorithm.of_key().is_some());
        let process = Process::symbolon(dir, &database, &settings.collect::<Vec<_>>());
        let sessions = sign_in::sessions(&process.address, sessions);
        let tokens = sessions.into_iter().map(|session| session.access).collect();
        let url = format!("http://{}", process.address);
        Self { algorithm, url, tokens, signer, bare, _process: process }
    }
}

/// A token, taken apart.
pub struct Parts {
    /// What is signed.
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
    pub claims: AccessClaims,
}

impl Parts {
    pub fn of(token: &str) -> Self {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let claims = decode(message.split_once('.').unwrap().1);
        Self {
            message: message.as_bytes().to_vec(),
            signature: decode(signature),
            claims: serde_json::from_slice(&claims).unwrap(),
        }
    }
}
