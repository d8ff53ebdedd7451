//! A Redis of a test's own, to be killed, frozen and started again.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::process::free_port;

/// A server that forgets everything when it ends.
pub struct Redis {
    pub url: String,
    port: u16,
    dir: TempDir,
    running: Mutex<Option<Child>>,
}

impl Redis {
    pub fn start() -> Self {
        let redis = Self::absent();
        redis.start_again();
        redis
    }

    /// One that is not there yet.
    pub fn absent() -> Self {
        let port = free_port();
        let dir = TempDir::with_prefix("symbolon-redis-").unwrap();
        let url = format!("redis://127.0.0.1:{port}");
        Self { url, port, dir, running: Mutex::default() }
    }

    /// Starts it on its port and waits until it answers.
    pub fn start_again(&self) {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.current_dir(&self.dir).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn().expect("redis-server is installed by scripts/install");
        *self.running.lock().unwrap() = Some(started);
        let began = Instant::now();
        while self.try_command::<String>(&["PING"]).is_none() {
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(mut child) = self.running.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it where it stands: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Runs a command behind the service's back.
    pub fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_command(words).expect("redis answers")
    }

    /// Its keys.
    pub fn keys(&self) -> Vec<String> {
        self.command(&["KEYS", "*"])
    }

    fn try_command<T: redis::FromRedisValue>(&self, words: &[&str]) -> Option<T> {
        let mut connection = redis::Client::open(&*self.url).unwrap().get_connection().ok()?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query(&mut connection).ok()
    }

    fn signal(&self, signal: &str) {
        let id = self.running.lock().unwrap().as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
