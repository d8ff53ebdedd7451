//! The life of one socket, from its first message to its end.

pub mod size;
mod standing;
pub mod wire;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::rt;
use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Message, MessageStream, ProtocolError};
use symbolon::clock::Clock;
use symbolon::role::Role;
use symbolon::secret::Secret;
use symbolon::verifier::Caller;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use crate::frames::{FromClient, ToClient};
use crate::hub::outbox::{Ending, Outbox, Queue};
use crate::hub::rate::Admission;
use crate::hub::room::Membership;
use crate::hub::seats::Seat;
use crate::service::State;
use standing::{Outcome, Standing};
use wire::Wire;

/// How often it is asked whether the session is still live. With [`crate::service::BELIEVED_FOR`],
/// this is how late that is noticed.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// Pings that may go unanswered.
const MOST_UNANSWERED: u32 = 2;
/// How long a client may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The same when everybody has to at once.
const GOODBYE_TO_ALL: Duration = Duration::from_secs(4);
/// The longest text, in characters.
const LONGEST_TEXT: usize = 4000;

/// A socket that has been let in.
pub struct Socket {
    state: Data<State>,
    standing: Standing,
    membership: Membership,
    outbox: Outbox,
    /// Pings without an answer since the last one that had one.
    unanswered: u32,
    seat: Arc<Seat>,
}

/// What a socket is connected by.
pub struct Connection {
    /// What comes in.
    pub messages: MessageStream,
    /// Where to write to.
    pub session: actix_ws::Session,
    /// What is to be written.
    pub queue: Queue,
    /// What is below.
    pub wire: Wire,
}

impl Socket {
    /// The socket of `caller`, whose `token` has just been found good.
    pub fn new(
        state: Data<State>,
        (token, caller): (Secret, Caller),
        membership: Membership,
        outbox: Outbox,
        seat: Seat,
    ) -> Self {
        let standing = Standing::new(state.verifier.clone(), token, caller, &state.clock);
        Self { state, standing, membership, outbox, unanswered: 0, seat: Arc::new(seat) }
    }

    /// Lives until it ends, then says goodbye.
    pub async fn run(self, connection: Connection) {
        let Connection { messages, session, queue, wire } = connection;
        let writer = rt::spawn(write(session, queue));
        let mut messages = messages
            .max_frame_size(size::MAX_BYTES)
            .aggregate_continuations()
            .max_continuation_size(size::MAX_BYTES);
        // Until the connection is gone, not just the member.
        let (outbox, _seat) = (self.outbox.clone(), Arc::clone(&self.seat));
        let ending = self.live(&mut messages).await;
        if let Some(reason) = ending.reason() {
            let goodbye = async {
                outbox.close(reason).await;
                let _written = writer.await;
                while let Some(Ok(_)) = messages.recv().await {}
            };
            let patience =
                if matches!(ending, Ending::Shutdown) { GOODBYE_TO_ALL } else { GOODBYE };
            let _in_time = timeout(patience, goodbye).await;
            // A client that did not ask for it may still be reading, and has an answer to give.
            if !matches!(ending, Ending::Left | Ending::Shutdown) {
                sleep(GOODBYE).await;
            }
        }
        wire.cut();
    }

    /// Lives until it ends, leaves the room, and tells why it has ended.
    async fn live(mut self, messages: &mut AggregatedMessageStream) -> Ending {
        let (room, user) = (self.membership.room_id(), self.standing.caller.user);
        tracing::info!(%room, %user, "joined");
        let ending = self.turns(messages).await;
        tracing::info!(%room, %user, ?ending, "left");
        ending
    }

    /// Does one thing after the other, and never waits for anything but the next. The order counts:
    /// whatever ends a socket comes before what it still has to say.
    async fn turns(&mut self, messages: &mut AggregatedMessageStream) -> Ending {
        let (outbox, state) = (self.outbox.clone(), self.state.clone());
        let [mut checking, mut pinging] = [CHECK_EVERY, state.ping_interval].map(|period| {
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        });
        loop {
            let (ends_at, notice_at) = (self.standing.ends_at, self.standing.notice_at);
            tokio::select! {
                biased;
                () = state.stopped() => return Ending::Shutdown,
                ending = outbox.ended() => return ending,
                () = sleep_until(ends_at) => return Ending::Unauthorized,
                Some(verdict) = self.standing.verdict() => self.heed(verdict),
                () = sleep_until(notice_at.unwrap_or(ends_at)), if notice_at.is_some() => {
                    self.announce_end();
                }
                _ = checking.tick() => self.standing.check(),
                _ = pinging.tick() => self.ping(),
                message = messages.recv() => match message {
                    Some(Ok(message)) => self.receive(message),
                    Some(Err(error)) => return ending_of(&error),
                    None => return Ending::Left,
                },
            }
        }
    }

    fn heed(&mut self, verdict: standing::Verdict) {
        match self.standing.judge(verdict, &self.state.clock) {
            Outcome::Good => self.membership.rename(&self.standing.caller),
            Outcome::NotRenewed(why) => self.refuse(why),
            Outcome::Unauthorized => self.outbox.end(Ending::Unauthorized),
        }
    }

    fn announce_end(&mut self) {
        self.standing.notice_at = None;
        let left = self.standing.ends_at - Instant::now();
        let in_seconds = (left + Duration::from_millis(500)).as_secs();
        self.outbox.send(ToClient::Expiring { in_seconds }.text());
    }

    fn ping(&mut self) {
        if self.unanswered == MOST_UNANSWERED {
            self.outbox.end(Ending::Silent);
        } else {
            self.unanswered += 1;
            self.outbox.put(Message::Ping("".into()));
        }
    }

    fn receive(&mut self, message: AggregatedMessage) {
        match message {
            AggregatedMessage::Text(text) => {
                if self.is_admitted() {
                    self.do_as_told(&text);
                }
            }
            AggregatedMessage::Ping(bytes) => {
                if self.is_admitted() {
                    self.outbox.put(Message::Pong(bytes));
                }
            }
            AggregatedMessage::Pong(_) => self.unanswered = 0,
            AggregatedMessage::Binary(_) => self.outbox.end(Ending::NoText),
            AggregatedMessage::Close(_) => self.outbox.end(Ending::Left),
        }
    }

    fn is_admitted(&mut self) -> bool {
        let admission = self.seat.count(Instant::now());
        match admission {
            Admission::Admitted => {}
            Admission::Refused => self.refuse("Too many messages"),
            Admission::Hopeless => self.outbox.end(Ending::Flood),
        }
        admission == Admission::Admitted
    }

    fn do_as_told(&mut self, text: &str) {
        let done = match FromClient::parse(text) {
            Ok(FromClient::Chat { text }) => self.chat(&text),
            Ok(FromClient::Kick { target_user_id }) => self.kick(target_user_id),
            Ok(FromClient::Auth { token }) => self.standing.renew(Secret::new(token)),
            Err(why) => Err(why),
        };
        if let Err(why) = done {
            self.refuse(why);
        }
    }

    fn chat(&self, text: &str) -> Result<(), &'static str> {
        if text.trim().is_empty() {
            return Err("There is nothing in this message");
        }
        if text.chars().count() > LONGEST_TEXT {
            return Err("This message is too long");
        }
        self.membership.say(&self.standing.caller, text, self.state.clock.now());
        Ok(())
    }

    /// For moderators: who is one is looked up for each message, because it may change.
    fn kick(&self, target: symbolon::id::Id) -> Result<(), &'static str> {
        if self.standing.caller.role < Role::Moderator {
            return Err("Insufficient permissions");
        }
        let kicked = self.membership.kick(target, self.standing.caller.user);
        if kicked { Ok(()) } else { Err("This user is not in the room") }
    }

    /// Tells the client alone that something was not done.
    fn refuse(&self, message: &'static str) {
        self.outbox.send(ToClient::Error { message }.text());
    }
}

/// Writes what is in the queue, up to the close frame.
async fn write(mut session: actix_ws::Session, mut queue: Queue) {
    while let Some(message) = queue.next().await {
        let written = match message {
            Message::Text(text) => session.text(text).await,
            Message::Ping(bytes) => session.ping(&bytes).await,
            Message::Pong(bytes) => session.pong(&bytes).await,
            Message::Close(reason) => {
                let _gone_already = session.close(reason).await;
                return;
            }
            Message::Binary(_) | Message::Continuation(_) | Message::Nop => Ok(()),
        };
        if written.is_err() {
            return;
        }
    }
}

fn has_broken_off(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<PayloadError>)
}

/// How a socket ends whose client does not keep to RFC 6455.
fn ending_of(error: &ProtocolError) -> Ending {
    match error {
        ProtocolError::Overflow => Ending::TooBig,
        ProtocolError::Io(error) => match error.kind() {
            _ if has_broken_off(error) => Ending::Left,
            io::ErrorKind::InvalidData => Ending::NoUtf8,
            // A message of several frames that is too big together.
            _ => Ending::TooBig,
        },
        _ => Ending::Broken,
    }
}
