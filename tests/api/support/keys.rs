//! Folders of signing keys.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use symbolon::clock::Clock;
use symbolon::db::Moment;
use symbolon::signing::key_file::{KeyAlgorithm, KeyFile};

use super::{Db, TestServer};

/// How long a further key waits in these tests, as by default.
pub const ACTIVATION: Duration = Duration::from_secs(600);

impl Db {
    /// Where the keys of this test are, if it has any.
    pub fn keys_dir(&self) -> PathBuf {
        self.dir.path().join("keys")
    }
}

impl TestServer {
    /// A server that signs with what is in [`Db::keys_dir`].
    pub fn with_keys(db: Db, flags: &[(&str, &str)]) -> Self {
        let folder = db.keys_dir().to_string_lossy().into_owned();
        let folder = [("--signing-keys-dir", &*folder)];
        Self::with(db, &[&folder, flags].concat())
    }

    /// Makes a key and has it noticed; returns its `kid`.
    pub fn add_key(&self, algorithm: KeyAlgorithm) -> String {
        // No two keys are made at the same moment.
        self.clock.step(0.001);
        let made = make_key(&self.db.keys_dir(), algorithm, self.clock.now());
        self.notice_keys();
        made.kid().to_owned()
    }

    /// Looks for changes among the keys, as the service does every second.
    pub fn notice_keys(&self) {
        self.app.signing.as_ref().unwrap().reload(self.clock.now(), false);
    }

    /// The `kid`s that are published.
    pub fn published(&self) -> Vec<String> {
        let keys = self.get("/.well-known/jwks.json").send().expect(200).json()["keys"].clone();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys.as_array().unwrap().iter().map(kid).collect()
    }
}

/// Makes a key that signs after the usual wait.
pub fn make_key(folder: &Path, algorithm: KeyAlgorithm, now: Moment) -> KeyFile {
    std::fs::create_dir_all(folder).unwrap();
    KeyFile::make(folder, algorithm, now, ACTIVATION, false).unwrap()
}

/// The header of a token.
pub fn header(token: &str) -> Value {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&header).unwrap()
}

/// The `kid` of a token.
pub fn kid(token: &str) -> String {
    header(token)["kid"].as_str().expect("a kid").to_owned()
}
