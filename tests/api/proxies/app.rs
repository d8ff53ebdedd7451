//! An app that trusts its proxy: it answers with what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Its thread waits for requests as long as the tests run.
pub struct App {
    pub port: u16,
    requests: Arc<AtomicUsize>,
}

impl App {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                // Who gives up half-way is no concern of ours.
                let _answered = answer(connection.unwrap(), &count);
            }
        });
        Self { port, requests }
    }

    /// How many requests have reached it.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Answers with the head of the request, its names in lowercase, and its body.
fn answer(connection: TcpStream, requests: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut lines = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else {
            lines.push(line.to_owned());
            continue;
        };
        let name = name.to_lowercase();
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        lines.push(format!("{name}: {value}"));
    }
    requests.fetch_add(1, Ordering::SeqCst);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let head = lines.join("\n");
    let said = format!("{head}\n\n{}", String::from_utf8_lossy(&body));
    let shown = if said.starts_with("HEAD ") { "" } else { &said };
    let length = said.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{shown}"
    );
    reader.into_inner().write_all(answer.as_bytes()).ok()
}
