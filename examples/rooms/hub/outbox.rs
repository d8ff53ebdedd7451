//! The way to one socket, for everybody who has something to say to it.

use std::sync::Arc;

use actix_ws::{CloseCode, CloseReason, Message};
use bytestring::ByteString;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

/// Messages that wait for one socket at most.
const ROOM: usize = 256;

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The client has gone.
    Left,
    /// A moderator has thrown the user out.
    Kicked,
    /// The token is no longer good.
    Unauthorized,
    /// A frame or a message was too big.
    TooBig,
    /// There were too many messages.
    Flood,
    /// Pings were not answered.
    Silent,
    /// What came is not text.
    NoText,
    /// What came is not UTF-8.
    NoUtf8,
    /// What came is no WebSocket frame.
    Broken,
    /// What was sent was not read.
    Slow,
    /// The service stops.
    Shutdown,
}

impl Ending {
    /// What the client is told; nothing where it would not read it.
    pub fn reason(self) -> Option<CloseReason> {
        let (code, words) = match self {
            Self::Left => (CloseCode::Normal, ""),
            Self::Kicked => (CloseCode::Policy, "Kicked by moderator"),
            Self::Unauthorized => (CloseCode::Other(4401), "Unauthorized"),
            Self::TooBig => (CloseCode::Size, "Message too big"),
            Self::Flood => (CloseCode::Policy, "Too many messages"),
            Self::Silent => (CloseCode::Policy, "Pings were not answered"),
            Self::NoText => (CloseCode::Unsupported, "Only text is understood"),
            Self::NoUtf8 => (CloseCode::Invalid, "Text must be UTF-8"),
            Self::Broken => (CloseCode::Protocol, "Protocol error"),
            Self::Shutdown => (CloseCode::Away, "The service stops"),
            Self::Slow => return None,
        };
        Some(CloseReason { code, description: Some(words.to_owned()) })
    }
}

/// Takes what is to be sent, and never waits: a reader that has stalled must not hold up its room, nor
/// make the queue grow, so it is let go.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Message>,
    ending: Arc<watch::Sender<Option<Ending>>>,
}

impl Outbox {
    /// An outbox, and what comes out of it.
    pub fn new() -> (Self, mpsc::Receiver<Message>) {
        let (queue, messages) = mpsc::channel(ROOM);
        (Self { queue, ending: Arc::new(watch::Sender::new(None)) }, messages)
    }

    /// Sends a text.
    pub fn send(&self, text: ByteString) {
        self.put(Message::Text(text));
    }

    /// Sends any other message.
    pub fn put(&self, message: Message) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(message) {
            self.end(Ending::Slow);
        }
    }

    /// Sends the last message, when there is room for it.
    pub async fn close(&self, reason: CloseReason) {
        let _gone_already = self.queue.send(Message::Close(Some(reason))).await;
    }

    /// Has the socket closed. The first reason counts.
    pub fn end(&self, ending: Ending) {
        self.ending.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(ending);
            is_first
        });
    }

    /// Waits until the socket is to be closed; why.
    pub async fn ended(&self) -> Ending {
        let mut ending = self.ending.subscribe();
        let known = ending.wait_for(Option::is_some).await;
        known.ok().and_then(|known| *known).unwrap_or(Ending::Left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_read_is_let_go() {
        let (outbox, mut messages) = Outbox::new();
        for _ in 0..ROOM {
            outbox.send("text".into());
        }
        assert_eq!(*outbox.ending.borrow(), None);
        outbox.send("one too many".into());
        outbox.end(Ending::Kicked);
        assert_eq!(*outbox.ending.borrow(), Some(Ending::Slow));
        assert_eq!(messages.try_recv(), Ok(Message::Text("text".into())));
    }
}
