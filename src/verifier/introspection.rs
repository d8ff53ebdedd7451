//! Asking Symbolon whether a token is still good (RFC 7662).

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lru::LruCache;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::PATIENCE;
use super::refusal::Refusal;
use crate::moment::Moment;
use crate::role::Role;
use crate::secret::Secret;

/// Answers that are kept at most.
const ROOM: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Questions under way at most: each holds a thread of the framework's blocking pool.
pub(super) const AT_ONCE: usize = 64;
/// The largest answer taken, in bytes.
const MAX_BYTES: u64 = 16 * 1024;
/// Which span of which trace a request belongs to.
pub(super) const TRACEPARENT: &str = "traceparent";

/// What Symbolon says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Standing {
    /// Whether its session is live and its user active.
    active: bool,
    /// The user's role now.
    #[serde(default)]
    role: Option<Role>,
}

/// Asks, and keeps answers for a while.
pub(super) struct Introspection {
    agent: ureq::Agent,
    url: String,
    authorization: Secret,
    keep: Duration,
    kept: Mutex<LruCache<String, (Moment, Standing)>>,
    slots: Arc<Semaphore>,
    /// Whether the last question had no answer.
    is_away: AtomicBool,
}

impl Introspection {
    /// Asks the Symbolon at `base`, as the client `id` of `INTROSPECTION_CLIENTS`, and believes an
    /// answer for `keep`.
    pub(super) fn new(
        agent: ureq::Agent,
        base: &str,
        id: &str,
        secret: &Secret,
        keep: Duration,
    ) -> Self {
        let credentials = STANDARD.encode(format!("{id}:{}", secret.expose()));
        Self {
            agent,
            url: format!("{base}/auth/introspect"),
            authorization: Secret::new(format!("Basic {credentials}")),
            keep,
            kept: Mutex::new(LruCache::sparse(ROOM)),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            is_away: AtomicBool::new(false),
        }
    }

    /// The role that the user of `token` has now; `None` where the token is no longer good,
    /// [`Refusal::Unavailable`] where that cannot be told. `id` is the token's `jti`.
    pub(super) async fn ask(
        self: &Arc<Self>,
        token: &str,
        id: &str,
        traceparent: Option<&HeaderValue>,
        now: Moment,
    ) -> Result<Option<Role>, Refusal> {
        let standing = match self.kept_answer(id, now) {
            Some(standing) => standing,
            None => self.ask_anew(token, id, traceparent, now).await?,
        };
        Ok(standing.role.filter(|_| standing.active))
    }

    fn kept_answer(&self, id: &str, now: Moment) -> Option<Standing> {
        let (at, standing) = *self.kept().get(id)?;
        (at <= now && now.since(at) < self.keep).then_some(standing)
    }

    async fn ask_anew(
        self: &Arc<Self>,
        token: &str,
        id: &str,
        traceparent: Option<&HeaderValue>,
        now: Moment,
    ) -> Result<Standing, Refusal> {
        let slot = tokio::time::timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await;
        let slot = slot.map_err(|_| Refusal::Unavailable)?.map_err(|_| Refusal::Unavailable)?;
        let (asking, token) = (Arc::clone(self), token.to_owned());
        let trace = traceparent.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let asked = actix_web::web::block(move || {
            let _slot = slot;
            asking.send(&token, trace.as_deref())
        });
        let standing = asked.await.map_err(|_| Refusal::Unavailable)?;
        // Once each time: whoever asks all the time is not to fill the log.
        let was_away = self.is_away.swap(standing.is_err(), Ordering::Relaxed);
        let standing = match standing {
            Ok(standing) => standing,
            Err(error) if was_away => {
                tracing::debug!(%error, "a token could not be introspected either");
                return Err(Refusal::Unavailable);
            }
            Err(error) => {
                tracing::warn!(%error, url = self.url, "tokens cannot be introspected");
                return Err(Refusal::Unavailable);
            }
        };
        if was_away {
            tracing::info!(url = self.url, "tokens can be introspected again");
        }
        if !self.keep.is_zero() {
            self.kept().put(id.to_owned(), (now, standing));
        }
        Ok(standing)
    }

    fn send(&self, token: &str, traceparent: Option<&str>) -> Result<Standing, ureq::Error> {
        let mut request = self.agent.post(&self.url);
        request = request.header("authorization", self.authorization.expose());
        if let Some(traceparent) = traceparent {
            request = request.header(TRACEPARENT, traceparent);
        }
        let mut response = request.send_form([("token", token)])?;
        response.body_mut().with_config().limit(MAX_BYTES).read_json()
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<String, (Moment, Standing)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
