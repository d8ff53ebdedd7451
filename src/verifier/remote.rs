//! What Symbolon publishes about its tokens, fetched beside the requests and kept.
//!
//! Fetched at start and whenever what was fetched grows old, by a thread of its own; and at once when
//! a token names a key that is not known, because a new one may have begun to sign. Of those who ask
//! for that at the same time one asks for all, and however many tokens name keys that do not exist,
//! it is done no more than once in [`COOL_DOWN`]. While Symbolon is away, what is known goes on being
//! used for a day.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::http::HeaderMap;

use super::Wanted;
use super::token::{KeySet, TokenRules};
use crate::clock::Clock;
use crate::moment::Moment;

/// The least time between two fetches that tokens with unknown keys cause. A key that signs at once
/// may be taken for one that does not exist this long.
pub(super) const COOL_DOWN: Duration = Duration::from_secs(5);
/// How long keys are believed while newer ones cannot be had.
const BELIEVED_FOR: Duration = Duration::from_secs(86_400);
/// How soon keys are fetched again, at the soonest, at the latest, and where the answer does not say.
const FRESH_FOR: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(3600), Duration::from_secs(300)];
/// How soon a failed fetch is tried again, doubling up to the longest.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// The largest document taken, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// What tokens are verified by.
pub(super) struct Trust {
    /// What a token has to be.
    pub(super) rules: TokenRules,
    /// What may have signed it.
    pub(super) keys: KeySet,
}

/// Why there was nothing to be had.
#[derive(Debug, Error)]
enum FetchError {
    #[error("{0}: {1}")]
    Http(String, Box<ureq::Error>),
    #[error("{0} lists no key that could sign access tokens")]
    NoKeys(String),
}

/// The fields of RFC 8414 that matter here.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
}

/// What is known, and of when.
#[derive(Default)]
struct Known {
    trust: Option<Arc<Trust>>,
    /// When that was fetched.
    fetched_at: Option<Moment>,
    /// When it was last tried.
    tried_at: Option<Moment>,
    /// How often that has failed in a row.
    failures: u32,
    /// How often it was tried at all.
    tries: u64,
}

/// A Symbolon that is asked over HTTP.
pub(super) struct Remote {
    agent: ureq::Agent,
    base: String,
    wanted: Wanted,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// Held by whoever fetches.
    fetching: Mutex<()>,
    /// Held on behalf of the request that has it fetched, while others wait for what comes of that.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Remote {
    /// The one at `base`, not asked anything yet.
    pub(super) fn new(
        agent: ureq::Agent,
        base: String,
        wanted: Wanted,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (known, fetching, turn) = Default::default();
        Self { agent, base, wanted, clock, known, fetching, turn }
    }

    /// What is known, unless it is too old to be believed.
    pub(super) fn trust(&self) -> Option<Arc<Trust>> {
        let known = self.known();
        let is_believed = |at: &Moment| self.clock.now().since(*at) < BELIEVED_FOR;
        known.fetched_at.filter(is_believed).and(known.trust.clone())
    }

    /// Fetches, if nobody has since `tries`; returns how long to rest until the next time.
    pub(super) fn fetch_unless_done_since(&self, tries: u64) -> Duration {
        let _one_at_a_time = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if self.tries() != tries {
            return FRESH_FOR[0];
        }
        let fetched = self.fetch();
        let now = self.clock.now();
        let mut known = self.known();
        known.tries += 1;
        known.tried_at = Some(now);
        match fetched {
            Ok((trust, fresh_for)) => {
                if known.failures > 0 {
                    tracing::info!(
                        from = self.base,
                        "keys of access tokens could be fetched again"
                    );
                }
                known.failures = 0;
                known.fetched_at = Some(now);
                known.trust = Some(Arc::new(trust));
                fresh_for
            }
            Err(error) => {
                tracing::warn!(%error, "keys of access tokens could not be fetched");
                let rest = RETRY[0].saturating_mul(2_u32.saturating_pow(known.failures));
                known.failures = known.failures.saturating_add(1);
                rest.min(RETRY[1])
            }
        }
    }

    /// How often it was tried to fetch anything.
    pub(super) fn tries(&self) -> u64 {
        self.known().tries
    }

    /// Fetches on behalf of a request, unless that was done just now; whether what is known is what
    /// Symbolon says at present, or was saying [`COOL_DOWN`] ago.
    pub(super) async fn look_again(self: &Arc<Self>) -> bool {
        let tries = self.tries();
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if self.tries() == tries && !self.is_cooling_down() {
            let remote = Arc::clone(self);
            // A request that goes away takes its turn along only when the fetch is done.
            let fetch = actix_web::web::block(move || {
                let _turn = turn;
                remote.fetch_unless_done_since(tries)
            });
            if fetch.await.is_err() {
                return false;
            }
        }
        let known = self.known();
        known.tries > 0 && known.failures == 0
    }

    fn is_cooling_down(&self) -> bool {
        let now = self.clock.now();
        self.known().tried_at.is_some_and(|tried| tried <= now && now.since(tried) < COOL_DOWN)
    }

    /// What Symbolon says at present, and for how long that is good.
    fn fetch(&self) -> Result<(Trust, Duration), FetchError> {
        let (issuer, mut fresh_for) = self.issuer()?;
        let keys = if self.wanted.secrets.is_empty() {
            let (published, fresh) = self.get::<JwkSet>("/.well-known/jwks.json")?;
            fresh_for = fresh;
            KeySet::published(&published)
        } else {
            self.wanted.shared_keys()
        };
        if matches!(&keys, KeySet::Published(keys) if keys.is_empty()) {
            return Err(FetchError::NoKeys(self.base.clone()));
        }
        Ok((Trust { rules: self.wanted.rules(&issuer), keys }, fresh_for))
    }

    /// The issuer, as given or else as Symbolon says.
    fn issuer(&self) -> Result<(String, Duration), FetchError> {
        if let Some(issuer) = &self.wanted.issuer {
            return Ok((issuer.clone(), FRESH_FOR[2]));
        }
        let (metadata, fresh_for) =
            self.get::<Metadata>("/.well-known/oauth-authorization-server")?;
        Ok((metadata.issuer, fresh_for))
    }

    /// A document, and for how long it is good.
    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<(T, Duration), FetchError> {
        let url = format!("{}{path}", self.base);
        let get = || {
            // Whatever lies between may have kept a copy as long as we do.
            let mut response = self.agent.get(&url).header("cache-control", "no-cache").call()?;
            let document = response.body_mut().with_config().limit(MAX_BYTES).read_json()?;
            Ok((document, freshness(response.headers())))
        };
        get().map_err(|error| FetchError::Http(url.clone(), Box::new(error)))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an answer is good (RFC 9111, 5.2.2.1).
fn freshness(headers: &HeaderMap) -> Duration {
    let [least, most, usual] = FRESH_FOR;
    let control = headers.get("cache-control").and_then(|value| value.to_str().ok());
    let max_age = control.unwrap_or_default().split(',').find_map(|directive| {
        directive.trim().strip_prefix("max-age=")?.parse().map(Duration::from_secs).ok()
    });
    max_age.unwrap_or(usual).clamp(least, most)
}
