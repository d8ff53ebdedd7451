//! What our tokens say, and the two kinds there are.

use serde::{Deserialize, Serialize};

use super::token::Session;
use crate::accounts::user::{Role, User};
use crate::crypto::jwt::{InvalidToken, SigningError, TokenKind, TokenTimes};
use crate::crypto::keys;
use crate::db::{Id, Moment};
use crate::random::Random;
use crate::settings::Secret;
use crate::settings::tokens::{PersonalClaims, TokenSettings};

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

/// The claims of a refresh token: nothing that its session's row does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom: the refresh endpoint.
    pub aud: String,
    /// The user.
    pub sub: Id,
    /// The session.
    pub sid: Id,
    /// Which token of the session it is.
    #[serde(rename = "gen")]
    pub generation: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// From when on it is no longer good.
    pub exp: i64,
}

impl TokenTimes for RefreshClaims {
    fn expires(&self) -> i64 {
        self.exp
    }
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// It is not one of ours.
    Invalid,
    /// It is one of ours, past its time.
    Expired,
}

/// Signs and verifies access and refresh tokens.
pub struct Tokens {
    access: TokenKind,
    refresh: TokenKind,
    issuer: String,
    access_audience: String,
    refresh_audience: String,
    access_seconds: i64,
    claims: PersonalClaims,
}

impl Tokens {
    /// Tokens as `settings` want them.
    pub fn new(settings: &TokenSettings) -> Self {
        let secrets: Vec<&Secret> =
            std::iter::once(&settings.secret).chain(&settings.previous_secrets).collect();
        let access_keys: Vec<&[u8]> = secrets.iter().map(|s| s.expose().as_bytes()).collect();
        let refresh_keys: Vec<_> = secrets.iter().map(|s| keys::refresh_token_key(s)).collect();
        let refresh_keys: Vec<&[u8]> = refresh_keys.iter().map(|key| &key[..]).collect();
        // Security: A5. The two kinds never share an audience, whatever JWT_AUDIENCE says.
        let refresh_audience = format!("{} refresh", settings.audience);
        let (issuer, audience) = (&settings.issuer, &settings.audience);
        Self {
            access: TokenKind::new("at+jwt", issuer, audience, &access_keys),
            refresh: TokenKind::new("rt+jwt", issuer, &refresh_audience, &refresh_keys),
            issuer: issuer.clone(),
            access_audience: audience.clone(),
            refresh_audience,
            access_seconds: i64::try_from(settings.access_ttl.as_secs()).unwrap_or(i64::MAX),
            claims: settings.claims,
        }
    }

    /// How long a new access token is good, in seconds.
    pub fn access_seconds(&self) -> i64 {
        self.access_seconds
    }

    /// A new access token for `session`, issued at `now`.
    pub fn sign_access(
        &self,
        session: &Session,
        user: &User,
        now: Moment,
        random: &dyn Random,
    ) -> Result<String, SigningError> {
        let iat = now.unix_seconds();
        self.access.sign(&AccessClaims {
            iss: self.issuer.clone(),
            aud: self.access_audience.clone(),
            sub: user.id,
            sid: session.id,
            role: user.role,
            iat,
            exp: iat.saturating_add(self.access_seconds),
            nbf: None,
            jti: Id::new(now, random).to_string(),
            email: self.claims.email.then(|| user.email.clone()),
            name: user.name.clone().filter(|_| self.claims.name),
        })
    }

    /// The live refresh token of `session`, the same byte for byte however often it is signed.
    pub fn sign_refresh(&self, session: &Session, user: &User) -> Result<String, SigningError> {
        self.refresh.sign(&RefreshClaims {
            iss: self.issuer.clone(),
            aud: self.refresh_audience.clone(),
            sub: user.id,
            sid: session.id,
            generation: session.generation,
            iat: session.issued_at.unix_seconds(),
            exp: session.expires_at.unix_seconds(),
        })
    }

    /// The claims of an access token that is good at `now`.
    pub fn verify_access(&self, token: &str, now: Moment) -> Result<AccessClaims, TokenFault> {
        verify(&self.access, token, now)
    }

    /// The claims of a refresh token that is good at `now`.
    pub fn verify_refresh(&self, token: &str, now: Moment) -> Result<RefreshClaims, TokenFault> {
        let claims: RefreshClaims = verify(&self.refresh, token, now)?;
        if claims.generation < 0 {
            return Err(TokenFault::Invalid);
        }
        Ok(claims)
    }
}

impl From<InvalidToken> for TokenFault {
    fn from(InvalidToken: InvalidToken) -> Self {
        Self::Invalid
    }
}

/// RFC 7519, 4.1.4: good only *before* `exp`.
fn verify<C>(kind: &TokenKind, token: &str, now: Moment) -> Result<C, TokenFault>
where
    C: serde::de::DeserializeOwned + TokenTimes,
{
    let now = now.unix_seconds();
    let claims: C = kind.verify(token, now)?;
    if claims.expires() <= now { Err(TokenFault::Expired) } else { Ok(claims) }
}
