//! The keys that sign access tokens where `SIGNING_KEYS_DIR` has any: others verify by what is
//! published of them, and share no secret.
//!
//! The folder is the only state: a file a key ([`key_file`]), its times in it. From these [`rule`]
//! says what each key does at a time, so that all instances that share the folder agree without
//! asking each other. It is read again when it changes and on SIGHUP, so that replacing a key needs no
//! restart.

pub mod key_file;
pub mod rule;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use thiserror::Error;

use crate::background::Background;
use crate::crypto::jwt::Signer;
use crate::moment::Moment;
use crate::settings::signing::SigningSettings;
use crate::verifier::claims::ACCESS_TOKEN;
use crate::verifier::token::KeySet;
use key_file::{KeyFile, KeyFileError};
use rule::{Duty, Times};

/// How often the folder is looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why the keys in a folder cannot be used.
#[derive(Debug, Error)]
pub enum KeysError {
    /// One of the files.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The folder itself.
    #[error("cannot read {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// One key in two files.
    #[error("{0} and {1} hold the same key")]
    Twice(PathBuf, PathBuf),
    /// Going back to HS256 would refuse every token that is about.
    #[error("{0} holds no key any more; those of before are kept until the next start")]
    Gone(PathBuf),
}

/// The keys in `folder`, by their age; none where there is no such folder.
pub fn read(folder: &Path, activation: Duration) -> Result<Vec<KeyFile>, KeysError> {
    let paths = pem_files(folder).map_err(|error| KeysError::Folder(folder.to_owned(), error))?;
    let keys = paths.iter().map(|path| KeyFile::read(path, activation));
    let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
    keys.sort_by(|a, b| a.times.created.cmp(&b.times.created).then_with(|| a.kid().cmp(b.kid())));
    for (number, key) in keys.iter().enumerate() {
        if let Some(same) = keys[..number].iter().find(|other| other.kid() == key.kid()) {
            return Err(KeysError::Twice(same.path.clone(), key.path.clone()));
        }
    }
    Ok(keys)
}

/// The `.pem` files in `folder`, in a fixed order.
fn pem_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "pem"));
    paths.sort();
    Ok(paths)
}

/// The times of `keys`, for the rule.
pub fn times(keys: &[KeyFile]) -> Vec<Times> {
    keys.iter().map(|key| key.times).collect()
}

/// What the keys come to from one change of duties to the next.
pub struct Phase {
    /// Signs access tokens; `None` where there is no key, and the secret signs.
    pub signer: Option<Signer>,
    /// Verifies them.
    pub verifying: KeySet,
    /// What is published.
    pub public: JwkSet,
    from: Moment,
    until: Option<Moment>,
}

impl Phase {
    fn at(now: Moment, keys: &[KeyFile], lifetime: Duration) -> Self {
        let times = times(keys);
        let duties = rule::duties(&times, now, lifetime);
        let with_duties = || keys.iter().zip(&duties);
        let signer = with_duties().find(|(_, duty)| **duty == Duty::Signs).map(|(key, _)| {
            Signer::published(ACCESS_TOKEN, key.algorithm, key.kid(), key.private.clone())
        });
        let published = with_duties().filter(|(_, duty)| **duty != Duty::Done);
        let public = JwkSet { keys: published.map(|(key, _)| key.public.clone()).collect() };
        let verifying = KeySet::published(&public);
        let until = rule::changes_after(&times, now, lifetime);
        Self { signer, verifying, public, from: now, until }
    }

    fn covers(&self, now: Moment) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// The keys in use, as their folder last had them.
pub struct SigningKeys {
    settings: SigningSettings,
    /// How long access tokens live.
    lifetime: Duration,
    keys: Mutex<Keys>,
    phase: RwLock<Arc<Phase>>,
}

struct Keys {
    files: Vec<KeyFile>,
    /// What the folder looked like when they were read.
    look: Look,
    /// The fault that was last logged.
    fault: Option<String>,
}

/// Names, sizes and times of the files in a folder: what changes when they do.
type Look = Vec<(PathBuf, u64, Option<Moment>)>;

impl SigningKeys {
    /// Reads the keys that the settings name.
    pub fn open(
        settings: &SigningSettings,
        lifetime: Duration,
        now: Moment,
    ) -> Result<Self, KeysError> {
        let look = look(&settings.folder);
        let files = read(&settings.folder, settings.activation)?;
        if files.is_empty() {
            let folder = settings.folder.display();
            tracing::warn!("{folder} holds no signing key yet: access tokens are signed HS256");
        }
        warn_of_open(&files);
        let phase = RwLock::new(Arc::new(Phase::at(now, &files, lifetime)));
        let keys = Mutex::new(Keys { files, look, fault: None });
        Ok(Self { settings: settings.clone(), lifetime, keys, phase })
    }

    /// What the keys come to at `now`.
    pub fn at(&self, now: Moment) -> Arc<Phase> {
        let phase = Arc::clone(&self.phase.read().unwrap_or_else(PoisonError::into_inner));
        if phase.covers(now) { phase } else { self.enter(now) }
    }

    /// For how long what is published may be kept by others: half the time that a new key waits
    /// before it signs, so that they know it by then.
    pub fn fresh_for(&self) -> Duration {
        self.settings.activation / 2
    }

    /// Reads the folder again if it has changed, or in any case. What cannot be read is logged, and
    /// the keys of before stay in use.
    pub fn reload(&self, now: Moment, even_if_unchanged: bool) {
        {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let look = look(&self.settings.folder);
            if look == keys.look && keys.fault.is_none() && !even_if_unchanged {
                return;
            }
            let read = read(&self.settings.folder, self.settings.activation);
            let files = match read {
                Ok(files) if files.is_empty() && !keys.files.is_empty() => {
                    Err(KeysError::Gone(self.settings.folder.clone()))
                }
                read => read,
            };
            match files {
                Ok(files) => {
                    tracing::info!(keys = files.len(), "signing keys read again");
                    warn_of_open(&files);
                    *keys = Keys { files, look, fault: None };
                }
                Err(error) => {
                    let fault = Some(error.to_string());
                    if keys.fault != fault || even_if_unchanged {
                        tracing::error!(%error, "signing keys could not be read again");
                    }
                    keys.fault = fault;
                    return;
                }
            }
        }
        self.enter(now);
    }

    /// Starts a thread that reads the folder again whenever it has changed.
    pub fn watch(
        self: &Arc<Self>,
        now: impl Fn() -> Moment + Send + 'static,
    ) -> std::io::Result<Background> {
        let watched = Arc::clone(self);
        Background::start("signing-keys", LOOK_EVERY, move |_| {
            watched.reload(now(), false);
            LOOK_EVERY
        })
    }

    fn enter(&self, now: Moment) -> Arc<Phase> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let phase = Arc::new(Phase::at(now, &keys.files, self.lifetime));
        *self.phase.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&phase);
        phase
    }
}

fn warn_of_open(files: &[KeyFile]) {
    for file in files.iter().filter(|file| file.is_open_to_others()) {
        let path = file.path.display();
        tracing::warn!("{path} can be read by others than its owner; it should have mode 0600");
    }
}

fn look(folder: &Path) -> Look {
    let look = |path: PathBuf| {
        let file = std::fs::metadata(&path).ok();
        let length = file.as_ref().map_or(0, std::fs::Metadata::len);
        (path, length, file.and_then(|file| file.modified().ok()).map(Moment::from))
    };
    pem_files(folder).unwrap_or_default().into_iter().map(look).collect()
}
