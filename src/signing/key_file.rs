//! A signing key as a file: PEM, with its times in the text before it, which readers of PEM pass
//! over (RFC 7468, 2).
//!
//! ```text
//! Created: 2026-03-01T12:00:00Z
//! -----BEGIN PRIVATE KEY-----
//! …
//! -----END PRIVATE KEY-----
//! ```
//!
//! `Signs-From` is there where it is not to wait for `KEY_ACTIVATION`, `Retired` where it is to sign no
//! more. A key without such a text, made by another program, was created when its file was last
//! changed.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use clap::ValueEnum;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use thiserror::Error;
use zeroize::Zeroizing;

use super::rule::Times;
use crate::moment::Moment;
use crate::private_files;

const CREATED: &str = "Created";
const SIGNS_FROM: &str = "Signs-From";
const RETIRED: &str = "Retired";

/// Algorithms of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518, 3.4): what nearly every library verifies
    #[default]
    #[value(name = "ES256")]
    Es256,
    /// Ed25519 (RFC 8037): quicker to verify, known to fewer libraries
    #[value(name = "EdDSA")]
    EdDsa,
}

impl KeyAlgorithm {
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// Why a file is not a signing key.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// It holds something else.
    #[error("{0} holds no private key for ES256 or EdDSA in PEM (PKCS#8)")]
    NoKey(PathBuf),
    /// A time in it is none.
    #[error("{0}: {1} is no time as in 2026-03-01T12:00:00Z")]
    NoTime(PathBuf, &'static str),
    /// The cryptographic library failed.
    #[error("no key could be made")]
    Making,
}

impl KeyFileError {
    /// The file at fault, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io(path, _) | Self::NoKey(path) | Self::NoTime(path, _) => Some(path),
            Self::Making => None,
        }
    }
}

/// A signing key, and what its file says about it.
pub struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// The public half, with its `kid`, as it is published.
    pub public: Jwk,
    /// The private half.
    pub private: EncodingKey,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The times in its life.
    pub times: Times,
    /// Whether the file says when it was created, as copies of it do too.
    pub is_dated: bool,
    /// Since when it may sign, where the file says so.
    stated_start: Option<Moment>,
    pem: Zeroizing<String>,
}

impl KeyFile {
    /// Makes a new key in `folder`, named by its `kid`. It signs after `activation`, or `at_once`.
    pub fn make(
        folder: &Path,
        algorithm: KeyAlgorithm,
        now: Moment,
        activation: Duration,
        at_once: bool,
    ) -> Result<Self, KeyFileError> {
        let (key, pem) = loop {
            let (key, pem) = Keys::make(algorithm)?;
            // Programs take a name that begins so for an option, and one of 64 does.
            if !key.kid().starts_with('-') {
                break (key, pem);
            }
        };
        let stated_start = at_once.then_some(now);
        let signs_from = stated_start.unwrap_or(now + activation);
        let times = Times { created: now, signs_from, retired: None, signed_until: None };
        let path = folder.join(format!("{}.pem", key.kid()));
        let Keys { public, private, algorithm } = key;
        let file =
            Self { path, public, private, algorithm, times, is_dated: true, stated_start, pem };
        file.write()?;
        Ok(file)
    }

    /// Reads the key at `path`, which signs `activation` after it was created unless it says
    /// otherwise.
    pub fn read(path: &Path, activation: Duration) -> Result<Self, KeyFileError> {
        let io = |error| KeyFileError::Io(path.to_owned(), error);
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(io)?);
        let begin = text.find("-----BEGIN").ok_or_else(|| KeyFileError::NoKey(path.to_owned()))?;
        let (said, pem) = text.split_at(begin);
        let time = |name: &'static str| {
            let value = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let read = |value: &str| {
                Moment::parse(value.trim())
                    .ok_or_else(|| KeyFileError::NoTime(path.to_owned(), name))
            };
            value.map(read).transpose()
        };
        let changed = std::fs::metadata(path).and_then(|file| file.modified()).map_err(io)?;
        let said_created = time(CREATED)?;
        let created = said_created.unwrap_or(changed.into());
        let stated_start = time(SIGNS_FROM)?;
        let signs_from = stated_start.unwrap_or(created + activation);
        let times = Times { created, signs_from, retired: time(RETIRED)?, signed_until: None };
        let Keys { public, private, algorithm } =
            Keys::of(pem, &[KeyAlgorithm::Es256, KeyAlgorithm::EdDsa])
                .ok_or_else(|| KeyFileError::NoKey(path.to_owned()))?;
        let (path, is_dated) = (path.to_owned(), said_created.is_some());
        let pem = Zeroizing::new(pem.to_owned());
        Ok(Self { path, public, private, algorithm, times, is_dated, stated_start, pem })
    }

    /// Its `kid`: the thumbprint of its public half (RFC 7638).
    pub fn kid(&self) -> &str {
        self.public.common.key_id.as_deref().unwrap_or_default()
    }

    /// The order of their making.
    pub fn by_age(&self, other: &Self) -> Ordering {
        let by_age = self.times.created.cmp(&other.times.created);
        by_age.then_with(|| self.kid().cmp(other.kid()))
    }

    /// Lets it sign nothing more from `now` on.
    pub fn retire(&mut self, now: Moment) -> Result<(), KeyFileError> {
        self.times.retired = Some(now);
        self.write()
    }

    /// Deletes the file.
    pub fn delete(self) -> Result<(), KeyFileError> {
        std::fs::remove_file(&self.path).map_err(|error| KeyFileError::Io(self.path, error))
    }

    /// Whether anybody but its owner can read it.
    pub fn is_open_to_others(&self) -> bool {
        private_files::is_open_to_others(&self.path)
    }

    /// Puts the whole file in place, for its owner alone.
    fn write(&self) -> Result<(), KeyFileError> {
        let Times { created, retired, .. } = self.times;
        let mut text = Zeroizing::new(format!("{CREATED}: {created}\n"));
        for (name, at) in [(SIGNS_FROM, self.stated_start), (RETIRED, retired)] {
            if let Some(at) = at {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{name}: {at}");
            }
        }
        text.push_str(&self.pem);
        // Whoever reads the folder meanwhile looks for `.pem` only.
        let draft = self.path.with_extension("new");
        let put = || {
            let mut file =
                private_files::write_options().create(true).truncate(true).open(&draft)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
            std::fs::rename(&draft, &self.path)
        };
        put().map_err(|error| KeyFileError::Io(self.path.clone(), error))
    }
}

/// Both halves of a key.
struct Keys {
    private: EncodingKey,
    public: Jwk,
    algorithm: Algorithm,
}

impl Keys {
    /// A new key, and its PEM.
    fn make(algorithm: KeyAlgorithm) -> Result<(Self, Zeroizing<String>), KeyFileError> {
        let der = match algorithm {
            KeyAlgorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|key| key.to_pkcs8v1()),
            KeyAlgorithm::EdDsa => Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()),
        };
        let der = der.map_err(|_| KeyFileError::Making)?;
        let pem = Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())));
        let key = Self::of(&pem, &[algorithm]).ok_or(KeyFileError::Making)?;
        Ok((key, pem))
    }

    /// The key in `pem`, if it is for one of `algorithms`.
    fn of(pem: &str, algorithms: &[KeyAlgorithm]) -> Option<Self> {
        algorithms.iter().find_map(|&wanted| {
            let private = match wanted {
                KeyAlgorithm::Es256 => EncodingKey::from_ec_pem(pem.as_bytes()),
                KeyAlgorithm::EdDsa => EncodingKey::from_ed_pem(pem.as_bytes()),
            };
            let (private, algorithm) = (private.ok()?, wanted.algorithm());
            let mut public = Jwk::from_encoding_key(&private, algorithm).ok()?;
            public.common.key_id = public.thumbprint(ThumbprintHash::SHA256).ok();
            public.common.public_key_use = Some(PublicKeyUse::Signature);
            Some(Self { private, public, algorithm })
        })
    }

    fn kid(&self) -> &str {
        self.public.common.key_id.as_deref().unwrap_or_default()
    }
}
