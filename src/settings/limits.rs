//! How often anybody may try.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use clap::Args;
use redis::IntoConnectionInfo;

use super::faults::{self, Faults};
use crate::limits::log::Rate;
use crate::secret::Secret;

/// What the command line and the environment say about limits.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Sign-ins from one address of the network, as `N/DURATION`; `off` switches this off, and with it the wait of accounts whose password is being guessed and the limits of reset, verification, confirmation and introspection
    #[arg(long, env = "LOGIN_RATE_LIMIT", default_value = "5/1m", value_name = "LIMIT")]
    login_rate_limit: String,
    /// Registrations from one address of the network, or `off`
    #[arg(long, env = "REGISTER_RATE_LIMIT", default_value = "10/1h", value_name = "LIMIT")]
    register_rate_limit: String,
    /// Mails with a link to one e-mail address (to one network 20 times as many), or `off`
    #[arg(long, env = "FORGOT_RATE_LIMIT", default_value = "3/1h", value_name = "LIMIT")]
    forgot_rate_limit: String,
    /// Redis or Valkey in which several instances count together: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, or `rediss://` with TLS [default: none, each counts in its memory]
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    redis_url: Option<Secret>,
    /// File that holds REDIS_URL
    #[arg(long, env = "REDIS_URL_FILE", value_name = "FILE")]
    redis_url_file: Option<String>,
}

/// Valid settings of limits; `None` where one is switched off.
#[derive(Debug, Clone)]
pub struct LimitSettings {
    /// Sign-ins by network.
    pub login: Option<Rate>,
    /// Registrations by network.
    pub register: Option<Rate>,
    /// Mails by e-mail address.
    pub forgot: Option<Rate>,
    /// The URL of the Redis to count in, which may hold a password.
    pub redis: Option<Secret>,
}

impl LimitArgs {
    /// Checks these settings.
    pub fn check(&self, faults: &mut Faults) -> LimitSettings {
        let url =
            faults.secret("REDIS_URL", self.redis_url.as_ref(), self.redis_url_file.as_deref());
        let redis = url.map(|url| Secret::new(url.expose().trim()));
        if let Some(url) = &redis {
            faults.read("REDIS_URL", url.expose(), (), check_redis_url);
        }
        LimitSettings {
            login: faults.read("LOGIN_RATE_LIMIT", &self.login_rate_limit, None, limit),
            register: faults.read("REGISTER_RATE_LIMIT", &self.register_rate_limit, None, limit),
            forgot: faults.read("FORGOT_RATE_LIMIT", &self.forgot_rate_limit, None, limit),
            redis,
        }
    }
}

/// The most of a limit: each hit is kept until it counts no more.
const MOST: u32 = 1000;

/// Reads `N/DURATION` or `off`.
fn limit(text: &str) -> Result<Option<Rate>, String> {
    if text == "off" {
        return Ok(None);
    }
    let wrong = || format!("`{text}` is no limit; write it like 5/1m or 10/1h, or off");
    let (most, window) = text.split_once('/').ok_or_else(wrong)?;
    let most = faults::number(1, MOST)(most)?;
    let window = faults::lifetime(window)?;
    if window.as_secs() > 7 * 86_400 {
        return Err("the time of a limit is at most 7d".to_owned());
    }
    Ok(Some(Rate { most, window }))
}

/// The URL may hold a password, so no message repeats it.
fn check_redis_url(url: &str) -> Result<(), String> {
    let is_ours = url.starts_with("redis://") || url.starts_with("rediss://");
    if is_ours && url.into_connection_info().is_ok() {
        return Ok(());
    }
    Err("must look like redis://host:6379, redis://user:password@host/0 or rediss://host"
        .to_owned())
}
