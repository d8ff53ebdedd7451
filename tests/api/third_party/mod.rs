//! Access tokens of ours, verified by what others have written: jose, express-jwt with jwks-rsa, `PyJWT`.
//! The services that use these are in `tests/third_party`.

mod forged;
mod refused;
mod rotation;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::settings::run;
use crate::support::process::{Process, free_port, on};
use crate::support::{Answer, Client, Db, SignedIn};

const AUDIENCE: &str = "https://api.test";

/// How long a further key of these tests waits before it signs.
const ACTIVATION: &str = "3s";

/// The real binary, which signs with keys of its own.
struct Service {
    process: Process,
    keys: PathBuf,
    // Dropped last: the process writes into its folder.
    db: Db,
}

impl Service {
    /// Starts it with a first key.
    fn start(db: Db, algorithm: &str, access_ttl: &str) -> Self {
        let keys = db.dir.path().join("keys");
        make_key(&db, &keys, &["--alg", algorithm]);
        let port = free_port();
        let issuer = format!("http://127.0.0.1:{port}");
        let variables = [
            ("SIGNING_KEYS_DIR", keys.to_str().unwrap()),
            ("KEY_ACTIVATION", ACTIVATION),
            ("ACCESS_TOKEN_TTL", access_ttl),
            // What is found at an address has to say that it is the issuer (RFC 8414, 3.3).
            ("JWT_ISSUER", &issuer),
            ("JWT_AUDIENCE", AUDIENCE),
        ];
        let process = Process::start(&db, port, &variables);
        Self { process, keys, db }
    }

    fn issuer(&self) -> &str {
        &self.process.base
    }

    /// Makes a further key.
    fn make_key(&self, flags: &[&str]) {
        make_key(&self.db, &self.keys, flags);
    }

    /// A fresh token of `person`'s session, by body transport; and the key that signed it.
    fn token(&self, person: &mut SignedIn) -> (String, String) {
        let answer = self.process.refresh_in_body(&person.refresh).expect(200);
        person.refresh = answer.refresh_token();
        let token = answer.access_token();
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.expect("a kid");
        (token, kid)
    }

    /// Refreshes until another key than `old` signs.
    fn token_of_another_key(&self, person: &mut SignedIn, old: &str) -> (String, String) {
        let began = Instant::now();
        loop {
            let (token, kid) = self.token(person);
            if kid != old {
                return (token, kid);
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{old} still signs");
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits until so many keys are published.
    fn wait_for_keys(&self, count: usize) {
        let began = Instant::now();
        let published = || {
            let keys = self.process.get("/.well-known/jwks.json").send().expect(200).json();
            keys["keys"].as_array().unwrap().len()
        };
        while published() != count {
            assert!(began.elapsed() < Duration::from_secs(30), "{count} keys were to be published");
            sleep(Duration::from_millis(50));
        }
    }
}

/// `symbolon keys generate`; the id of the key.
fn make_key(db: &Db, keys: &Path, flags: &[&str]) -> String {
    let mut command = on(db);
    command.env("SIGNING_KEYS_DIR", keys).env("KEY_ACTIVATION", ACTIVATION);
    let said = run(command.args(["keys", "generate"]).args(flags)).done();
    said.split(' ').next().unwrap().to_owned()
}

/// A service that verifies with a library of others.
struct Library {
    name: &'static str,
    program: &'static str,
    /// In `tests/third_party`.
    script: &'static str,
    /// Whether it is told the issuer only, and finds the keys by the issuer's metadata.
    discovers: bool,
}

const JOSE: Library =
    Library { name: "jose", program: "node", script: "jose.mjs", discovers: false };
const JOSE_BY_METADATA: Library = Library { name: "jose by metadata", discovers: true, ..JOSE };
const EXPRESS: Library =
    Library { name: "express-jwt", program: "node", script: "express.mjs", discovers: false };
/// Debian's own Python, for which Debian's package of `PyJWT` is.
const PYJWT: Library =
    Library { name: "PyJWT", program: "/usr/bin/python3", script: "pyjwt.py", discovers: false };

/// One of them, running; killed when dropped.
struct Verifier {
    name: &'static str,
    client: Client,
    child: Child,
}

impl Verifier {
    /// Starts one of each, all of which trust `service` for tokens of these algorithms.
    fn start(libraries: &[Library], service: &Service, algorithms: &str) -> Vec<Self> {
        let start = |library: &Library| library.start(service, algorithms);
        // All before the first is waited for.
        let started: Vec<Child> = libraries.iter().map(start).collect();
        libraries.iter().zip(started).map(|(library, child)| Self::ready(library, child)).collect()
    }

    fn ready(library: &Library, mut child: Child) -> Self {
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let port = said.strip_prefix("ready ").map(str::trim);
        let port = port.unwrap_or_else(|| {
            panic!("{} did not start: run scripts/install", library.name);
        });
        let client = Client::of_others(format!("http://127.0.0.1:{port}"));
        Self { name: library.name, client, child }
    }

    fn ask(&self, token: &str) -> Answer {
        self.client.get("/").bearer(token).send()
    }

    /// It has to take this token for `person`'s.
    #[track_caller]
    fn accepts(&self, token: &str, person: &SignedIn, why: &str) {
        let answer = self.ask(token);
        assert_eq!(answer.status, 200, "{} refuses {why}: {}", self.name, answer.text);
        assert_eq!(answer.json()["sub"], *person.user, "{}", self.name);
    }

    /// It has to refuse this token, for what the token is.
    #[track_caller]
    fn refuses(&self, token: &str, why: &str) {
        let answer = self.ask(token);
        assert_eq!(answer.status, 401, "{}, {why}: {}", self.name, answer.text);
    }
}

impl Library {
    fn start(&self, service: &Service, algorithms: &str) -> Child {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/third_party");
        let mut command = Command::new(self.program);
        command
            .arg(folder.join(self.script))
            .env("ISSUER", service.issuer())
            .env("AUDIENCE", AUDIENCE)
            .env("ALGORITHMS", algorithms)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if !self.discovers {
            command.env("JWKS_URL", format!("{}/.well-known/jwks.json", service.issuer()));
        }
        let started = command.spawn();
        started.unwrap_or_else(|_| panic!("there is no {}: run scripts/install", self.program))
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What `npm` wrote down is good wherever its packages come from.
#[test]
fn the_lock_file_names_no_registry() {
    let lock = include_str!("../../../package-lock.json");
    assert!(!lock.contains("\"resolved\": \"http"), "see .npmrc");
    assert!(lock.contains("\"integrity\""));
}
