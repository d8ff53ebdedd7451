//! The rotation rule: what a presented refresh token gets. `docs/rotation.md` says why.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use crate::client::Client;
use crate::db::{Id, Moment};
use crate::settings::tokens::TokenSettings;

/// How a session's refresh token travels, fixed when the session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// In a cookie that scripts cannot read.
    #[default]
    Cookie,
    /// In JSON, for clients without a cookie jar.
    Body,
}

impl Transport {
    /// Its name in the table and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }
}

/// By its name alone: what serde derives would take `{"body": null}`, too.
impl<'de> serde::Deserialize<'de> for Transport {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let all = [Self::Cookie, Self::Body];
        all.into_iter()
            .find(|transport| transport.name() == name)
            .ok_or_else(|| serde::de::Error::unknown_variant(&name, &["cookie", "body"]))
    }
}

/// SHA-256 of the `Idempotency-Key` of a refresh.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RetryKey(pub [u8; 32]);

impl fmt::Debug for RetryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetryKey")
    }
}

/// One row of `refresh_tokens`: a session, and all there is to know of its live refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's id, `sid` in its tokens.
    pub id: Id,
    /// Its user; `None` once the account is gone.
    pub user_id: Option<Id>,
    /// How its refresh token travels.
    pub transport: Transport,
    /// Which token of the family is the live one, counted from 0.
    pub generation: i64,
    /// Until when the latest rotation is forgiven; `None` before the first.
    pub grace_until: Option<Moment>,
    /// The key of the request that made the live token.
    pub retry_key: Option<RetryKey>,
    /// The live token's `iat`.
    pub issued_at: Moment,
    /// The live token's `exp`.
    pub expires_at: Moment,
    /// When its user signed in.
    pub created_at: Moment,
    /// The session's end, which no rotation moves.
    pub ends_at: Moment,
    /// When it was ended early.
    pub revoked_at: Option<Moment>,
    /// Where the live token was sent to.
    pub client: Client,
}

/// How long tokens and sessions live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A refresh token, from its rotation.
    pub refresh: Duration,
    /// A session, from sign-in.
    pub session: Duration,
    /// A rotation's forgiveness.
    pub grace: Duration,
}

impl Lifetimes {
    /// The lifetimes that `settings` want.
    pub fn of(settings: &TokenSettings) -> Self {
        Self { refresh: settings.refresh_ttl, session: settings.session_ttl, grace: settings.grace }
    }
}

/// What is presented to the rule: a token whose signature held and which has not expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// The token's `gen`.
    pub generation: i64,
    /// The request's `Idempotency-Key`.
    pub retry_key: Option<RetryKey>,
    /// Whether a browser sent it, whose tabs share one cookie jar.
    pub from_browser: bool,
}

/// What the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Replace the live token by a new one.
    Rotate,
    /// Answer with the live token again.
    Replay {
        /// Whether the forgiveness of the latest rotation starts anew.
        restart_grace: bool,
    },
    /// Two parties hold tokens of this session: end it.
    Reused,
    /// The session was ended.
    Revoked,
    /// The token or its session is past its time.
    Expired,
}

impl Session {
    /// A session that starts at `now`, its first token being generation 0.
    pub fn start(
        id: Id,
        user_id: Id,
        transport: Transport,
        client: Client,
        now: Moment,
        lifetimes: &Lifetimes,
    ) -> Self {
        let issued_at = now.whole_second();
        let ends_at = issued_at + lifetimes.session;
        Self {
            id,
            user_id: Some(user_id),
            transport,
            generation: 0,
            grace_until: None,
            retry_key: None,
            issued_at,
            expires_at: ends_at.min(issued_at + lifetimes.refresh),
            created_at: now,
            ends_at,
            revoked_at: None,
            client,
        }
    }

    /// What a presented token gets at `now`.
    pub fn present(&self, token: &Presented, now: Moment) -> Verdict {
        if self.revoked_at.is_some() {
            return Verdict::Revoked;
        }
        // A token newer than the row is judged by its own `exp`: the row lost a rotation.
        if self.ends_at <= now || (self.expires_at <= now && token.generation <= self.generation) {
            return Verdict::Expired;
        }
        let in_grace = self.grace_until.is_some_and(|until| now < until);
        let is_previous = token.generation + 1 == self.generation;
        let same_key = token.retry_key.is_some() && token.retry_key == self.retry_key;
        match token.generation.cmp(&self.generation) {
            // A second rotation would overtake answers to the first that are still under way to
            // other tabs, and the jar would end up with the older cookie.
            Ordering::Equal if token.from_browser && in_grace => {
                Verdict::Replay { restart_grace: false }
            }
            Ordering::Equal | Ordering::Greater => Verdict::Rotate,
            // Only the holder of the key can ask again so late.
            Ordering::Less if is_previous && same_key => Verdict::Replay { restart_grace: true },
            Ordering::Less if is_previous && in_grace => Verdict::Replay { restart_grace: false },
            Ordering::Less => Verdict::Reused,
        }
    }

    /// This session after `token` was rotated at `now` for `client`.
    #[must_use]
    pub fn rotated(
        &self,
        token: &Presented,
        client: Client,
        now: Moment,
        lifetimes: &Lifetimes,
    ) -> Self {
        let issued_at = now.whole_second();
        Self {
            generation: token.generation + 1,
            grace_until: Some(now + lifetimes.grace),
            retry_key: token.retry_key,
            issued_at,
            expires_at: self.ends_at.min(issued_at + lifetimes.refresh),
            client,
            ..self.clone()
        }
    }

    /// Whether its access tokens are good at `now`.
    pub fn is_live(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && now < self.ends_at
    }
}
