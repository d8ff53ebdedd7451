//! What our tokens say, and the two kinds there are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::token::Session;
use crate::accounts::user::User;
use crate::crypto::jwt::{Signer, SigningError};
use crate::crypto::keys;
use crate::db::{Id, Moment};
use crate::random::Random;
use crate::settings::Secret;
use crate::settings::tokens::{PersonalClaims, TokenSettings};
use crate::signing::SigningKeys;
use crate::verifier::claims::{ACCESS_TOKEN, AccessClaims};
pub use crate::verifier::token::TokenFault;
use crate::verifier::token::{KeySet, TokenRules, TokenTimes};

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

/// The `typ` of a refresh token.
const REFRESH_TOKEN: &str = "rt+jwt";

/// Tokens of one kind that are signed with the secret.
struct Shared {
    signer: Signer,
    keys: KeySet,
}

impl Shared {
    /// Tokens of `typ`, signed with the first of `keys` and verified with any of them.
    fn new<K: AsRef<[u8]>>(typ: &str, keys: &[K]) -> Self {
        let first = keys.first().map_or(&[][..], AsRef::as_ref);
        Self { signer: Signer::shared(typ, first), keys: KeySet::shared(keys) }
    }
}

/// Signs and verifies access and refresh tokens.
pub struct Tokens {
    access_rules: TokenRules,
    access: Shared,
    signing: Option<Arc<SigningKeys>>,
    refresh_rules: TokenRules,
    refresh: Shared,
    issuer: String,
    access_audience: String,
    refresh_audience: String,
    access_seconds: i64,
    claims: PersonalClaims,
}

impl Tokens {
    /// Tokens as `settings` want them, access tokens being signed by `signing` where that has a key.
    pub fn new(settings: &TokenSettings, signing: Option<Arc<SigningKeys>>) -> Self {
        let secrets: Vec<&Secret> =
            std::iter::once(&settings.secret).chain(&settings.previous_secrets).collect();
        let access_keys: Vec<&[u8]> = secrets.iter().map(|s| s.expose().as_bytes()).collect();
        let refresh_keys: Vec<_> = secrets.iter().map(|s| keys::refresh_token_key(s)).collect();
        let refresh_keys: Vec<&[u8]> = refresh_keys.iter().map(|key| &key[..]).collect();
        // Security: A5. The two kinds never share an audience, whatever JWT_AUDIENCE says.
        let refresh_audience = format!("{} refresh", settings.audience);
        let (issuer, audience) = (&settings.issuer, &settings.audience);
        Self {
            access_rules: TokenRules::new(ACCESS_TOKEN, issuer, audience),
            access: Shared::new(ACCESS_TOKEN, &access_keys),
            signing,
            refresh_rules: TokenRules::new(REFRESH_TOKEN, issuer, &refresh_audience),
            refresh: Shared::new(REFRESH_TOKEN, &refresh_keys),
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
        let phase = self.signing.as_ref().map(|keys| keys.at(now));
        let published = phase.as_ref().and_then(|phase| phase.signer.as_ref());
        published.unwrap_or(&self.access.signer).sign(&AccessClaims {
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
        self.refresh.signer.sign(&RefreshClaims {
            iss: self.issuer.clone(),
            aud: self.refresh_audience.clone(),
            sub: user.id,
            sid: session.id,
            generation: session.generation,
            iat: session.issued_at.unix_seconds(),
            exp: session.expires_at.unix_seconds(),
        })
    }

    /// The claims of an access token that is good at `now`. Where there are signing keys, what the
    /// secret has signed is none.
    pub fn verify_access(&self, token: &str, now: Moment) -> Result<AccessClaims, TokenFault> {
        let phase = self.signing.as_ref().map(|keys| keys.at(now));
        let published = phase.as_ref().filter(|phase| phase.signer.is_some());
        let keys = published.map_or(&self.access.keys, |phase| &phase.verifying);
        self.access_rules.verify(token, keys, now)
    }

    /// The claims of a refresh token that is good at `now`.
    pub fn verify_refresh(&self, token: &str, now: Moment) -> Result<RefreshClaims, TokenFault> {
        let claims: RefreshClaims = self.refresh_rules.verify(token, &self.refresh.keys, now)?;
        if claims.generation < 0 {
            return Err(TokenFault::Invalid);
        }
        Ok(claims)
    }
}
