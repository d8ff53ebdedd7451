//! Symbolon and the example service, each as a process.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::socket::Handshake;
use crate::support::process::{self, Process, free_port};
use crate::support::{Client, Db, SignedIn};

/// What signs tokens in most of these tests.
pub const SECRET: &str = "Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA-rooms";
/// What the example service introspects with.
pub const CLIENT: &str = "rooms:yA0sG5pD3hJ6cF1wL9tB4mK7xR2vN8qZ";

/// The example's binary, its environment empty.
pub fn rooms() -> Command {
    let binary: PathBuf =
        Path::new(env!("CARGO_BIN_EXE_symbolon")).with_file_name("examples/rooms");
    assert!(binary.exists(), "there is no {}: run `cargo build --example rooms`", binary.display());
    let mut command = Command::new(binary);
    command.env_clear();
    command
}

/// Both services. As a client it calls the example.
pub struct House {
    pub auth: Process,
    pub db: Db,
    client: Client,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl House {
    /// Both on HS256, and the example asks whether sessions are live.
    pub fn open() -> Self {
        Self::on(Db::sqlite(), &[], &[])
    }

    /// With more variables for Symbolon and for the example.
    pub fn on(db: Db, auth: &[(&str, &str)], rooms: &[(&str, &str)]) -> Self {
        let shared = [("JWT_SECRET", SECRET)];
        let theirs = [&shared[..], &[("INTROSPECTION_CLIENTS", CLIENT)], auth].concat();
        let ours = [&shared[..], &[("INTROSPECTION_CLIENT", CLIENT)], rooms].concat();
        Self::with(db, &theirs, &ours)
    }

    /// With these variables and no others.
    pub fn with(db: Db, auth: &[(&str, &str)], variables: &[(&str, &str)]) -> Self {
        let auth = Process::start(&db, free_port(), auth);
        let bind = format!("127.0.0.1:{}", free_port());
        let mut child = rooms()
            .env("BIND", &bind)
            .env("AUTH_URL", &auth.base)
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
        let client = Client::of_others(format!("http://{bind}"));
        let mut house = Self { auth, db, client, child, log };
        let started = Instant::now();
        while house.get("/rooms").try_send().is_none() {
            assert!(house.child.try_wait().unwrap().is_none(), "{}", house.logged());
            assert!(started.elapsed() < Duration::from_secs(30), "{}", house.logged());
            std::thread::sleep(Duration::from_millis(10));
        }
        house
    }

    /// Registers somebody.
    pub fn somebody(&self, name: &str) -> SignedIn {
        self.auth.register(&format!("{name}@example.com"))
    }

    /// Registers somebody of a role.
    pub fn somebody_who_is(&self, role: &str, name: &str) -> SignedIn {
        let who = self.somebody(name);
        self.set_role(&who, role);
        self.auth.login(&who.email)
    }

    /// Gives somebody another role.
    pub fn set_role(&self, who: &SignedIn, role: &str) {
        let mut command = process::on(&self.db);
        let done = command.args(["users", "set-role", &who.email, role]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Opens a room; its id.
    pub fn room(&self, owner: &SignedIn) -> String {
        let call = self.post("/rooms").bearer(&owner.access).json(&json!({"name": "Lobby"}));
        call.send().expect(201).json()["id"].as_str().unwrap().to_owned()
    }

    /// A handshake for the room, without a token yet.
    pub fn handshake(&self, room: &str) -> Handshake {
        Handshake::new(self.base.strip_prefix("http://").unwrap(), &format!("/rooms/{room}/ws"))
    }

    /// What the example has logged so far.
    pub fn logged(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM to the example.
    pub fn terminate(&self) {
        let status = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits until the example ends.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Deref for House {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
