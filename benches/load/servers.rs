//! Starting what is measured.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::Process;

/// A database to measure on.
pub enum Backend {
    Sqlite,
    /// The URL of a cluster.
    Postgres(String),
}

impl Backend {
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite => "SQLite".into(),
            Self::Postgres(_) => "PostgreSQL".into(),
        }
    }
}

/// A durable PostgreSQL cluster of the benchmark's own.
pub struct Postgres {
    pub url: String,
    dir: TempDir,
}

impl Postgres {
    pub fn start() -> Self {
        let dir = TempDir::with_prefix("symbolon-bench-").unwrap();
        let output = script().arg("start").arg(dir.path().join("pg")).arg("--durable").output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { url: String::from_utf8(output.stdout).unwrap().trim().to_owned(), dir }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _removed = script().arg("remove").arg(self.dir.path().join("pg")).status();
    }
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres"))
}

/// The service on a database of its own.
pub struct Server {
    pub process: Process,
    /// What names its database.
    pub database_url: String,
}

impl Server {
    /// `symbolon serve` with the settings of production, as far as speed is concerned.
    pub fn symbolon(backend: &Backend, cost: u32) -> Self {
        let dir = TempDir::with_prefix("symbolon-bench-").unwrap();
        let database_url = match backend {
            Backend::Sqlite => format!("sqlite://{}/symbolon.db", dir.path().display()),
            Backend::Postgres(url) => fresh_database(url),
        };
        let cost = cost.to_string();
        let process = Process::symbolon(dir, &database_url, &[("BCRYPT_COST", &cost)]);
        Self { process, database_url }
    }
}

/// The same framework answering a constant.
pub fn hello() -> Process {
    Process::own(|address| vec!["--hello".to_owned(), address.to_owned()])
}

fn fresh_database(cluster: &str) -> String {
    use diesel::connection::{Connection, SimpleConnection};
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("bench_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = diesel::PgConnection::establish(&format!("{cluster}/postgres")).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    format!("{cluster}/{name}")
}
