//! A process that serves, for as long as it is held.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something that listens, with a folder of its own.
pub struct Process {
    pub address: String,
    /// From its start until it answered.
    pub ready_after: Duration,
    child: Child,
    _dir: TempDir,
}

impl Process {
    /// Starts what `command` makes of a free address, and waits until it listens there.
    pub fn start(dir: TempDir, command: impl FnOnce(&str) -> Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let log = dir.path().join("log");
        let mut command = command(&address);
        command.stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        while TcpStream::connect(&address).is_err() {
            let waits = started.elapsed() < PATIENCE && child.try_wait().unwrap().is_none();
            assert!(waits, "no server: {}", std::fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_micros(500));
        }
        let ready_after = started.elapsed();
        Self { address, ready_after, child, _dir: dir }
    }

    /// A `symbolon serve`, where all of the load may come from one address.
    pub fn symbolon(dir: TempDir, database_url: &str, settings: &[(&str, &str)]) -> Self {
        let path = dir.path().to_owned();
        Self::start(dir, |address| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
            command
                .env("BIND", address)
                .env("DATA_DIR", path)
                .env("DATABASE_URL", database_url)
                .env("LOG_FORMAT", "json")
                .env("LOGIN_RATE_LIMIT", "off")
                .env("REGISTER_RATE_LIMIT", "off")
                .env("FORGOT_RATE_LIMIT", "off")
                .envs(settings.iter().copied());
            command
        })
    }

    /// This benchmark itself, which the arguments have serve something.
    pub fn own(arguments: impl FnOnce(&str) -> Vec<String>) -> Self {
        Self::start(TempDir::new().unwrap(), |address| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(arguments(address));
            command
        })
    }

    /// Its resident memory.
    pub fn resident(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u32 = line.trim().trim_end_matches(" kB").parse().unwrap();
        format!("{:.1} MiB", f64::from(kib) / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
