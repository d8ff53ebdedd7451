//! What an access token says.

use serde::{Deserialize, Serialize};

use super::token::TokenTimes;
use crate::id::Id;
use crate::role::Role;

/// The `typ` of an access token (RFC 9068, 2.1).
pub const ACCESS_TOKEN: &str = "at+jwt";

/// The claims of an access token (RFC 9068).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom.
    pub aud: String,
    /// The user.
    pub sub: Id,
    /// The session.
    pub sid: Id,
    /// The user's role when it was issued.
    pub role: Role,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// From when on it is no longer good.
    pub exp: i64,
    /// From when on it is good; never issued by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Its own id.
    pub jti: String,
    /// The user's address, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's name, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl TokenTimes for AccessClaims {
    fn expires(&self) -> i64 {
        self.exp
    }

    fn not_before(&self) -> Option<i64> {
        self.nbf
    }
}
