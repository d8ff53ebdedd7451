//! Keys, tokens and password hashes.

pub mod hasher;
pub mod jwt;
pub mod keys;
pub mod password;
