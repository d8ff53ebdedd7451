//! A WebSocket client that says what it is told, and waits for no longer than ten seconds.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::{HeaderName, HeaderValue, Response};
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::support::SignedIn;

const PATIENCE: Duration = Duration::from_secs(10);

/// A handshake that is being put together.
#[derive(Clone)]
pub struct Handshake {
    address: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// Why a handshake failed.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    response: Box<Response<Option<Vec<u8>>>>,
}

impl Refused {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }
}

impl Handshake {
    pub fn new(address: &str, path: &str) -> Self {
        Self { address: address.into(), path: path.into(), headers: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn query(mut self, query: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{separator}{query}", self.path);
        self
    }

    pub fn subprotocols(self, protocols: &str) -> Self {
        self.header("sec-websocket-protocol", protocols)
    }

    /// Connects; panics where that is refused.
    #[track_caller]
    pub fn connect(self) -> Socket {
        self.attempt().unwrap()
    }

    /// The refusal; panics where there is none.
    #[track_caller]
    pub fn refused(self) -> Refused {
        self.attempt().expect_err("a refusal")
    }

    pub fn attempt(self) -> Result<Socket, Refused> {
        let url = format!("ws://{}{}", self.address, self.path);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, response)) => {
                let header = response.headers().get("sec-websocket-protocol");
                let protocol = header.map(|value| value.to_str().unwrap().to_owned());
                Ok(Socket { socket, protocol })
            }
            Err(HandshakeError::Failure(Error::Http(response))) => {
                let body: Value =
                    serde_json::from_slice(response.body().as_deref().unwrap_or_default())
                        .unwrap_or_default();
                let code = body["code"].as_str().unwrap_or_default().to_owned();
                Err(Refused { status: response.status().as_u16(), code, response })
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A socket that is open.
pub struct Socket {
    socket: WebSocket<TcpStream>,
    /// The subprotocol that was answered with.
    pub protocol: Option<String>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

/// What a socket hears.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Frame {
        event: String,
        data: Value,
    },
    Closed(u16, String),
    /// The connection is gone without a word.
    Gone,
}

impl Socket {
    pub fn send(&mut self, event: &str, data: &Value) {
        self.send_text(json!({"event": event, "data": data}).to_string());
    }

    pub fn chat(&mut self, text: &str) {
        self.send("chat", &json!({"text": text}));
    }

    pub fn kick(&mut self, target: &SignedIn) {
        self.send("mod.kick", &json!({"targetUserId": target.user}));
    }

    pub fn auth(&mut self, token: &str) {
        self.send("auth", &json!({"token": token}));
    }

    pub fn send_text(&mut self, text: impl Into<String>) {
        self.write(Message::text(text.into()));
    }

    /// Sends; what the other side has closed meanwhile takes nothing.
    pub fn write(&mut self, message: Message) {
        let _closed_meanwhile = self.socket.send(message);
    }

    /// Sends bytes below the protocol.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).unwrap();
    }

    /// The next thing it hears.
    #[track_caller]
    pub fn hear(&mut self) -> Heard {
        let began = Instant::now();
        loop {
            // Pings go on and on.
            assert!(began.elapsed() < PATIENCE, "nothing was heard for {PATIENCE:?}");
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    let fields: Vec<&String> = frame.as_object().unwrap().keys().collect();
                    assert_eq!(fields, ["data", "event"]);
                    let event = frame["event"].as_str().unwrap().to_owned();
                    return Heard::Frame { event, data: frame["data"].clone() };
                }
                Ok(Message::Close(Some(frame))) => {
                    let heard = Heard::Closed(frame.code.into(), frame.reason.to_string());
                    let _answered = self.socket.flush();
                    return heard;
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing was heard for {PATIENCE:?}")
                }
                Err(_) => return Heard::Gone,
            }
        }
    }

    /// The data of the next `event`; whatever comes before is passed over.
    #[track_caller]
    pub fn until(&mut self, event: &str) -> Value {
        loop {
            match self.hear() {
                Heard::Frame { event: heard, data } if heard == event => return data,
                Heard::Frame { .. } => {}
                end => panic!("{end:?} instead of {event}"),
            }
        }
    }

    /// The next thing, which has to be `event`; its data.
    #[track_caller]
    pub fn next(&mut self, event: &str) -> Value {
        match self.hear() {
            Heard::Frame { event: heard, data } if heard == event => data,
            other => panic!("{other:?} instead of {event}"),
        }
    }

    /// The words of the next `error`.
    #[track_caller]
    pub fn error(&mut self) -> String {
        self.until("error")["message"].as_str().unwrap().to_owned()
    }

    /// How it is closed; whatever comes before is passed over.
    #[track_caller]
    pub fn closed(&mut self) -> (u16, String) {
        loop {
            match self.hear() {
                Heard::Closed(code, reason) => return (code, reason),
                Heard::Gone => panic!("it broke off"),
                Heard::Frame { .. } => {}
            }
        }
    }

    /// Waits until so many users are in the room.
    #[track_caller]
    pub fn until_present(&mut self, users: usize) -> Value {
        let began = Instant::now();
        loop {
            let data = self.until("presence");
            if data["users"].as_array().unwrap().len() == users {
                return data;
            }
            assert!(began.elapsed() < PATIENCE, "{data}");
        }
    }

    /// Whether the server at its other end still has this connection open.
    pub fn is_open_over_there(&self) -> bool {
        let stream = self.socket.get_ref();
        let [near, far] = [stream.local_addr(), stream.peer_addr()].map(|it| it.unwrap().port());
        let ends = format!("0100007F:{far:04X} 0100007F:{near:04X} 01 ");
        std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&ends)
    }

    /// Whether the connection is still there, and nothing has been said over it meanwhile.
    #[track_caller]
    pub fn expect_silence(&mut self, marker: &str) {
        self.chat(marker);
        let data = self.next("chat");
        assert_eq!(data["text"], marker);
    }

    /// Leaves as one should.
    pub fn leave(mut self) {
        self.socket.close(None).unwrap();
        while self.socket.read().is_ok() {}
    }
}
