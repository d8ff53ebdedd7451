//! A kept connection that sends bytes and reads one answer, as cheaply as it can be done.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One HTTP/1.1 connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, borrowed from its connection.
pub struct Answer<'a> {
    pub status: u16,
    head: &'a str,
    pub body: &'a [u8],
}

impl Connection {
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(8192) }
    }

    /// Sends `request` and waits for its answer.
    pub async fn send(&mut self, request: &[u8]) -> Answer<'_> {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let (head, length) = loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
                let length = header(head, "content-length").map_or(0, |text| text.parse().unwrap());
                break (end, length);
            }
        };
        let body = head + 4;
        while self.buffer.len() < body + length {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
        }
        let (head, rest) = self.buffer.split_at(head);
        let head = std::str::from_utf8(head).unwrap();
        Answer { status: head[9..12].parse().unwrap(), head, body: &rest[4..4 + length] }
    }
}

impl Answer<'_> {
    /// The refresh token that it sets.
    pub fn cookie(&self) -> Option<&str> {
        let value = header(self.head, "set-cookie")?.strip_prefix("refreshToken=")?;
        value.split(';').next()
    }

    /// The access token in its body.
    pub fn access_token(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(self.body).unwrap();
        body["accessToken"].as_str().unwrap().to_owned()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
