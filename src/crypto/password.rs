//! Password hashes: passlib's `bcrypt-sha256` version 2, and plain bcrypt for imported users.
//!
//! bcrypt reads 72 bytes at most and stops at a NUL. The published construction therefore hashes
//! `base64(HMAC-SHA-256(key = the salt's text, password))` instead, so that every byte counts
//! (<https://passlib.readthedocs.io/en/stable/lib/passlib.hash.bcrypt_sha256.html>).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::{BASE_64, HashParts, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random::{self, Random};

/// A password as its owner typed it, in Unicode's NFC: "é" is one password, however composed.
#[derive(Clone, Zeroize, ZeroizeOnDrop, utoipa::ToSchema)]
#[schema(value_type = String, format = Password, example = "correct horse battery")]
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
/// The length of bcrypt's digest.
const DIGEST_BYTES: usize = 23;
/// Costs that an imported hash may have: bcrypt's least, and the dearest that `BCRYPT_COST` takes.
const IMPORTED_COSTS: std::ops::RangeInclusive<u32> = 4..=15;
/// Stored where there is no password; no hash begins so.
const UNSET: &str = "!";
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

    /// What is stored for an account that has no password yet: it matches none.
    pub fn unset() -> Self {
        Self(UNSET.to_owned())
    }

    /// Whether there is a password.
    pub fn is_set(&self) -> bool {
        self.0 != UNSET
    }

    /// Takes over the hash of another system, after making sure that it can be checked some day:
    /// plain bcrypt (`$2a$`, `$2b$`, `$2y$`) or `bcrypt-sha256` version 2, of a cost from 4 to 15. Fails
    /// with a sentence that does not repeat it.
    pub fn import(text: String) -> Result<Self, &'static str> {
        let hash = Self(text);
        match hash.canonical_cost() {
            None => Err("passwordHash is neither bcrypt ($2a$, $2b$, $2y$) nor $bcrypt-sha256$v=2"),
            Some(cost) if !IMPORTED_COSTS.contains(&cost) => {
                Err("passwordHash has a cost outside 4 to 15")
            }
            Some(_) => Ok(hash),
        }
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

    /// The cost, if this is a hash that can be checked.
    pub fn cost(&self) -> Option<u32> {
        self.parts()
            .map(|(cost, ..)| cost)
            .or_else(|| self.0.parse::<HashParts>().ok().map(|parts| parts.get_cost()))
    }

    /// The cost, if this is written as it would be by whoever makes such hashes: `+4` is no `04`.
    fn canonical_cost(&self) -> Option<u32> {
        if let Some((cost, salt, digest)) = self.parts() {
            let is_whole = BASE_64.decode(digest).is_ok_and(|digest| digest.len() == DIGEST_BYTES);
            let written = format!("{PREFIX}{cost}${}${digest}", BASE_64.encode(salt));
            return (is_whole && written == self.0).then_some(cost);
        }
        let parts: HashParts = self.0.parse().ok()?;
        let versions = [Version::TwoA, Version::TwoB, Version::TwoY];
        let cost = parts.get_cost();
        versions
            .into_iter()
            .any(|version| parts.format_for_version(version) == self.0)
            .then_some(cost)
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

    /// Security: E4.
    #[test]
    fn only_hashes_that_can_be_checked_are_imported() {
        let import = |text: &str| PasswordHash::import(text.to_owned());
        let plain = bcrypt::hash("ab", 4).unwrap();
        let ours = PasswordHash::new(&password("ab"), 4, &SystemRandom).unwrap();
        for version in ["$2a$", "$2b$", "$2y$"] {
            let hash = import(&plain.replacen("$2b$", version, 1)).unwrap();
            assert!(hash.matches(&password("ab")) && hash.cost() == Some(4));
        }
        let hash = import(ours.as_str()).unwrap();
        assert!(hash.matches(&password("ab")) && hash.cost() == Some(4));

        let of_cost = |cost: &str| {
            [
                plain.replacen("$04$", &format!("${cost:0>2}$"), 1),
                ours.as_str().replacen("r=4$", &format!("r={cost}$"), 1),
            ]
        };
        for hash in of_cost("15") {
            import(&hash).unwrap();
        }
        for cost in ["3", "16", "31"] {
            for hash in of_cost(cost) {
                assert!(import(&hash).unwrap_err().contains("cost"), "{hash}");
            }
        }
        let [salt, digest] = [29, 28].map(|at| plain.split_at(at));
        let unknown = [
            String::new(),
            "!".to_owned(),
            "correct horse battery".to_owned(),
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA".to_owned(),
            plain.replacen("$2b$", "$2x$", 1),
            plain.replacen("$2b$", "$2$", 1),
            plain.replacen("$04$", "$+4$", 1),
            plain.replacen("$04$", "$4$", 1),
            format!("{plain}x"),
            format!(" {plain}"),
            plain[..59].to_owned(),
            // Stray bits behind the salt's last byte: never to match again.
            format!("{}/{}", digest.0, salt.1),
            ours.as_str().replacen("v=2", "v=1", 1),
            ours.as_str().replacen("r=4", "r=04", 1),
            ours.as_str().replacen("r=4", "r=+4", 1),
            format!("{}$", ours.as_str()),
            ours.as_str()[..ours.as_str().len() - 1].to_owned(),
        ];
        for text in unknown {
            assert!(import(&text).unwrap_err().contains("neither"), "{text}");
        }
    }

    #[test]
    fn no_password_matches_where_there_is_none() {
        let unset = PasswordHash::unset();
        assert!(!unset.is_set() && unset.cost().is_none() && PasswordHash::decoy(4).is_set());
        for text in ["", "!", "x"] {
            assert!(!unset.matches(&password(text)));
        }
    }

    #[test]
    fn nonsense_matches_nothing() {
        for text in ["", "x", "$2b$", "$bcrypt-sha256$v=2,t=2b,r=12$short$x"] {
            assert!(!PasswordHash::stored(text.to_owned()).matches(&password("x")));
        }
    }
}
