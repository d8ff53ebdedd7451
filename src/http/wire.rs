//! The last stop before the socket, where two gaps of the framework are closed.
//!
//! * What is no HTTP at all, a head that is too large, and one that does not arrive in time are
//!   answered by the framework before any middleware sees a request: a bare status line, without
//!   our JSON, our headers, an id to ask about, or a line in the log. Such an answer is always the
//!   last on its connection, and its head is known to the letter, so it is recognised here by its
//!   end and replaced by a whole one. All it costs the others is a look at their last four bytes.
//! * The framework times the first head of a connection only. A body that is answered before it
//!   has arrived (404, 408, 413) and the second request's head may stall for ever. Here a
//!   connection on which nothing arrives ends: for its reader that looks like the client's own end,
//!   so that an answer under way is still delivered.
//! * The framework waits for ever for a client that reads none of its answers, and goes on
//!   answering it into memory. Here such a client is not listened to while answers are stuck, and
//!   cut off after a while.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::envelope;
use super::problem;
use super::request_id::RequestId;
use crate::app::App;
use crate::error::Code;

/// How long nothing may arrive on a connection: longer than an idle one is kept.
const SILENCE: Duration = Duration::from_secs(90);
/// How long a connection that is being closed goes on taking what the client sends: closed at
/// once, with bytes unread, it would be reset, and the answer might never be read (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// How long a client may take nothing of what is written to it.
const DEAFNESS: Duration = Duration::from_secs(30);

/// The framework's own answers are shorter than this.
const MAX_BARE: usize = 256;

/// A connection to a client.
pub struct Wire {
    socket: TcpStream,
    app: Arc<App>,
    closing: Closing,
    /// When something arrived last.
    heard: Instant,
    /// Wakes us to look at that.
    watch: Pin<Box<Sleep>>,
    /// What is written to the client.
    outlet: Outlet,
    /// Our answer that is being written in the place of the framework's.
    farewell: Option<Farewell>,
}

/// Writes to a client, and notices one that does not read.
#[derive(Default)]
struct Outlet {
    /// While nothing can be written: when that has gone on for too long.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Outlet {
    /// Writes to `socket`; fails where it has taken nothing for as long as `patience`.
    fn poll_write(
        &mut self,
        socket: impl AsyncWrite + Unpin,
        patience: Duration,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = pin!(socket).poll_write(cx, bytes) {
            self.stuck = None;
            return Poll::Ready(written);
        }
        let end = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        end.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

struct Farewell {
    answer: Vec<u8>,
    written: usize,
}

/// Shared by a connection and its requests: whether it ends with the next answer.
#[derive(Clone, Default)]
pub struct Closing(Rc<Cell<bool>>);

impl Closing {
    /// The connection ends soon after the answer to this request, whatever still arrives.
    pub fn set(&self) {
        self.0.set(true);
    }
}

impl Wire {
    /// Takes charge of a connection that was just accepted.
    pub fn new(socket: TcpStream, app: Arc<App>) -> Self {
        let heard = Instant::now();
        let watch = Box::pin(tokio::time::sleep_until(heard + SILENCE));
        let (closing, outlet) = (Closing::default(), Outlet::default());
        Self { socket, app, closing, heard, watch, outlet, farewell: None }
    }

    /// What its requests share with it.
    pub fn closing(&self) -> Closing {
        self.closing.clone()
    }

    /// Ready once nothing has arrived for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = if self.closing.0.get() { LINGER } else { SILENCE };
        let end = self.heard + patience;
        // Moved only where it has to be: at every arrival would cost more.
        if self.watch.deadline() > end {
            self.watch.as_mut().reset(end);
        }
        while self.watch.as_mut().poll(cx).is_ready() {
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            self.watch.as_mut().reset(end);
        }
        Poll::Pending
    }

    fn poll_out(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outlet.poll_write(&mut self.socket, DEAFNESS, cx, bytes)
    }

    /// Says farewell, then takes and drops what the client sends until it is done, or for a while.
    fn poll_farewell(&mut self, cx: &mut Context<'_>, farewell: &mut Farewell) -> Poll<()> {
        while farewell.written < farewell.answer.len() {
            match ready!(self.poll_out(cx, &farewell.answer[farewell.written..])) {
                Ok(count @ 1..) => farewell.written += count,
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
        if !self.closing.0.replace(true) {
            self.heard = Instant::now();
        }
        let parted = ready!(Pin::new(&mut self.socket).poll_shutdown(cx));
        if parted.is_err() || self.poll_silence(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let mut dropped = [0; 4096];
            let mut dropped = ReadBuf::new(&mut dropped);
            let read = ready!(Pin::new(&mut self.socket).poll_read(cx, &mut dropped));
            if read.is_err() || dropped.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.outlet.stuck.is_some() {
            // Whoever reads no answers has asked enough. The write that is stuck wakes us.
            return Poll::Pending;
        }
        // Ready with nothing read means the end.
        if this.closing.0.get() && this.poll_silence(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut this.socket).poll_read(cx, buffer) {
            Poll::Pending => this.poll_silence(cx).map(Ok),
            ready @ Poll::Ready(_) => {
                if !this.closing.0.get() {
                    this.heard = Instant::now();
                }
                ready
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some((start, status)) = bare_answer(bytes) {
            if start > 0 {
                return this.poll_out(cx, &bytes[..start]);
            }
            let mut farewell = this.farewell.take().unwrap_or_else(|| Farewell {
                answer: whole_answer(&this.app, bytes, status),
                written: 0,
            });
            let parted = this.poll_farewell(cx, &mut farewell);
            this.farewell = Some(farewell);
            return parted.map(|()| Ok(bytes.len()));
        }
        let written = this.poll_out(cx, bytes);
        if this.closing.0.get() && written.is_ready() {
            // So that it is read from once more, which sees to the end.
            cx.waker().wake_by_ref();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// Where an answer of the framework's own begins, and its status, if `bytes` end with one: a
/// failure without a body and without the id that every answer of ours has.
fn bare_answer(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let tail = bytes.len().saturating_sub(MAX_BARE);
    let start = tail + bytes[tail..].windows(7).rposition(|window| window == b"HTTP/1.")?;
    let (status_line, headers) = lines(&bytes[start..])?;
    let status = StatusCode::from_bytes(status_line.get(9..12)?.as_bytes()).ok()?;
    let is_bare = headers.starts_with("content-length: 0\r\n") && !headers.contains("x-request-id");
    let is_failure = status.is_client_error() || status.is_server_error();
    (is_bare && is_failure).then_some((start, status))
}

/// The status line of a head and its headers.
fn lines(head: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(head).ok()?.split_once("\r\n")
}

/// The whole answer, its status line and date taken from the framework's.
fn whole_answer(app: &App, bare: &[u8], status: StatusCode) -> Vec<u8> {
    let id = RequestId::of(&HeaderMap::new(), &*app.random);
    tracing::info!(%id, status = status.as_u16(), "answered what is no request");
    let mut answer = problem::answer(&Code::of_status(status).into(), &id);
    // Which path was meant is not known: the strictest headers.
    envelope::complete(answer.headers_mut(), &id, true, app.settings.environment.is_production());
    let (status_line, headers) = lines(bare).unwrap_or_default();
    let mut head = format!("{status_line}\r\nconnection: close\r\n").into_bytes();
    for date in headers.lines().filter(|line| line.starts_with("date: ")) {
        head.extend_from_slice(format!("{date}\r\n").as_bytes());
    }
    for (name, value) in answer.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let body = answer.into_body().try_into_bytes().unwrap_or_default();
    head.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    head.extend_from_slice(&body);
    head
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    /// Writes a byte after another for as long as that works; says how many, and why no more.
    async fn fill(outlet: &mut Outlet, socket: &mut (impl AsyncWrite + Unpin)) -> (u32, io::Error) {
        let mut count = 0;
        loop {
            let write = poll_fn(|cx| outlet.poll_write(&mut *socket, PATIENCE, cx, b"x"));
            match write.await {
                Ok(_) => count += 1,
                Err(error) => return (count, error),
            }
        }
    }

    #[test]
    fn who_reads_nothing_is_cut_off_and_who_reads_slowly_is_not() {
        actix_web::rt::System::new().block_on(async {
            let mut outlet = Outlet::default();
            let (mut ours, mut theirs) = tokio::io::duplex(10);
            let began = Instant::now();
            let reader = actix_web::rt::spawn(async move {
                for _ in 0..6 {
                    tokio::time::sleep(PATIENCE / 3).await;
                    theirs.read_u8().await.unwrap();
                }
                theirs
            });
            let (count, error) = fill(&mut outlet, &mut ours).await;
            assert_eq!((count, error.kind()), (16, io::ErrorKind::TimedOut));
            assert!(began.elapsed() > PATIENCE * 5 / 2, "{:?}", began.elapsed());
            drop(reader.await);
        });
    }
}
