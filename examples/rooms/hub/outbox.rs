//! The way to one socket, for everybody who has something to say to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_ws::{CloseCode, CloseReason, Message};
use bytestring::ByteString;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

/// Messages that wait for one socket at most.
const ROOM: usize = 256;

/// Messages that wait without anybody being late.
const FEW: usize = 8;

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
    queue: mpsc::Sender<Waiting>,
    presence: Presence,
    ending: Arc<watch::Sender<Option<Ending>>>,
}

/// What waits to be written.
enum Waiting {
    Message(Message),
    /// The newest list of who is here: of several that wait, none but the last tells anything, so that
    /// many who come and go do not fill the queue.
    Presence,
}

/// The list that is still to be written, if one is.
type Presence = Arc<Mutex<Option<ByteString>>>;

/// What comes out of an outbox.
pub struct Queue {
    waiting: mpsc::Receiver<Waiting>,
    presence: Presence,
}

impl Queue {
    /// The next message to be written; `None` once there will be no more.
    pub async fn next(&mut self) -> Option<Message> {
        let waiting = self.waiting.recv().await?;
        Some(self.message(waiting))
    }

    /// The next message, if one waits.
    #[cfg(test)]
    pub fn try_next(&mut self) -> Option<Message> {
        let waiting = self.waiting.try_recv().ok()?;
        Some(self.message(waiting))
    }

    fn message(&self, waiting: Waiting) -> Message {
        match waiting {
            Waiting::Message(message) => message,
            Waiting::Presence => Message::Text(lock(&self.presence).take().unwrap_or_default()),
        }
    }
}

fn lock(presence: &Presence) -> MutexGuard<'_, Option<ByteString>> {
    presence.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outbox {
    /// An outbox, and what comes out of it.
    pub fn new() -> (Self, Queue) {
        let (queue, waiting) = mpsc::channel(ROOM);
        let presence = Presence::default();
        let queue_of = Queue { waiting, presence: Arc::clone(&presence) };
        (Self { queue, presence, ending: Arc::new(watch::Sender::new(None)) }, queue_of)
    }

    /// Sends a text.
    pub fn send(&self, text: ByteString) {
        self.put(Message::Text(text));
    }

    /// Sends any other message.
    pub fn put(&self, message: Message) {
        self.queue(Waiting::Message(message));
    }

    /// Sends who is here now; where more than a few messages wait, in the place of an older list among them.
    pub fn send_presence(&self, list: ByteString) {
        let mut newest = lock(&self.presence);
        if newest.is_some() {
            *newest = Some(list);
        } else if self.queue.capacity() > ROOM - FEW {
            self.send(list);
        } else {
            *newest = Some(list);
            self.queue(Waiting::Presence);
        }
    }

    fn queue(&self, waiting: Waiting) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(waiting) {
            self.end(Ending::Slow);
        }
    }

    /// Sends the last message, when there is room for it.
    pub async fn close(&self, reason: CloseReason) {
        let _gone_already = self.queue.send(Waiting::Message(Message::Close(Some(reason)))).await;
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
        let (outbox, mut queue) = Outbox::new();
        for _ in 0..ROOM {
            outbox.send("text".into());
        }
        assert_eq!(*outbox.ending.borrow(), None);
        outbox.send("one too many".into());
        outbox.end(Ending::Kicked);
        assert_eq!(*outbox.ending.borrow(), Some(Ending::Slow));
        assert_eq!(queue.try_next(), Some(Message::Text("text".into())));
    }

    #[test]
    fn of_too_many_lists_the_last_is_sent() {
        let (outbox, mut queue) = Outbox::new();
        let text = |number: usize| Message::Text(number.to_string().into());
        for number in 0..1000 {
            outbox.send_presence(number.to_string().into());
        }
        assert_eq!(*outbox.ending.borrow(), None);
        outbox.send("text".into());
        for number in 0..FEW {
            assert_eq!(queue.try_next(), Some(text(number)));
        }
        assert_eq!(queue.try_next(), Some(text(999)));
        outbox.send_presence("1000".into());
        assert_eq!(queue.try_next(), Some(Message::Text("text".into())));
        assert_eq!(queue.try_next(), Some(text(1000)));
        assert_eq!(queue.try_next(), None);
    }
}
