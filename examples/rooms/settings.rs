//! Settings: from flags or the environment. All faults are found before giving up, so that one start
//! shows them all.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::Uri;
use clap::Parser;
use symbolon::secret::Secret;

use crate::origin::{AllowedOrigins, is_origin};

/// The shortest secret that HS256 is safe with, in bytes (RFC 7518, 3.2).
const SHORTEST_SECRET: usize = 32;

/// Chat rooms over WebSocket, for those whom Symbolon has signed in.
#[derive(Parser)]
#[command(name = "rooms")]
pub struct Args {
    /// Address and port to listen on
    #[arg(long, env = "BIND", default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    bind: String,
    /// Where Symbolon answers
    #[arg(long, env = "AUTH_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    auth_url: String,
    /// JWT_SECRET of Symbolon; needed only where that has no signing keys
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<Secret>,
    /// JWT_ISSUER of Symbolon [default: what it says itself]
    #[arg(long, env = "JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// JWT_AUDIENCE of Symbolon [default: the issuer]
    #[arg(long, env = "JWT_AUDIENCE", value_name = "AUDIENCE")]
    jwt_audience: Option<String>,
    /// One of INTROSPECTION_CLIENTS of Symbolon, as `id:secret`, to notice at once that a session has
    /// ended or a role has changed [default: noticed when the access token expires]
    #[arg(long, env = "INTROSPECTION_CLIENT", hide_env_values = true, value_name = "CLIENT")]
    introspection_client: Option<Secret>,
    /// Origins of the pages that may connect, separated by commas [default: pages of this host]
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "ORIGINS")]
    allowed_origins: Option<String>,
    /// How often each socket is pinged; one that misses two is closed
    #[arg(long, env = "PING_INTERVAL", default_value = "15s", value_name = "DURATION")]
    ping_interval: String,
    /// How many messages a socket may send in ten seconds
    #[arg(long, env = "MESSAGE_RATE", default_value = "20", value_name = "NUMBER")]
    message_rate: String,
    /// What to log, as tracing's filter directives
    #[arg(long, env = "RUST_LOG", default_value = "info,actix_server=warn", value_name = "FILTER")]
    rust_log: String,
}

/// Valid settings.
pub struct Settings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// Where Symbolon answers.
    pub auth_url: String,
    /// What signs the tokens, where nothing is published.
    pub jwt_secret: Option<Secret>,
    /// Who issues them.
    pub jwt_issuer: Option<String>,
    /// For whom.
    pub jwt_audience: Option<String>,
    /// Id and secret to introspect with.
    pub introspection_client: Option<(String, Secret)>,
    /// Whose pages may connect.
    pub origins: AllowedOrigins,
    /// How often sockets are pinged.
    pub ping_interval: Duration,
    /// How many messages a socket may send in ten seconds.
    pub message_rate: u32,
    /// What to log.
    pub log_filter: String,
}

/// What is wrong with the settings: a line for each fault, naming its variable.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    fn note(&mut self, name: &str, problem: impl fmt::Display) {
        self.0.push(format!("{name}: {problem}"));
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings have faults:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl Args {
    /// Checks every setting. No message repeats what may be a secret.
    pub fn check(self) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let bind = self.bind.parse().unwrap_or_else(|_| {
            faults.note("BIND", format_args!("`{}` is no address and port", self.bind));
            SocketAddr::from(([127, 0, 0, 1], 3000))
        });
        if !is_web_url(&self.auth_url) {
            faults.note("AUTH_URL", format_args!("`{}` is no http(s) URL", self.auth_url));
        }
        let jwt_secret = self.jwt_secret.filter(|secret| !secret.expose().is_empty());
        let length = jwt_secret.as_ref().map(|secret| secret.expose().len());
        if let Some(length @ ..SHORTEST_SECRET) = length {
            let problem = format_args!("has {length} bytes, {SHORTEST_SECRET} are the least");
            faults.note("JWT_SECRET", problem);
        }
        let client = self.introspection_client.filter(|client| !client.expose().is_empty());
        let introspection_client = client.and_then(|client| {
            let parts = client.expose().split_once(':');
            let parts = parts.filter(|(id, secret)| !id.is_empty() && !secret.is_empty());
            if parts.is_none() {
                faults.note("INTROSPECTION_CLIENT", "it is not written as id:secret");
            }
            parts.map(|(id, secret)| (id.to_owned(), Secret::new(secret)))
        });
        let origins: Vec<String> = list(self.allowed_origins.as_deref()).collect();
        for origin in origins.iter().filter(|origin| !is_origin(origin)) {
            let problem = format_args!("`{origin}` is no origin such as https://app.example.com");
            faults.note("ALLOWED_ORIGINS", problem);
        }
        let ping_interval = duration(&self.ping_interval).unwrap_or_else(|| {
            let problem = format_args!("`{}` is no duration such as 15s", self.ping_interval);
            faults.note("PING_INTERVAL", problem);
            Duration::MAX
        });
        let rate = self.message_rate.parse().ok().filter(|rate| *rate > 0);
        let message_rate = rate.unwrap_or_else(|| {
            let problem = format_args!("`{}` is no number above 0", self.message_rate);
            faults.note("MESSAGE_RATE", problem);
            1
        });
        if let Err(problem) = tracing_subscriber::EnvFilter::try_new(&self.rust_log) {
            faults.note("RUST_LOG", problem);
        }
        if !faults.0.is_empty() {
            return Err(faults);
        }
        Ok(Settings {
            bind,
            auth_url: self.auth_url,
            jwt_secret,
            jwt_issuer: self.jwt_issuer.filter(|issuer| !issuer.is_empty()),
            jwt_audience: self.jwt_audience.filter(|audience| !audience.is_empty()),
            introspection_client,
            origins: AllowedOrigins(origins),
            ping_interval,
            message_rate,
            log_filter: self.rust_log,
        })
    }
}

fn is_web_url(text: &str) -> bool {
    let Ok(url) = text.parse::<Uri>() else { return false };
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    is_web && url.host().is_some_and(|host| !host.is_empty()) && url.query().is_none()
}

/// A duration such as `15s` or `200ms`, longer than nothing and no longer than an hour.
fn duration(text: &str) -> Option<Duration> {
    let number = |digits: &str| digits.parse().ok();
    let read = match text.strip_suffix("ms") {
        Some(digits) => Duration::from_millis(number(digits)?),
        None => Duration::from_secs(number(text.strip_suffix('s')?)?),
    };
    (!read.is_zero() && read <= Duration::from_secs(3600)).then_some(read)
}

/// The parts of a comma-separated list, trimmed, without empty ones.
fn list(text: Option<&str>) -> impl Iterator<Item = String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned)
}
