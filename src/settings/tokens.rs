//! Keys and lifetimes of tokens.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;

use super::Environment;
use super::database::DatabaseArgs;
use super::faults::{self, Faults, given, list};
use super::http::HttpSettings;
use super::signing::{SigningArgs, SigningSettings};
use crate::private_files;
use crate::random::{self, SystemRandom};
use crate::secret::Secret;

/// What the command line and the environment say about tokens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens")]
pub struct TokenArgs {
    /// Secret that signs tokens, 32 bytes or more [development: made once, kept in DATA_DIR/jwt_secret]
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<Secret>,
    /// File that holds JWT_SECRET
    #[arg(long, env = "JWT_SECRET_FILE", value_name = "FILE")]
    jwt_secret_file: Option<String>,
    /// Earlier secrets, separated by commas: tokens signed by them are still good
    #[arg(long, env = "JWT_SECRET_PREVIOUS", hide_env_values = true, value_name = "SECRETS")]
    jwt_secret_previous: Option<Secret>,
    /// File that holds JWT_SECRET_PREVIOUS
    #[arg(long, env = "JWT_SECRET_PREVIOUS_FILE", value_name = "FILE")]
    jwt_secret_previous_file: Option<String>,
    /// `iss` of every token [default: PUBLIC_URL]
    #[arg(long, env = "JWT_ISSUER", value_name = "TEXT")]
    jwt_issuer: Option<String>,
    /// `aud` of access tokens [default: JWT_ISSUER]
    #[arg(long, env = "JWT_AUDIENCE", value_name = "TEXT")]
    jwt_audience: Option<String>,
    #[command(flatten)]
    signing: SigningArgs,
    /// How long an unused refresh token is good
    #[arg(long, env = "REFRESH_TOKEN_TTL", default_value = "7d", value_name = "DURATION")]
    refresh_token_ttl: String,
    /// How long a session lasts from sign-in, however often it is refreshed
    #[arg(long, env = "SESSION_TTL", default_value = "30d", value_name = "DURATION")]
    session_ttl: String,
    /// How long a just replaced refresh token is forgiven (racing tabs, lost answers); 0s switches it off
    #[arg(long, env = "REFRESH_GRACE", default_value = "10s", value_name = "DURATION")]
    refresh_grace: String,
    /// Personal claims to put into access tokens: `email`, `name`, or both separated by a comma
    #[arg(long, env = "ACCESS_TOKEN_CLAIMS", value_name = "CLAIMS")]
    access_token_claims: Option<String>,
}

/// Valid settings of tokens.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// Signs tokens.
    pub secret: Secret,
    /// Verify tokens, and never sign.
    pub previous_secrets: Vec<Secret>,
    /// `iss` of every token.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// The keys that sign access tokens, where there are to be any.
    pub signing: Option<SigningSettings>,
    /// How long an unused refresh token is good.
    pub refresh_ttl: Duration,
    /// How long a session lasts.
    pub session_ttl: Duration,
    /// How long a just replaced refresh token is forgiven.
    pub grace: Duration,
    /// Personal claims that were asked for.
    pub claims: PersonalClaims,
}

/// Which personal claims access tokens carry.
#[derive(Debug, Clone, Copy, Default)]
pub struct PersonalClaims {
    /// The e-mail address.
    pub email: bool,
    /// The name.
    pub name: bool,
}

/// RFC 7518, 3.2: a key for HS256 has at least as many bits as its hash.
const MIN_SECRET_BYTES: usize = 32;

/// Fewer different bytes are no chance: of 32 random hexadecimal digits more than seven differ, but
/// for once in 25 million times.
const MIN_DISTINCT_BYTES: usize = 8;

/// Long secrets that stand in tutorials and sample files; compared without case and punctuation.
const WELL_KNOWN: [&str; 10] = [
    "changeme",
    "yoursecret",
    "yourjwtsecret",
    "yoursupersecret",
    "supersecret",
    "devsecret",
    "your256bitsecret",
    "superdupersecret",
    "astringsecretatleast256bitslong",
    "qwertyuiop",
];

impl TokenArgs {
    /// Checks these settings; makes a secret in development where none is given.
    pub fn check(
        &self,
        environment: Environment,
        http: &HttpSettings,
        database: &DatabaseArgs,
        faults: &mut Faults,
    ) -> TokenSettings {
        let issuer = text_or(self.jwt_issuer.as_deref(), &http.public_url, "JWT_ISSUER", faults);
        let audience = text_or(self.jwt_audience.as_deref(), &issuer, "JWT_AUDIENCE", faults);
        let mut lifetime =
            |name, text: &str| faults.read(name, text, Duration::from_secs(1), faults::lifetime);
        let refresh_ttl = lifetime("REFRESH_TOKEN_TTL", &self.refresh_token_ttl);
        let session_ttl = lifetime("SESSION_TTL", &self.session_ttl);
        TokenSettings {
            secret: self.check_secret(environment, database.data_dir(), faults),
            previous_secrets: self.check_previous(faults),
            issuer,
            audience,
            access_ttl: self.signing.access_ttl(faults),
            signing: self.signing.check(environment, faults),
            refresh_ttl,
            session_ttl,
            grace: faults.read(
                "REFRESH_GRACE",
                &self.refresh_grace,
                Duration::ZERO,
                faults::duration,
            ),
            claims: self.check_claims(faults),
        }
    }

    fn check_previous(&self, faults: &mut Faults) -> Vec<Secret> {
        const NAME: &str = "JWT_SECRET_PREVIOUS";
        let file = self.jwt_secret_previous_file.as_deref();
        let given = faults.secret(NAME, self.jwt_secret_previous.as_ref(), file);
        let previous: Vec<Secret> =
            list(given.as_ref().map(Secret::expose)).map(Secret::new).collect();
        for problem in previous.iter().filter_map(weakness) {
            faults.note(NAME, problem);
        }
        previous
    }

    fn check_claims(&self, faults: &mut Faults) -> PersonalClaims {
        let mut claims = PersonalClaims::default();
        for claim in list(self.access_token_claims.as_deref()) {
            match claim {
                "email" => claims.email = true,
                "name" => claims.name = true,
                other => faults.note(
                    "ACCESS_TOKEN_CLAIMS",
                    format_args!("`{other}` is neither email nor name"),
                ),
            }
        }
        claims
    }

    fn check_secret(
        &self,
        environment: Environment,
        data_dir: &Path,
        faults: &mut Faults,
    ) -> Secret {
        let secret =
            faults.secret("JWT_SECRET", self.jwt_secret.as_ref(), self.jwt_secret_file.as_deref());
        match secret {
            Some(secret) => {
                for problem in [weakness(&secret), unlistable(&secret)].into_iter().flatten() {
                    faults.note("JWT_SECRET", problem);
                }
                secret
            }
            None if environment.is_production() => {
                faults.note(
                    "JWT_SECRET",
                    "is missing; make one with `openssl rand -base64 48`, or name a file in JWT_SECRET_FILE",
                );
                Secret::new("")
            }
            None => kept_secret(data_dir).unwrap_or_else(|error| {
                let folder = data_dir.display();
                faults.note("DATA_DIR", format_args!("cannot keep a secret in {folder}: {error}"));
                Secret::new("")
            }),
        }
    }
}

fn text_or(text: Option<&str>, default: &str, name: &str, faults: &mut Faults) -> String {
    let text = given(text).unwrap_or(default);
    // Two of them must fit into a cookie of 4096 bytes beside everything else.
    if text.len() > 256 || text.chars().any(char::is_control) {
        faults.note(name, "must be at most 256 bytes without control characters");
    }
    text.to_owned()
}

/// Why a secret is not to be trusted, if it is not.
pub(super) fn weakness(secret: &Secret) -> Option<&'static str> {
    let text = secret.expose();
    if text.len() < MIN_SECRET_BYTES {
        return Some("is shorter than 32 bytes");
    }
    let letters: String =
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if WELL_KNOWN.iter().any(|known| letters.contains(known)) {
        return Some("stands in tutorials; make one with `openssl rand -base64 48`");
    }
    let bytes = text.as_bytes();
    if BTreeSet::from_iter(bytes).len() < MIN_DISTINCT_BYTES || is_repetition(bytes) {
        return Some("repeats a few characters; make one with `openssl rand -base64 48`");
    }
    is_sequence(bytes).then_some("is mostly a sequence; make one with `openssl rand -base64 48`")
}

/// Whether `bytes` are some of them over and over.
fn is_repetition(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2).any(|period| bytes[period..] == bytes[..bytes.len() - period])
}

/// Whether half of `bytes` or more are each the one after that before, as in `abc` or `321`.
fn is_sequence(bytes: &[u8]) -> bool {
    let steps = |from: usize, to: usize| {
        let pairs = bytes.windows(2);
        2 * pairs.filter(|pair| pair[from].checked_add(1) == Some(pair[to])).count() >= bytes.len()
    };
    steps(0, 1) || steps(1, 0)
}

/// Why `JWT_SECRET_PREVIOUS` could not name a secret once it is replaced, if it could not.
fn unlistable(secret: &Secret) -> Option<&'static str> {
    let text = secret.expose();
    if text.contains(',') {
        return Some("must not contain a comma: JWT_SECRET_PREVIOUS is a list with commas");
    }
    (text.trim() != text).then_some("must not begin or end with white space")
}

/// The secret kept in `data_dir`, made there at the first start, for its owner alone.
fn kept_secret(data_dir: &Path) -> std::io::Result<Secret> {
    let path = data_dir.join("jwt_secret");
    if !path.exists() {
        private_files::make_dir(data_dir)?;
        let bytes: [u8; 32] = random::bytes(&SystemRandom);
        write_once(&path, &URL_SAFE_NO_PAD.encode(bytes))?;
    }
    let text = std::fs::read_to_string(&path)?;
    let secret = Secret::new(text.trim_end());
    match weakness(&secret) {
        None => Ok(secret),
        Some(problem) => Err(std::io::Error::other(format!("{} {problem}", path.display()))),
    }
}

/// Puts a whole file in place, or leaves the one that another process put there first.
fn write_once(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::{ErrorKind, Write};
    // A number of its own: processes of two containers may share theirs.
    let suffix: [u8; 8] = random::bytes(&SystemRandom);
    let draft = path.with_extension(URL_SAFE_NO_PAD.encode(suffix));
    let mut file = private_files::write_options().create_new(true).open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(text: &str) -> Option<&'static str> {
        weakness(&Secret::new(text))
    }

    #[test]
    fn what_anybody_would_try_is_weak() {
        for weak in [
            "a-string-secret-at-least-256-bits-long",
            "12345678901234567890123456789012",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz123456",
            "zyxwvutsrqponmlkjihgfedcba654321",
            "qwertyuiopasdfghjklzxcvbnm123456",
            "correct horse!correct horse!correct",
        ] {
            assert!(problem(weak).is_some(), "{weak}");
        }
    }

    proptest! {
        #[test]
        fn what_is_random_is_not(bytes: [u8; 32]) {
            let hex = |bytes: &[u8]| -> String {
                let digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
                digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
            };
            for text in [URL_SAFE_NO_PAD.encode(bytes), hex(&bytes), hex(&bytes[..16])] {
                prop_assert_eq!(problem(&text), None);
            }
        }
    }
}
