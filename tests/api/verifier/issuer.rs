//! An issuer that counts how often it is asked, and may be slow, silent or wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use symbolon::clock::Clock;
use symbolon::crypto::jwt::Signer;
use symbolon::signing::key_file::{KeyAlgorithm, KeyFile};
use symbolon::verifier::{Builder, Verifier};
use tempfile::TempDir;

use crate::support::TestClock;
use crate::support::keys::make_key;

pub const ISSUER: &str = "https://issuer.test";

pub struct Issuer {
    pub base: String,
    pub clock: Arc<TestClock>,
    folder: TempDir,
    said: Arc<Said>,
}

/// What it answers, and how often it was asked.
struct Said {
    keys: Mutex<Vec<Value>>,
    introspection: Mutex<Value>,
    cache_control: Mutex<String>,
    pause: Mutex<Duration>,
    is_down: AtomicBool,
    key_requests: AtomicUsize,
    introspections: AtomicUsize,
    traceparent: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Issuer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let said = Arc::new(Said {
            keys: Mutex::default(),
            introspection: Mutex::new(json!({"active": true, "role": "user"})),
            // Fetched again only when a token asks for it.
            cache_control: Mutex::new("public, max-age=3600".into()),
            pause: Mutex::default(),
            is_down: AtomicBool::default(),
            key_requests: AtomicUsize::default(),
            introspections: AtomicUsize::default(),
            traceparent: Mutex::default(),
            stop: AtomicBool::default(),
        });
        let answering = Arc::clone(&said);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if answering.stop.load(Ordering::SeqCst) {
                    return;
                }
                let answering = Arc::clone(&answering);
                std::thread::spawn(move || answering.answer(&stream));
            }
        });
        Self { base, clock: Arc::default(), folder: TempDir::new().unwrap(), said }
    }

    /// A verifier of its tokens.
    pub fn verifier(&self) -> Builder {
        Verifier::builder(&self.base).clock(self.clock.clone())
    }

    /// Makes a key, which it does not publish yet.
    pub fn make_key(&self, algorithm: KeyAlgorithm) -> KeyFile {
        make_key(self.folder.path(), algorithm, self.clock.now())
    }

    /// Publishes these keys and no others.
    pub fn publish(&self, keys: &[&KeyFile]) {
        let keys = keys.iter().map(|key| serde_json::to_value(&key.public).unwrap());
        *self.said.keys.lock().unwrap() = keys.collect();
    }

    /// Publishes a document of keys as it is.
    pub fn publish_raw(&self, keys: Vec<Value>) {
        *self.said.keys.lock().unwrap() = keys;
    }

    pub fn say_of_tokens(&self, introspection: Value) {
        *self.said.introspection.lock().unwrap() = introspection;
    }

    pub fn set_cache_control(&self, value: &str) {
        value.clone_into(&mut self.said.cache_control.lock().unwrap());
    }

    /// Answers only after a while.
    pub fn set_pause(&self, pause: Duration) {
        *self.said.pause.lock().unwrap() = pause;
    }

    /// Answers nothing any more, or again.
    pub fn set_down(&self, is_down: bool) {
        self.said.is_down.store(is_down, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    pub fn key_requests(&self) -> usize {
        self.said.key_requests.load(Ordering::SeqCst)
    }

    /// The `traceparent` of the latest introspection.
    pub fn traceparent(&self) -> Option<String> {
        self.said.traceparent.lock().unwrap().clone()
    }

    /// How often it was asked about a token.
    pub fn introspections(&self) -> usize {
        self.said.introspections.load(Ordering::SeqCst)
    }

    /// A token that is good for `seconds`, signed with `key`.
    pub fn token(&self, key: &KeyFile, seconds: i64) -> String {
        let iat = self.clock.now().unix_seconds();
        let claims = json!({
            "iss": ISSUER, "aud": ISSUER, "sub": "01890000-0000-7000-8000-000000000001",
            "sid": "01890000-0000-7000-8000-000000000002", "role": "user", "iat": iat,
            "exp": iat + seconds, "jti": format!("{}-{seconds}", key.kid()),
        });
        let signer = Signer::published("at+jwt", key.algorithm, key.kid(), key.private.clone());
        signer.sign(&claims).unwrap()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.said.stop.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(self.base.strip_prefix("http://").unwrap());
    }
}

impl Said {
    fn answer(&self, stream: &TcpStream) {
        let mut lines = BufReader::new(stream);
        let mut request = String::new();
        lines.read_line(&mut request).unwrap();
        let (mut length, mut traceparent, mut line) = (0, None, String::new());
        while lines.read_line(&mut line).unwrap_or(0) > 2 {
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if let Some(value) = header.strip_prefix("traceparent:") {
                traceparent = Some(value.trim().to_owned());
            }
            line.clear();
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        if self.stop.load(Ordering::SeqCst) {
            return;
        }
        let document = if request.contains("/jwks.json") {
            self.key_requests.fetch_add(1, Ordering::SeqCst);
            json!({"keys": *self.keys.lock().unwrap()})
        } else if request.contains("/auth/introspect") {
            self.introspections.fetch_add(1, Ordering::SeqCst);
            *self.traceparent.lock().unwrap() = traceparent;
            self.introspection.lock().unwrap().clone()
        } else {
            json!({"issuer": ISSUER})
        };
        std::thread::sleep(*self.pause.lock().unwrap());
        if self.is_down.load(Ordering::SeqCst) {
            return;
        }
        let (text, cache) = (document.to_string(), self.cache_control.lock().unwrap().clone());
        let length = text.len();
        let mut stream = stream;
        let _gone = write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n\
             cache-control: {cache}\r\ncontent-length: {length}\r\n\r\n{text}"
        );
    }
}
