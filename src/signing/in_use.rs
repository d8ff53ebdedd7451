//! The keys in use, as their folder last had them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;

use super::key_file::KeyFile;
use super::rule::{self, Duty, Times};
use super::{Folder, FolderError, pem_files, read};
use crate::background::Background;
use crate::crypto::jwt::Signer;
use crate::moment::Moment;
use crate::settings::signing::SigningSettings;
use crate::verifier::claims::ACCESS_TOKEN;
use crate::verifier::token::KeySet;

/// How often the folder is looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A key that is noticed so soon after it was made has not come late, however short its wait.
const PROMPT: Duration = Duration::from_secs(5);

/// What the keys come to from one change of duties to the next.
pub struct Phase {
    /// Signs access tokens; `None` where there is no key, and the secret signs.
    pub signer: Option<Signer>,
    /// Verifies them.
    pub verifying: KeySet,
    /// What is published.
    pub public: JwkSet,
    /// The `kid` of the key that signs.
    signing: Option<String>,
    from: Moment,
    until: Option<Moment>,
}

impl Phase {
    fn at(now: Moment, keys: &Keys, lifetime: Duration) -> Self {
        let times = keys.times();
        let duties = rule::duties(&times, now, lifetime);
        let with_duties = || keys.files.iter().zip(&duties);
        let signing = with_duties().find(|(_, duty)| **duty == Duty::Signs).map(|(key, _)| key);
        let published = with_duties().filter(|(_, duty)| **duty != Duty::Done);
        let public = JwkSet { keys: published.map(|(key, _)| key.public.clone()).collect() };
        Self {
            signer: signing.map(|key| {
                Signer::published(ACCESS_TOKEN, key.algorithm, key.kid(), key.private.clone())
            }),
            verifying: KeySet::published(&public),
            public,
            signing: signing.map(|key| key.kid().to_owned()),
            from: now,
            until: rule::changes_after(&times, now, lifetime),
        }
    }

    fn covers(&self, now: Moment) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// Signs and verifies by the keys in a folder.
///
/// What this process has signed is good to its end, whatever the files say: a key may come into the
/// folder later than it was made. Such a key waits once more before it signs, so that others know it.
pub struct SigningKeys {
    settings: SigningSettings,
    /// How long access tokens live.
    lifetime: Duration,
    keys: Mutex<Keys>,
    phase: RwLock<Arc<Phase>>,
    /// Held while files are read, which may take long; `keys` is not.
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Keys {
    files: Vec<KeyFile>,
    /// When a key was noticed that was not there at the start, by its `kid`.
    noticed: HashMap<String, Moment>,
    /// Until when a key has signed here, by its `kid`.
    signed: HashMap<String, Moment>,
}

impl Keys {
    /// The times of the keys, with what this process knows besides.
    fn times(&self) -> Vec<Times> {
        let times = |file: &KeyFile| {
            let mut times = file.times;
            times.signed_until = self.signed.get(file.kid()).copied();
            let wait = times.signs_from.since(times.created);
            // What is published is kept for half the wait, so until then it is early enough.
            if let Some(&noticed) = self.noticed.get(file.kid())
                && noticed > times.created + (wait / 2).max(PROMPT)
                && !wait.is_zero()
            {
                times.signs_from = noticed + wait;
            }
            times
        };
        self.files.iter().map(times).collect()
    }
}

/// What the folder looked like when it was last read.
#[derive(Default)]
struct Seen {
    look: Look,
    /// What could not be read, as it was logged.
    faults: Vec<String>,
}

/// Names, sizes and times of the files in a folder: what changes when they do.
type Look = Vec<(PathBuf, u64, Option<Moment>)>;

impl SigningKeys {
    /// Reads the keys that the settings name; the settings have refused what cannot be used.
    pub fn open(
        settings: &SigningSettings,
        lifetime: Duration,
        now: Moment,
    ) -> Result<Self, FolderError> {
        let look = look(settings)?;
        let Folder { keys: files, faults } = read(&settings.folder, settings.activation)?;
        if files.is_empty() {
            let folder = settings.folder.display();
            tracing::warn!("{folder} holds no signing key yet: access tokens are signed HS256");
        }
        warn_of(&files);
        let faults = faults.iter().map(ToString::to_string).collect();
        let keys = Keys { files, ..Keys::default() };
        Ok(Self {
            phase: RwLock::new(Arc::new(Phase::at(now, &keys, lifetime))),
            keys: Mutex::new(keys),
            seen: Mutex::new(Seen { look, faults }),
            settings: settings.clone(),
            lifetime,
        })
    }

    /// What the keys come to at `now`.
    pub fn at(&self, now: Moment) -> Arc<Phase> {
        let phase = self.current();
        if phase.covers(now) {
            return phase;
        }
        let mut keys = self.keys();
        // Another request may have come first.
        let phase = self.current();
        if phase.covers(now) { phase } else { self.enter(now, &mut keys) }
    }

    /// For how long what is published may be kept by others: half the time that a new key waits
    /// before it signs, so that they know it by then.
    pub fn fresh_for(&self) -> Duration {
        self.settings.activation / 2
    }

    /// Reads the folder again if it has changed, or in any case. What cannot be read is logged, and
    /// stays as it was before.
    pub fn reload(&self, now: Moment, even_if_unchanged: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = look(&self.settings).and_then(|look| {
            if look == seen.look && seen.faults.is_empty() && !even_if_unchanged {
                return Ok(None);
            }
            let folder = read(&self.settings.folder, self.settings.activation)?;
            Ok(Some((look, folder)))
        });
        let faults = match found {
            Ok(None) => return,
            Ok(Some((look, folder))) => {
                let faults = folder.faults.iter().map(ToString::to_string).collect();
                // Where something is at fault it is read over and over, and not to be said as often.
                if look != seen.look || even_if_unchanged {
                    warn_of(&folder.keys);
                }
                seen.look = look;
                self.replace(folder, faults, now)
            }
            Err(error) => vec![error.to_string()],
        };
        for fault in faults.iter().filter(|fault| even_if_unchanged || !seen.faults.contains(fault))
        {
            tracing::error!("signing keys could not all be read again: {fault}");
        }
        seen.faults = faults;
    }

    /// Puts what was read in the place of what was there; returns what is wrong with it.
    fn replace(&self, folder: Folder, mut faults: Vec<String>, now: Moment) -> Vec<String> {
        let mut keys = self.keys();
        let Folder { keys: mut files, faults: unreadable } = folder;
        // A file that cannot be read any more is not one that was taken away.
        let known = std::mem::take(&mut keys.files);
        let is_lost = |key: &KeyFile| {
            unreadable.iter().any(|fault| fault.path() == Some(&key.path))
                && files.iter().all(|read| read.kid() != key.kid())
        };
        let (kept, gone): (Vec<_>, Vec<_>) = known.into_iter().partition(is_lost);
        if files.is_empty() && kept.is_empty() && !gone.is_empty() {
            let folder = self.settings.folder.display();
            faults.push(format!(
                "{folder} holds no key any more; going back to HS256 takes a restart"
            ));
            keys.files = gone;
            return faults;
        }
        let is_known = |key: &KeyFile| gone.iter().chain(&kept).any(|old| old.kid() == key.kid());
        for key in files.iter().filter(|key| !is_known(key)) {
            tracing::info!(kid = key.kid(), "a signing key has come");
            keys.noticed.entry(key.kid().to_owned()).or_insert(now);
        }
        for key in gone.iter().filter(|key| files.iter().all(|new| new.kid() != key.kid())) {
            tracing::info!(kid = key.kid(), "a signing key is gone");
        }
        files.extend(kept);
        files.sort_by(KeyFile::by_age);
        keys.files = files;
        self.enter(now, &mut keys);
        faults
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

    /// Begins the phase that `now` is in.
    fn enter(&self, now: Moment, keys: &mut Keys) -> Arc<Phase> {
        let mut current = self.phase.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kid) = &current.signing {
            let until = keys.signed.entry(kid.clone()).or_insert(now);
            *until = (*until).max(now);
        }
        let phase = Arc::new(Phase::at(now, keys, self.lifetime));
        if phase.signing != current.signing {
            tracing::info!(kid = phase.signing, "access tokens are signed with another key");
        }
        *current = Arc::clone(&phase);
        phase
    }

    fn current(&self) -> Arc<Phase> {
        Arc::clone(&self.phase.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what an operator should know of these files.
fn warn_of(files: &[KeyFile]) {
    for file in files {
        let path = file.path.display();
        if file.is_open_to_others() {
            tracing::warn!("{path} can be read by others than its owner; it should have mode 0600");
        }
        if !file.is_dated && files.len() > 1 {
            tracing::warn!(
                "{path} has no `Created:` line: its age is that of its file, which a copy does not keep"
            );
        }
    }
}

fn look(settings: &SigningSettings) -> Result<Look, FolderError> {
    let look = |path: PathBuf| {
        let file = std::fs::metadata(&path).ok();
        let length = file.as_ref().map_or(0, std::fs::Metadata::len);
        (path, length, file.and_then(|file| file.modified().ok()).map(Moment::from))
    };
    Ok(pem_files(&settings.folder)?.into_iter().map(look).collect())
}
