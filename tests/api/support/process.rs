//! The real binary, as a process that can be killed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::ops::Deref;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Client, Db};

/// `symbolon`, its environment empty but for `PATH`.
pub fn symbolon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// `symbolon` with the settings of a test on `db`: any command, run in the database's folder.
pub fn on(db: &Db) -> Command {
    let mut command = symbolon();
    command
        .current_dir(db.dir.path())
        .env("DATA_DIR", db.dir.path())
        .env("DATABASE_URL", &db.url)
        .env("BCRYPT_COST", "10")
        .env("JWT_ISSUER", "https://auth.test")
        // Everybody in these tests has the same address.
        .env("LOGIN_RATE_LIMIT", "off")
        .env("REGISTER_RATE_LIMIT", "off")
        .env("FORGOT_RATE_LIMIT", "off");
    command
}

/// A running `symbolon serve`.
pub struct Process {
    pub client: Client,
    child: Child,
    /// Everything it has logged so far.
    pub log: Arc<Mutex<String>>,
}

static PORTS: AtomicU16 = AtomicU16::new(0);

/// A port that was free a moment ago. Below those that Linux hands out by itself: a client that
/// keeps calling a server which is down may otherwise be given the server's own port.
pub fn free_port() -> u16 {
    let first = std::process::id() % 9_000;
    loop {
        let next = u32::from(PORTS.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(10_000 + (first * 37 + next) % 9_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Process {
    /// Starts it on `port` with more variables, and waits until it answers.
    pub fn start(db: &Db, port: u16, variables: &[(&str, &str)]) -> Self {
        let bind = format!("127.0.0.1:{port}");
        let mut child = on(db)
            .env("BIND", &bind)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::<Mutex<String>>::default();
        let (stderr, lines) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *lines.lock().unwrap() += &(line + "\n");
            }
        });
        let client = Client::new(format!("http://{bind}"));
        let mut process = Self { client, child, log };
        let started = Instant::now();
        while process.get("/healthz").try_send().is_none_or(|answer| answer.status != 200) {
            let gone = process.child.try_wait().unwrap();
            assert!(gone.is_none(), "it did not start: {}", process.logged());
            assert!(started.elapsed() < Duration::from_secs(30), "{}", process.logged());
            std::thread::sleep(Duration::from_millis(10));
        }
        process
    }

    /// What it has logged so far.
    pub fn logged(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let status = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it ends by itself, without giving it up.
    pub fn wait_until_ended(&mut self) {
        self.child.wait().unwrap();
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Deref for Process {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
