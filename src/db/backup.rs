//! Copying a SQLite database that is in use.
//!
//! `VACUUM INTO` reads one view of the database, what stands in the write-ahead log included, so the
//! copy is that of one moment and needs no log of its own. Whoever writes is not held up; only the log
//! cannot be folded into the file meanwhile, and grows.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use thiserror::Error;

use super::connect;

/// Why there is no copy.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The database could not be opened.
    #[error("cannot open the database: {0}")]
    Source(#[from] ConnectionError),
    /// It could not be read, or the copy could not be written.
    #[error(transparent)]
    Copy(#[from] diesel::result::Error),
}

/// A database to be copied.
pub struct Source(SqliteConnection);

impl Source {
    /// Opens the database at `path`, which has to exist.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        Ok(Self(connect::sqlite(path)?))
    }

    /// How large its copy will be, in bytes.
    pub fn size(&mut self) -> Result<u64, BackupError> {
        #[derive(QueryableByName)]
        struct Size {
            #[diesel(sql_type = BigInt)]
            bytes: i64,
        }
        let in_use = "SELECT (page_count - freelist_count) * page_size AS bytes \
                      FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let size: Size = diesel::sql_query(in_use).get_result(&mut self.0)?;
        Ok(size.bytes.unsigned_abs())
    }

    /// Writes it into the empty file at `file`. What was written is not yet safe from a loss of power.
    pub fn copy_into(&mut self, file: &str) -> Result<(), BackupError> {
        diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(file).execute(&mut self.0)?;
        Ok(())
    }
}
