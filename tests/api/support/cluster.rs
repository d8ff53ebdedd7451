//! A PostgreSQL cluster of a test's own, to be stopped, frozen and started again.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

/// A cluster whose commits are durable; removed when dropped.
pub struct Cluster {
    /// Its URL, without a database.
    pub url: String,
    dir: TempDir,
}

/// How to stop a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// In an orderly way, ending all connections.
    Fast,
    /// Like a crash.
    Immediate,
}

impl Cluster {
    pub fn start() -> Self {
        let dir = TempDir::with_prefix("symbolon-cluster-").unwrap();
        let url = run(&["start", path(&dir).to_str().unwrap(), "--durable"]);
        Self { url, dir }
    }

    /// A standby that follows this one. With `synchronous`, commits here wait for it.
    pub fn standby(&self, synchronous: bool) -> Self {
        let dir = TempDir::with_prefix("symbolon-standby-").unwrap();
        let (standby, primary) = (path(&dir), path(&self.dir));
        let mut arguments = vec!["standby", standby.to_str().unwrap(), primary.to_str().unwrap()];
        arguments.extend(synchronous.then_some("--synchronous"));
        let url = run(&arguments);
        Self { url, dir }
    }

    /// Makes a primary of a standby.
    pub fn promote(&self) {
        run(&["promote", path(&self.dir).to_str().unwrap()]);
    }

    fn connect(&self) -> PgConnection {
        PgConnection::establish(&format!("{}/postgres", self.url)).unwrap()
    }

    /// Runs a statement that is for all of its databases.
    pub fn execute(&self, statement: &str) {
        self.connect().batch_execute(statement).unwrap();
    }

    /// Lets a standby follow nobody any more, as when the network between the two is cut.
    pub fn cut_off(&self) {
        self.execute("ALTER SYSTEM SET primary_conninfo = ''");
        self.execute("SELECT pg_reload_conf()");
        let mut connection = self.connect();
        let follows = || {
            let count = "SELECT count(*) AS count FROM pg_stat_wal_receiver";
            let row: Count = diesel::sql_query(count).get_result(&mut connection).unwrap();
            row.count > 0
        };
        wait_while(follows);
    }

    /// `kill -9` of all of its processes, also of one that is frozen.
    pub fn kill(&self) {
        let server = self.server();
        let children = children(server);
        // First the one that starts others.
        signal("-KILL", &[server]);
        signal("-KILL", &children);
    }

    pub fn stop(&self, how: Stop) {
        let how = if how == Stop::Fast { "fast" } else { "immediate" };
        run(&["stop", path(&self.dir).to_str().unwrap(), how]);
    }

    /// Starts it again, on the same port.
    pub fn start_again(&self) {
        let url = run(&["start", path(&self.dir).to_str().unwrap()]);
        assert_eq!(url, self.url);
    }

    /// Stops all of its processes where they stand: connections stay open and nothing answers.
    pub fn freeze(&self) {
        // First the one that starts others.
        let server = self.server();
        signal("-STOP", &[server]);
        signal("-STOP", &children(server));
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        let server = self.server();
        signal("-CONT", &children(server));
        signal("-CONT", &[server]);
    }

    fn server(&self) -> u32 {
        let data = std::fs::read_to_string(path(&self.dir).join("at")).unwrap();
        let lock = PathBuf::from(data.trim()).join("postmaster.pid");
        std::fs::read_to_string(lock).unwrap().lines().next().unwrap().parse().unwrap()
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn wait_while(mut goes_on: impl FnMut() -> bool) {
    let began = Instant::now();
    while goes_on() {
        assert!(began.elapsed() < Duration::from_secs(20), "it goes on and on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What is frozen cannot be stopped.
        let frozen = std::panic::catch_unwind(|| self.thaw());
        let _running = frozen;
        let _removed = command(&["remove", path(&self.dir).to_str().unwrap()]).output();
    }
}

/// The script makes the directory itself.
fn path(dir: &TempDir) -> PathBuf {
    dir.path().join("cluster")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> String {
    let done = command(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn signal(signal: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    // One that has just ended is not missed.
    let _sent = Command::new("kill").arg(signal).args(processes).output().unwrap();
}

/// The processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-eo", "pid=,ppid="]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let pairs = listed.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    });
    pairs.filter(|&(_, ppid)| ppid == parent).map(|(pid, _)| pid).collect()
}
