//! For other actix-web services: who is calling, by the access token that Symbolon gave out.
//!
//! Builds without the service, its databases and its password hashing:
//!
//! ```toml
//! symbolon = { version = "0.1", default-features = false, features = ["verifier"] }
//! ```
//!
//! A [`Verifier`] checks tokens by Symbolon's published keys, or by the secret that both share. A
//! handler says in its signature whom it is for: [`Caller`] is anybody with a good token,
//! [`Require`]`<`[`Moderator`]`>` somebody of that role or one above. Everybody else gets the answer
//! that Symbolon itself would give, with the challenge of RFC 6750.
//!
//! ```no_run
//! use actix_web::web::{Data, delete, get};
//! use actix_web::{App, HttpServer, Responder};
//! use symbolon::verifier::{Caller, Moderator, Require, Verifier};
//!
//! async fn hello(caller: Caller) -> impl Responder {
//!     format!("hello, {}", caller.user)
//! }
//!
//! async fn close(by: Require<Moderator>) -> impl Responder {
//!     format!("closed by {}", by.user)
//! }
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Data::new(Verifier::builder("https://auth.example.com").build()?);
//! let app = move || {
//!     App::new()
//!         .app_data(verifier.clone())
//!         .route("/", get().to(hello))
//!         .route("/room", delete().to(close))
//! };
//! HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A token is good until its `exp`, which is 15 minutes by default, even if its session was ended
//! meanwhile. A service that must notice sooner asks Symbolon each time, or once in a few seconds:
//! see [`Builder::introspection`].

pub mod bearer;
pub mod caller;
pub mod claims;
mod introspection;
pub mod refusal;
mod remote;
pub mod token;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use thiserror::Error;
use ureq::tls::{RootCerts, TlsConfig};

pub use caller::{Admin, Caller, Moderator, Require, RequiredRole};
pub use refusal::Refusal;

use crate::background::Background;
use crate::clock::{Clock, SharedClock};
use crate::secret::Secret;
use claims::{ACCESS_TOKEN, AccessClaims};
use introspection::Introspection;
use remote::{Remote, Trust};
use token::{KeySet, TokenFault, TokenRules};

/// How long Symbolon may take for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much two clocks differ that are kept well enough.
const MAX_SKEW: Duration = Duration::from_secs(5);

/// Checks access tokens. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Verifier(Arc<Checks>);

struct Checks {
    source: Source,
    clock: Arc<dyn Clock>,
    introspection: Option<Arc<Introspection>>,
}

/// Where rules and keys come from.
enum Source {
    /// All of it was given.
    Given(Trust),
    /// Symbolon is asked, now and then.
    Asked { remote: Arc<Remote>, fetching: Background },
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Self::Asked { fetching, .. } = self {
            fetching.tell();
        }
    }
}

/// Why a verifier could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Where Symbolon answers.
    #[error("`{0}` is no http(s) URL")]
    Url(String),
    /// The thread that fetches keys.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What a token has to say, as far as it was given.
pub struct Wanted {
    issuer: Option<String>,
    audience: Option<String>,
    secrets: Vec<Secret>,
    leeway: Duration,
}

impl Wanted {
    fn rules(&self, issuer: &str) -> TokenRules {
        let audience = self.audience.as_deref().unwrap_or(issuer);
        TokenRules::new(ACCESS_TOKEN, issuer, audience).with_leeway(self.leeway)
    }

    fn shared_keys(&self) -> KeySet {
        KeySet::shared(self.secrets.iter().map(|secret| secret.expose().as_bytes()))
    }
}

/// Puts a [`Verifier`] together.
#[must_use = "nothing is checked until it is built"]
pub struct Builder {
    base: String,
    wanted: Wanted,
    client: Option<(String, Secret, Duration)>,
    clock: Arc<dyn Clock>,
}

impl Builder {
    /// `iss` of the tokens. Where it is not given, Symbolon is asked for it (RFC 8414).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.wanted.issuer = Some(issuer.into());
        self
    }

    /// `aud` of the tokens, which is `JWT_AUDIENCE` of Symbolon. Where it is not given, the issuer.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.wanted.audience = Some(audience.into());
        self
    }

    /// The secret that signs the tokens, `JWT_SECRET` of Symbolon, where that has no signing keys.
    /// Then only HS256 is accepted, and without it only what published keys have signed. Call it
    /// again for earlier secrets whose tokens are still about.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.wanted.secrets.push(Secret::new(secret));
        self
    }

    /// Asks Symbolon whether the session behind a good token is still live, as the client `id` of its
    /// `INTROSPECTION_CLIENTS`, and believes the answer for `keep`: zero asks for every request.
    /// A caller whose session has ended gets 401 `TOKEN_INVALID`: why a token is not active is not
    /// said, and a refresh tells the client. Where Symbolon does not answer, the caller gets 503.
    pub fn introspection(mut self, id: &str, secret: impl Into<String>, keep: Duration) -> Self {
        self.client = Some((id.to_owned(), Secret::new(secret), keep));
        self
    }

    /// How much the clocks of both services may differ, in whole seconds; none unless given.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.wanted.leeway = leeway;
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The verifier. Asks nothing yet: a Symbolon that is still starting is waited for by the
    /// requests, which get 503 until it has answered.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let Self { base, wanted, client, clock } = self;
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(BuildError::Url(base));
        }
        let agent = agent();
        let introspection = client.map(|(id, secret, keep)| {
            Arc::new(Introspection::new(agent.clone(), &base, &id, &secret, keep))
        });
        let source = if let (Some(issuer), false) = (&wanted.issuer, wanted.secrets.is_empty()) {
            Source::Given(Trust { rules: wanted.rules(issuer), keys: wanted.shared_keys() })
        } else {
            let remote = Arc::new(Remote::new(agent, base, wanted, Arc::clone(&clock)));
            let fetcher = Arc::clone(&remote);
            let fetch = move |_: &_| fetcher.fetch_unless_done_since(fetcher.tries());
            let fetching = Background::start("verifier-keys", Duration::ZERO, fetch)?;
            Source::Asked { remote, fetching }
        };
        Ok(Verifier(Arc::new(Checks { source, clock, introspection })))
    }
}

impl Verifier {
    /// Begins a verifier of the tokens of the Symbolon that answers at `url`, such as
    /// `https://auth.example.com`, or its address in a private network.
    pub fn builder(url: impl Into<String>) -> Builder {
        let base = url.into().trim_end_matches('/').to_owned();
        let wanted =
            Wanted { issuer: None, audience: None, secrets: Vec::new(), leeway: Duration::ZERO };
        Builder { base, wanted, client: None, clock: Arc::new(SharedClock::default()) }
    }

    /// Who holds `token`, if it is good now. To be awaited within an actix runtime.
    pub async fn verify(&self, token: &str) -> Result<Caller, Refusal> {
        self.verify_within(token, None).await
    }

    /// The same on behalf of a request whose `traceparent` this is (W3C Trace Context): if Symbolon is
    /// asked, that is part of the same trace.
    pub async fn verify_within(
        &self,
        token: &str,
        traceparent: Option<&HeaderValue>,
    ) -> Result<Caller, Refusal> {
        let claims = self.verify_signed(token).await?;
        let Some(introspection) = &self.0.introspection else { return Ok(claims.into()) };
        let now = self.0.clock.now();
        match introspection.ask(token, &claims.jti, traceparent, now).await? {
            Some(role) => Ok(Caller { role, ..claims.into() }),
            // By the issuer's clock it may have expired a little sooner.
            None if claims.exp <= (now + MAX_SKEW).unix_seconds() => Err(Refusal::Expired),
            // RFC 7662 gives no reason, and not each is the session's end: a refresh tells.
            None => Err(Refusal::Invalid),
        }
    }

    /// The claims of `token`, by its signature and its times.
    async fn verify_signed(&self, token: &str) -> Result<AccessClaims, Refusal> {
        let now = self.0.clock.now();
        let remote = match &self.0.source {
            Source::Given(trust) => return Ok(trust.rules.verify(token, &trust.keys, now)?),
            Source::Asked { remote, .. } => remote,
        };
        if let Some(trust) = remote.trust() {
            match trust.rules.verify(token, &trust.keys, now) {
                Err(TokenFault::Invalid) if trust.rules.names_unknown_key(token, &trust.keys) => {}
                judged => return Ok(judged?),
            }
        }
        let is_current = remote.look_again().await;
        let trust = remote.trust().ok_or(Refusal::Unavailable)?;
        match trust.rules.verify(token, &trust.keys, now) {
            // It may be of a key that we could not be told about.
            Err(TokenFault::Invalid) if !is_current => Err(Refusal::Unavailable),
            judged => Ok(judged?),
        }
    }
}

/// TLS towards whomever the system trusts.
pub(crate) fn tls() -> TlsConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build()
}

/// Asks over HTTP.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .tls_config(tls())
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        // Else all but three connections are closed after a single question.
        .max_idle_connections(introspection::AT_ONCE)
        .max_idle_connections_per_host(introspection::AT_ONCE)
        .build();
    config.into()
}
