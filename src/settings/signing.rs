//! What signs access tokens, and how long they live.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Environment;
use super::faults::{self, Faults, given};
use crate::signing::{self, Folder};

const NAME: &str = "SIGNING_KEYS_DIR";

/// What the command line and the environment say about signing access tokens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens")]
pub struct SigningArgs {
    /// How long an access token is good
    #[arg(long, env = "ACCESS_TOKEN_TTL", default_value = "15m", value_name = "DURATION")]
    access_token_ttl: String,
    /// Folder of the keys that sign access tokens, made by `symbolon keys generate` [default: none, JWT_SECRET signs them]
    #[arg(long, env = "SIGNING_KEYS_DIR", value_name = "FOLDER")]
    signing_keys_dir: Option<String>,
    /// How long a further signing key is published before it signs, so that others know it by then
    #[arg(long, env = "KEY_ACTIVATION", default_value = "10m", value_name = "DURATION")]
    key_activation: String,
}

/// Valid settings of signing keys.
#[derive(Debug, Clone)]
pub struct SigningSettings {
    /// Where the keys are.
    pub folder: PathBuf,
    /// How long a further key waits before it signs.
    pub activation: Duration,
}

impl SigningArgs {
    /// How long an access token is good.
    pub fn access_ttl(&self, faults: &mut Faults) -> Duration {
        let usual = Duration::from_secs(15 * 60);
        faults.read("ACCESS_TOKEN_TTL", &self.access_token_ttl, usual, faults::lifetime)
    }

    /// The settings of signing keys, if there are to be any; whatever keys are there can be used.
    /// In production there has to be one: going on with the secret would refuse every token that is
    /// about, because a volume was not mounted.
    pub fn check(&self, environment: Environment, faults: &mut Faults) -> Option<SigningSettings> {
        let settings = self.folder(faults)?;
        match signing::read(&settings.folder, settings.activation) {
            Err(error) => faults.note(NAME, error),
            Ok(Folder { keys, faults: unusable }) => {
                for fault in &unusable {
                    faults.note(NAME, fault);
                }
                if keys.is_empty() && unusable.is_empty() && environment.is_production() {
                    let folder = settings.folder.display();
                    let problem = format_args!(
                        "{folder} holds no key; make one with `symbolon keys generate`"
                    );
                    faults.note(NAME, problem);
                }
            }
        }
        Some(settings)
    }

    /// Where the keys are, whatever is there.
    pub fn folder(&self, faults: &mut Faults) -> Option<SigningSettings> {
        let usual = Duration::from_secs(10 * 60);
        let activation =
            faults.read("KEY_ACTIVATION", &self.key_activation, usual, faults::duration);
        let folder = PathBuf::from(given(self.signing_keys_dir.as_deref())?);
        Some(SigningSettings { folder, activation })
    }
}
