//! The ceiling: the same signatures by the cryptographic library alone, its keys made ready once.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, ParsedPublicKey,
};

use crate::issuer::Algorithm;

/// A key as the library wants it.
pub enum BareKey {
    Hmac(Box<hmac::Key>),
    Ed(Ed25519KeyPair, ParsedPublicKey),
    Ec(EcdsaKeyPair, ParsedPublicKey, SystemRandom),
}

impl BareKey {
    /// The secret itself, or the private key in a file.
    pub fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        let der = || pem::parse(secret).unwrap().into_contents();
        match algorithm {
            Algorithm::Hs256 => Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&der()).unwrap();
                let public = ParsedPublicKey::new(&ED25519, pair.public_key()).unwrap();
                Self::Ed(pair, public)
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der());
                let pair = pair.unwrap();
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key());
                Self::Ec(pair, public.unwrap(), SystemRandom::new())
            }
        }
    }

    /// Signs `message`, and has nobody look at what comes of it.
    pub fn sign(&self, message: &[u8]) {
        match self {
            Self::Hmac(key) => drop(std::hint::black_box(hmac::sign(key, message))),
            Self::Ed(pair, _) => drop(std::hint::black_box(pair.sign(message))),
            Self::Ec(pair, _, random) => {
                std::hint::black_box(pair.sign(random, message).unwrap());
            }
        }
    }

    /// Checks that `signature` is of `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).unwrap(),
            Self::Ed(_, public) | Self::Ec(_, public, _) => {
                public.verify_sig(message, signature).unwrap();
            }
        }
    }
}
