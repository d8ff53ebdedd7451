//! Starting what is measured.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

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

/// A process that serves.
pub struct Server {
    pub address: String,
    child: Child,
    /// From its start until it answered.
    pub ready_after: Duration,
    /// What names its database.
    pub database_url: String,
    _dir: TempDir,
}

impl Server {
    /// `symbolon serve` with the settings of production, as far as speed is concerned.
    pub fn symbolon(backend: &Backend, cost: u32) -> Self {
        let dir = TempDir::with_prefix("symbolon-bench-").unwrap();
        let database_url = match backend {
            Backend::Sqlite => format!("sqlite://{}/symbolon.db", dir.path().display()),
            Backend::Postgres(url) => fresh_database(url),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
        command
            .env("DATA_DIR", dir.path())
            .env("DATABASE_URL", &database_url)
            .env("BCRYPT_COST", cost.to_string())
            .env("LOG_FORMAT", "json")
            // All of the load comes from one address.
            .env("LOGIN_RATE_LIMIT", "off")
            .env("REGISTER_RATE_LIMIT", "off")
            .env("FORGOT_RATE_LIMIT", "off");
        Self::start(command, dir, database_url)
    }

    /// The same framework answering a constant.
    pub fn hello() -> Self {
        let command = Command::new(std::env::current_exe().unwrap());
        Self::start(command, TempDir::new().unwrap(), String::new())
    }

    fn start(mut command: Command, dir: TempDir, database_url: String) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        if database_url.is_empty() {
            command.arg("--hello").arg(&address);
        }
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        command.env("BIND", &address).stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let child = command.spawn().unwrap();
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "the server does not start");
            std::thread::sleep(Duration::from_micros(500));
        }
        let ready_after = started.elapsed();
        Self { address, child, ready_after, database_url, _dir: dir }
    }

    /// Its resident memory.
    pub fn resident(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u32 = line.trim().trim_end_matches(" kB").parse().unwrap();
        format!("{:.1} MiB", f64::from(kib) / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
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
