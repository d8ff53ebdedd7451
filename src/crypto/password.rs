//! Password hashes: passlib's `bcrypt-sha256` version 2, and plain bcrypt for imported users.
//!
//! bcrypt reads 72 bytes at most and stops at a NUL. The published construction therefore hashes
//! `base64(HMAC-SHA-256(key = the salt's text, password))` instead, so that every byte counts
//! (<https://passlib.readthedocs.io/en/stable/lib/passlib.hash.bcrypt_sha256.html>).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::{BASE_64, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random::{self, Random};

/// A password as its owner typed it, in Unicode's NFC: "é" is one password, however composed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// Takes charge of what was typed. Nothing is trimmed or folded.
    pub fn new(mut typed: String) -> Self {
        let password = Self(typed.nfc().collect());
        typed.zeroize();
        password
    }

    /// The password itself, normalized.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

const PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";
/// The base64 length of bcrypt's 16-byte salt.
const SALT_CHARS: usize = 22;
/// A fixed salt and digest that belong to no password: what an unknown account is measured by.
const DECOY: &str = "$abcdefghijklmnopqrstuu$0123456789abcdefghijklmnopqrstu";

/// A stored password hash.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PasswordHash {
    /// A hash as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// What to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Hashes `password` at `cost`: about 0.2 s at 12.
    pub fn new(
        password: &Password,
        cost: u32,
        random: &dyn Random,
    ) -> Result<Self, bcrypt::BcryptError> {
        let salt = random::bytes(random);
        let digest = digest(password, cost, salt)?;
        Ok(Self(format!("{PREFIX}{cost}${}${digest}", BASE_64.encode(salt))))
    }

    /// A hash that no password matches, as dear to check as one of ours: for unknown accounts.
    pub fn decoy(cost: u32) -> Self {
        Self(format!("{PREFIX}{cost}{DECOY}"))
    }

    /// Whether this is a hash of `password`. Costs one bcrypt, of this hash's own cost.
    pub fn matches(&self, password: &Password) -> bool {
        match self.parts() {
            Some((cost, salt, expected)) => digest(password, cost, salt)
                .is_ok_and(|digest| digest.as_bytes().ct_eq(expected.as_bytes()).into()),
            // Plain bcrypt takes "ab" and "ab\0ab" for one password, so a NUL is refused.
            None => {
                bcrypt::verify(password.expose(), &self.0).unwrap_or(false)
                    && !password.expose().contains('\0')
            }
        }
    }

    /// Whether this hash is what [`PasswordHash::new`] would make today.
    pub fn is_current(&self, cost: u32) -> bool {
        self.parts().is_some_and(|(own, ..)| own == cost)
    }

    /// Cost, salt and digest of a `bcrypt-sha256` hash; `None` for any other.
    fn parts(&self) -> Option<(u32, [u8; 16], &str)> {
        let mut parts = self.0.strip_prefix(PREFIX)?.split('$');
        let (cost, salt, digest) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let salt = BASE_64.decode(salt).ok()?.try_into().ok()?;
        Some((cost.parse().ok()?, salt, digest))
    }
}

/// bcrypt's digest, as text, of the keyed hash of `password`.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn digest(password: &Password, cost: u32, salt: [u8; 16]) -> Result<String, bcrypt::BcryptError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(BASE_64.encode(salt).as_bytes())
        .expect("a key of 22 bytes is fine");
    mac.update(password.expose().as_bytes());
    let keyed = STANDARD.encode(mac.finalize().into_bytes());
    let hash = bcrypt::hash_with_salt(keyed, cost, salt)?.format_for_version(Version::TwoB);
    // $2b$12$<salt><digest>
    let start = hash.rfind('$').map_or(0, |at| at + 1) + SALT_CHARS;
    Ok(hash[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    /// The vectors published with passlib 1.7.4.
    #[test]
    fn the_published_vectors_hold() {
        let vectors = [
            (
                "",
                "$bcrypt-sha256$v=2,t=2b,r=5$E/e/2AOhqM5W/KJTFQzLce$WFPIZKtDDTriqWwlmRFfHiOTeheAZWe",
            ),
            (
                "password",
                "$bcrypt-sha256$v=2,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS",
            ),
        ];
        for (text, hash) in vectors {
            let hash = PasswordHash::stored(hash.to_owned());
            assert!(hash.matches(&password(text)), "{text:?}");
            assert!(!hash.matches(&password("other")));
        }
    }

    /// Security: E3, E4, E6.
    #[test]
    fn every_byte_counts() {
        let hash = |text: &str| PasswordHash::new(&password(text), 4, &SystemRandom).unwrap();
        let long = "x".repeat(72);
        assert!(hash(&long).matches(&password(&long)));
        assert!(!hash(&long).matches(&password(&long[..71])));
        assert!(!hash(&long).matches(&password(&format!("{long}x"))));
        assert!(!hash("ab").matches(&password("ab\0ab")));
        assert!(hash("e\u{301}").matches(&password("\u{e9}")));
        assert!(!hash(" x").matches(&password("x")));
    }

    /// Security: E4, E9.
    #[test]
    fn plain_bcrypt_verifies_and_is_not_current() {
        let plain = bcrypt::hash("ab", 4).unwrap();
        for version in ["$2a$", "$2b$", "$2y$"] {
            let hash = PasswordHash::stored(plain.replacen("$2b$", version, 1));
            assert!(hash.matches(&password("ab")), "{version}");
            assert!(!hash.matches(&password("ab\0ab")));
            assert!(!hash.is_current(4));
        }
        let ours = PasswordHash::new(&password("ab"), 4, &SystemRandom).unwrap();
        assert!(ours.is_current(4) && !ours.is_current(5));
    }

    /// Security: E10.
    #[test]
    fn a_decoy_is_a_hash_like_ours_that_nothing_matches() {
        let decoy = PasswordHash::decoy(4);
        assert!(decoy.is_current(4));
        let (cost, salt, digest) = decoy.parts().unwrap();
        assert_eq!((cost, salt.len(), digest.len()), (4, 16, 31));
        assert!(!decoy.matches(&password("")));
    }

    #[test]
    fn nonsense_matches_nothing() {
        for text in ["", "x", "$2b$", "$bcrypt-sha256$v=2,t=2b,r=12$short$x"] {
            assert!(!PasswordHash::stored(text.to_owned()).matches(&password("x")));
        }
    }
}
