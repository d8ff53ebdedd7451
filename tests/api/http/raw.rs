//! Bytes as they go over the wire, there and back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, HeaderName};

use crate::support::{Answer, Client};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of one's own.
pub struct Line {
    stream: TcpStream,
    /// What has been heard so far.
    heard: Vec<u8>,
}

/// What came of a connection.
pub struct Heard {
    /// Every answer, in order.
    pub answers: Vec<Answer>,
    /// Whether the server closed it.
    pub closed: bool,
    /// After how long it did, or the wait was given up.
    pub after: Duration,
}

impl Line {
    pub fn to(client: &Client) -> Self {
        Self::of(TcpStream::connect(client.base.strip_prefix("http://").unwrap()).unwrap())
    }

    pub fn of(stream: TcpStream) -> Self {
        Self { stream, heard: Vec::new() }
    }

    /// Sends bytes; `false` where the server takes no more.
    pub fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says that nothing more will be said, as a client does that closes its side.
    pub fn hang_up(&self) {
        let _gone = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits until something of an answer is there; hears nothing of it.
    pub fn wait_for_an_answer(&self) {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _come = self.stream.peek(&mut [0]);
    }

    /// Listens until the server closes, but no longer than `patience`.
    pub fn listen(mut self, patience: Duration) -> Heard {
        let began = Instant::now();
        let mut chunk = [0; 4096];
        let closed = loop {
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() {
                break false;
            }
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut chunk) {
                Ok(0) => break true,
                Ok(count) => self.heard.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break true,
                Err(_) => {}
            }
        };
        Heard { answers: parse(&self.heard), closed, after: began.elapsed() }
    }

    /// Listens for one answer.
    #[track_caller]
    pub fn next(&mut self) -> Answer {
        self.try_next().expect("an answer before the connection ends")
    }

    /// Listens for one answer; `None` where the connection ends before it has come.
    pub fn try_next(&mut self) -> Option<Answer> {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut chunk = [0; 4096];
        loop {
            if let Some(answer) = parse(&self.heard).into_iter().next() {
                self.heard.clear();
                return Some(answer);
            }
            match self.stream.read(&mut chunk) {
                Ok(count @ 1..) => self.heard.extend_from_slice(&chunk[..count]),
                Ok(0) | Err(_) => return None,
            }
        }
    }
}

/// Sends `request` on a connection of its own and listens until that is closed.
pub fn talk(client: &Client, request: &[u8]) -> Heard {
    let mut line = Line::to(client);
    line.say(request);
    line.listen(Duration::from_secs(5))
}

/// The whole answers that `bytes` begin with.
fn parse(bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = std::str::from_utf8(&rest[..end]).expect("a head in ASCII");
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap();
        assert!(status.starts_with("HTTP/1."), "no status line: {status:?}");
        let status = status[9..12].parse().expect("a status");
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a header");
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.to_str().unwrap().parse::<usize>().expect("a length"));
        let body = &rest[end + 4..];
        if body.len() < length {
            break;
        }
        let text = String::from_utf8(body[..length].to_vec()).expect("a body in UTF-8");
        answers.push(Answer { status, headers, text });
        rest = &body[length..];
    }
    answers
}

impl Heard {
    /// The only answer, after which the server closed.
    #[track_caller]
    pub fn last_word(mut self) -> Answer {
        assert!(self.closed, "the connection was still open after {:?}", self.after);
        assert_eq!(self.answers.len(), 1, "answers: {:?}", self.answers);
        self.answers.remove(0)
    }
}
