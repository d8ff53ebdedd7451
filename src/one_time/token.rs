//! The token itself: an id and its HMAC-SHA-256, 64 characters in all.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crypto::keys;
use crate::db::Id;
use crate::settings::tokens::TokenSettings;

const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 32;

/// What a one-time token is good for, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Proving the address of an account.
    VerifyEmail,
    /// Proving the address that an account is to have from then on.
    ChangeEmail,
    /// Setting a new password.
    ResetPassword,
}

impl Purpose {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// How long a token is good from when it is mailed.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::VerifyEmail | Self::ChangeEmail => Duration::from_secs(24 * 3600),
            Self::ResetPassword => Duration::from_secs(30 * 60),
        }
    }
}

/// Makes and checks one-time tokens.
pub struct OneTimeTokens {
    /// Derived from the secret and its predecessors; the first makes tokens.
    keys: Vec<Zeroizing<[u8; 32]>>,
}

impl OneTimeTokens {
    /// Tokens under keys derived from `JWT_SECRET` and `JWT_SECRET_PREVIOUS`.
    pub fn new(settings: &TokenSettings) -> Self {
        let secrets = std::iter::once(&settings.secret).chain(&settings.previous_secrets);
        Self { keys: secrets.map(keys::one_time_token_key).collect() }
    }

    /// The token of `id`: the same each time it is asked for.
    pub fn text(&self, id: Id, purpose: Purpose) -> String {
        let mut bytes = id.as_bytes().to_vec();
        let mac = self.keys.first().map(|key| mac(key, id, purpose).finalize().into_bytes());
        bytes.extend(mac.unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The id that `text` holds, and for which of `purposes` it was made; `None` where we did not
    /// make it for any of them. Whether it still is good, only its row can tell.
    pub fn check(&self, text: &str, purposes: &[Purpose]) -> Option<(Id, Purpose)> {
        let bytes: [u8; ID_BYTES + MAC_BYTES] =
            URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (id, tag) = bytes.split_at(ID_BYTES);
        let id = Id::from_bytes(id.try_into().ok()?);
        let is_made_for =
            |purpose| self.keys.iter().any(|key| mac(key, id, purpose).verify_slice(tag).is_ok());
        let purpose = purposes.iter().copied().find(|&purpose| is_made_for(purpose))?;
        Some((id, purpose))
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn mac(key: &[u8; 32], id: Id, purpose: Purpose) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of 32 bytes is fine");
    mac.update(purpose.name().as_bytes());
    mac.update(id.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    const ALL: [Purpose; 3] = [Purpose::VerifyEmail, Purpose::ChangeEmail, Purpose::ResetPassword];

    fn under(secrets: &[&str]) -> OneTimeTokens {
        let key = |secret: &&str| keys::one_time_token_key(&Secret::new(*secret));
        OneTimeTokens { keys: secrets.iter().map(key).collect() }
    }

    fn id() -> Id {
        "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
    }

    /// Security: H1, A13.
    #[test]
    fn a_token_is_good_for_what_it_was_made_for() {
        let tokens = under(&["one"]);
        for made_for in ALL {
            let text = tokens.text(id(), made_for);
            assert_eq!(text.len(), 64);
            assert_eq!(text, tokens.text(id(), made_for));
            for purpose in ALL {
                let expected = (purpose == made_for).then_some((id(), purpose));
                assert_eq!(tokens.check(&text, &[purpose]), expected);
            }
            assert_eq!(tokens.check(&text, &ALL), Some((id(), made_for)));
        }
    }

    /// Security: H1.
    #[test]
    fn one_changed_bit_makes_it_nobodys() {
        let tokens = under(&["one"]);
        let text = tokens.text(id(), Purpose::ResetPassword);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(tokens.check(&URL_SAFE_NO_PAD.encode(changed), &ALL), None, "bit {bit}");
        }
        for text in ["", "x", &text[..63], &format!("{text}A"), &format!("{text}="), "é"] {
            assert_eq!(tokens.check(text, &ALL), None, "{text:?}");
        }
    }

    #[test]
    fn a_replaced_secret_still_checks_and_no_longer_makes() {
        let (old, new, both) = (under(&["old"]), under(&["new"]), under(&["new", "old"]));
        let text = old.text(id(), Purpose::VerifyEmail);
        assert!(both.check(&text, &ALL).is_some());
        assert!(new.check(&text, &ALL).is_none());
        assert_eq!(both.text(id(), Purpose::VerifyEmail), new.text(id(), Purpose::VerifyEmail));
    }
}
