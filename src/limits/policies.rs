//! What is limited, by whom it is counted, and how much of it there may be.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::log::Rate;
use super::{Limit, Rule};
use crate::accounts::email::EmailAddress;
use crate::client::Client;
use crate::db::Id;
use crate::settings::limits::LimitSettings;

/// What each policy is called.
pub const NAMES: [&str; 10] = [
    "account",
    "confirm",
    "forgot",
    "forgot-network",
    "introspect",
    "login",
    "mail",
    "register",
    "reset",
    "verify",
];

/// Of links that were mailed, so many may be tried a minute by one network.
const RESET: Rate = a_minute(10);
const VERIFY: Rate = a_minute(20);
/// So many times a minute may one user be asked for the password again.
const CONFIRM: Rate = a_minute(10);
/// So many times a minute may one network introspect with wrong credentials.
const INTROSPECT: Rate = a_minute(10);
/// So many times as often as one address may one network ask for links: many people may share it.
const FORGOT_BY_NETWORK: u32 = 20;

const fn a_minute(most: u32) -> Rate {
    Rate { most, window: Duration::from_secs(60) }
}

/// Which limits an attempt falls under; none where they are switched off.
///
/// Refreshing has none: it would log people out, and a refresh costs one signature to check and a
/// place in a bounded queue.
#[derive(Debug, Clone)]
pub struct Policies {
    login: Option<Rate>,
    register: Option<Rate>,
    forgot: Option<Rate>,
}

impl Policies {
    /// As the settings say.
    pub fn new(settings: &LimitSettings) -> Self {
        Self { login: settings.login, register: settings.register, forgot: settings.forgot }
    }

    /// To sign in: by network, and by account, which waits the longer the more often it fails.
    pub fn login(&self, client: &Client, email: &str) -> Vec<Limit> {
        let by_network = limit("login", self.login, || network_of(client));
        by_network.into_iter().chain(self.account(email)).collect()
    }

    /// The failures of the account with this address, whether there is one or not.
    pub fn account(&self, email: &str) -> Option<Limit> {
        let is_on = self.login.is_some();
        is_on.then(|| Limit::new("account", &address_of(email), Rule::Failures))
    }

    /// To register: by network.
    pub fn register(&self, client: &Client) -> Vec<Limit> {
        limit("register", self.register, || network_of(client)).into_iter().collect()
    }

    /// To be mailed a link that resets a password: by the address it goes to, and by network.
    pub fn forgot(&self, client: &Client, email: &str) -> Vec<Limit> {
        let by_network = self
            .forgot
            .map(|rate| Rate { most: rate.most.saturating_mul(FORGOT_BY_NETWORK), ..rate });
        let limits = [
            limit("forgot", self.forgot, || address_of(email)),
            limit("forgot-network", by_network, || network_of(client)),
        ];
        limits.into_iter().flatten().collect()
    }

    /// To have any other mail sent to an address. Counted apart from [`Policies::forgot`], so that
    /// nobody can use up somebody else's way to a new password.
    pub fn mail(&self, email: &str) -> Vec<Limit> {
        limit("mail", self.forgot, || address_of(email)).into_iter().collect()
    }

    /// To reset a password by a mailed link: by network.
    pub fn reset(&self, client: &Client) -> Vec<Limit> {
        limit("reset", self.login.and(Some(RESET)), || network_of(client)).into_iter().collect()
    }

    /// To verify an address by a mailed link: by network.
    pub fn verify(&self, client: &Client) -> Vec<Limit> {
        limit("verify", self.login.and(Some(VERIFY)), || network_of(client)).into_iter().collect()
    }

    /// To introspect with wrong credentials: by network.
    pub fn introspect(&self, client: &Client) -> Vec<Limit> {
        let rate = self.login.and(Some(INTROSPECT));
        limit("introspect", rate, || network_of(client)).into_iter().collect()
    }

    /// To confirm something by the password: by user.
    pub fn confirm(&self, user: Id) -> Vec<Limit> {
        limit("confirm", self.login.and(Some(CONFIRM)), || user.to_string()).into_iter().collect()
    }
}

fn limit(policy: &'static str, rate: Option<Rate>, whom: impl FnOnce() -> String) -> Option<Limit> {
    rate.map(|rate| Limit::new(policy, &whom(), Rule::Rate(rate)))
}

/// The network of a client: its IPv4 address, or the first 64 bits of its IPv6 address, of which one
/// customer has at least that many.
fn network_of(client: &Client) -> String {
    let ip: Option<IpAddr> = client.ip.as_deref().and_then(|ip| ip.parse().ok());
    match ip.map(|ip| ip.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let network = Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64));
            format!("{network}/64")
        }
    }
}

/// An address as keys hold it: hashed, so that the store is no list of who has an account, and the
/// same however it is spelt.
fn address_of(email: &str) -> String {
    let parsed = EmailAddress::parse(email);
    let canonical = parsed.as_ref().map_or(email, EmailAddress::canonical);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security: G5.
    #[test]
    fn clients_are_told_apart_by_network() {
        let cases = [
            ("203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ];
        for (ip, network) in cases {
            let client = Client { ip: Some(ip.to_owned()), user_agent: None };
            assert_eq!(network_of(&client), network);
        }
    }

    #[test]
    fn an_address_is_one_however_it_is_spelt_and_not_to_be_read() {
        assert_eq!(address_of("Ada@Example.COM"), address_of("ada@example.com"));
        assert_ne!(address_of("ada@example.com"), address_of("bob@example.com"));
        assert!(!address_of("ada@example.com").contains("ada"));
        assert_eq!(address_of(&"a".repeat(10_000)).len(), 43);
    }
}
