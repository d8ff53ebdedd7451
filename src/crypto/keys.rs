//! Keys derived from `JWT_SECRET`, one for each purpose.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::settings::Secret;

/// The key that signs refresh tokens: HKDF-SHA-256 (RFC 5869) of the secret, so that neither it nor
/// anything signed by it can stand in for the access-token key.
pub fn refresh_token_key(secret: &Secret) -> Zeroizing<[u8; 32]> {
    derive(secret, b"symbolon refresh token v1")
}

/// The key of one-time tokens, the ones that are mailed, made in the same way.
pub fn one_time_token_key(secret: &Secret) -> Zeroizing<[u8; 32]> {
    derive(secret, b"symbolon one-time token v1")
}

#[expect(clippy::expect_used, reason = "RFC 5869 allows 255 * 32 bytes of output; 32 always fit")]
fn derive(secret: &Secret, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, secret.expose().as_bytes())
        .expand(purpose, &mut *key)
        .expect("32 bytes can be derived");
    key
}
