//! The keys that sign access tokens where `SIGNING_KEYS_DIR` has any: others verify by what is
//! published of them, and share no secret.
//!
//! The folder is the state: a file a key ([`key_file`]), its times in it. From these [`rule`] says what
//! each key does at a time, so that all instances that share the folder agree without asking each
//! other. It is read again when it changes and on SIGHUP ([`in_use`]), so that replacing a key needs
//! no restart.

pub mod in_use;
pub mod key_file;
pub mod rule;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

pub use in_use::SigningKeys;
use key_file::{KeyFile, KeyFileError};

/// What is in a folder of keys.
#[derive(Default)]
pub struct Folder {
    /// The keys that can be used, in the order of their making.
    pub keys: Vec<KeyFile>,
    /// What cannot.
    pub faults: Vec<KeyFault>,
}

/// A file that is named like a key and cannot be used.
#[derive(Debug, Error)]
pub enum KeyFault {
    /// What it holds.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The same key is in another file.
    #[error("{0} holds the same key as {1}")]
    Twice(PathBuf, PathBuf),
}

impl KeyFault {
    /// The file at fault.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(error) => error.path(),
            Self::Twice(path, _) => Some(path),
        }
    }
}

/// The folder itself cannot be read.
#[derive(Debug, Error)]
#[error("cannot read {0}: {1}")]
pub struct FolderError(PathBuf, std::io::Error);

/// Reads what is in `folder`, which is nothing where there is no such folder. A key whose file does
/// not say otherwise signs `activation` after it was created.
pub fn read(folder: &Path, activation: Duration) -> Result<Folder, FolderError> {
    let mut read = Folder::default();
    for path in pem_files(folder)? {
        match KeyFile::read(&path, activation) {
            Err(fault) => read.faults.push(fault.into()),
            Ok(key) => match read.keys.iter().find(|other| other.kid() == key.kid()) {
                Some(same) => read.faults.push(KeyFault::Twice(path, same.path.clone())),
                None => read.keys.push(key),
            },
        }
    }
    read.keys.sort_by(KeyFile::by_age);
    Ok(read)
}

/// The files in `folder` that are named like keys, in a fixed order.
fn pem_files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let fail = |error| FolderError(folder.to_owned(), error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>().map_err(fail)?;
    // What is no file, a pipe above all, could keep its reader waiting for ever.
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "pem") && path.is_file());
    paths.sort();
    Ok(paths)
}
