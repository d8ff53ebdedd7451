//! A proxy that loses refreshes and the answers to them when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ureq::http::{HeaderName, HeaderValue};

use super::{Answer, Client};
use crate::http::raw::Line;

/// What it loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Nothing,
    /// Requests: the server never sees them.
    Requests,
    /// Answers, after the server has given them.
    Answers,
    /// Answers too, but for their first half.
    HalfOfAnswers,
    /// It answers by itself, with 503 and this `Retry-After`.
    Unavailable(u32),
}

/// A refresh that has come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    pub body: String,
    /// What the client had in its file when the request came.
    pub kept: String,
}

/// A running proxy. It ends with the test's process.
pub struct Lossy {
    pub base: String,
    shared: Arc<Shared>,
}

struct Shared {
    server: Client,
    kept: PathBuf,
    loss: Mutex<Loss>,
    seen: Mutex<Vec<Seen>>,
    /// Statuses of all that was answered, by path.
    answered: Mutex<Vec<(String, u16)>>,
}

impl Lossy {
    /// In front of `server`, for a client that keeps its session in the file `kept`.
    pub fn start(server: &Client, kept: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server: server.clone(),
            kept: kept.to_owned(),
            loss: Mutex::new(Loss::Nothing),
            seen: Mutex::default(),
            answered: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { base, shared }
    }

    /// From now on.
    pub fn lose(&self, loss: Loss) {
        *self.shared.loss.lock().unwrap() = loss;
    }

    /// The refreshes since this was asked last.
    pub fn refreshes(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    /// What was answered since this was asked last: paths and statuses.
    pub fn answered(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut self.shared.answered.lock().unwrap())
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) {
        while let Some((head, body)) = read_request(&mut client) {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let is_refresh = path == "/auth/refresh-token";
            let loss = if is_refresh { *self.loss.lock().unwrap() } else { Loss::Nothing };
            if is_refresh {
                let (key, kept) = (header(&head, "idempotency-key"), read(&self.kept));
                let body = body.clone();
                self.seen.lock().unwrap().push(Seen { key, body, kept });
            }
            if loss == Loss::Requests {
                break;
            }
            if let Loss::Unavailable(seconds) = loss {
                let head = format!("HTTP/1.1 503 Unavailable\r\nRetry-After: {seconds}");
                let _gone =
                    client.write_all(format!("{head}\r\nContent-Length: 0\r\n\r\n").as_bytes());
                continue;
            }
            let mut line = Line::to(&self.server);
            line.say(format!("{head}{body}").as_bytes());
            let Some(answer) = line.try_next() else { break };
            let bytes = bytes_of(&answer);
            match loss {
                Loss::Nothing => {
                    self.answered.lock().unwrap().push((path, answer.status));
                    let _gone = client.write_all(&bytes);
                }
                Loss::HalfOfAnswers => {
                    let _gone = client.write_all(&bytes[..bytes.len() / 2]);
                    break;
                }
                _ => break,
            }
        }
        let _gone = client.shutdown(Shutdown::Both);
    }
}

/// A request's head with the empty line after it, and its body.
fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |value| value.parse().unwrap());
            if body.len() >= length {
                return Some((format!("{head}\r\n\r\n"), body.to_owned()));
            }
        }
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
            Ok(0) | Err(_) => return None,
        }
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let field = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.trim().to_owned())
}

fn bytes_of(answer: &Answer) -> Vec<u8> {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().unwrap())
    };
    let fields: String = answer.headers.iter().map(field).collect();
    format!("HTTP/1.1 {} Answer\r\n{fields}\r\n{}", answer.status, answer.text).into_bytes()
}

/// The text of a file; empty where there is none.
fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}
