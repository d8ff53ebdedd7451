//! The worker that sends what is in the outbox.
//!
//! A mail is taken by moving `due_at` to the end of a lease, which one instance of several can do; it
//! is removed once it was sent, and due again if that failed, or if whoever took it was killed. So
//! none is lost, and none is sent twice, save where a server takes a mail and dies before it says so,
//! or takes longer to say so than the lease.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use super::store::{self, Waiting};
use super::transport::{self, NotSent, Transport};
use super::{Kind, letter};
use crate::accounts::email::EmailAddress;
use crate::accounts::store as users;
use crate::accounts::user::User;
use crate::audit::{self, Event};
use crate::background::{Background, Stop};
use crate::client::Client;
use crate::clock::Clock;
use crate::db::{AnyConnection, Database, DbError, Id, Moment, QueryResult};
use crate::metrics::Outcomes;
use crate::one_time::{self, OneTimeTokens, Purpose};
use crate::random::{self, Random};
use crate::settings::mail::MailSettings;
use crate::traces;

/// How long whoever has taken a mail has for sending it: longer than a server needs that takes all
/// of the time it has for its last answer. One that was killed delays a mail by as much.
const LEASE: Duration = Duration::from_secs(180);
/// How often to look for mail.
const EVERY: Duration = Duration::from_secs(1);
/// The longest time between two looks, while the mail server is down.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How long to wait after a first failure at most, and how long after many: within five seconds from
/// the first one on, looking for it included.
const RETRY: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(15 * 60)];
/// The same where the server has refused a mail for good: rarely enough not to be taken for somebody
/// who tries out addresses, and yet in case it was the server's own mistake.
const RETRY_REFUSED: [Duration; 2] = [Duration::from_secs(15 * 60), Duration::from_secs(6 * 3600)];
/// After this long a mail is given up.
pub const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
/// How often, about once in [`EVERY`], to try to note that a mail was sent.
const SETTLE_TRIES: u32 = 60;
/// How long a mail that is being sent may take after a signal to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Sends what is in the outbox.
pub struct Outbox {
    /// Where the outbox is.
    pub database: Database,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Makes the tokens that mails carry.
    pub tokens: Arc<OneTimeTokens>,
    /// Whom mail is from and what it says.
    pub settings: MailSettings,
    /// Where it is handed over.
    pub transport: Transport,
    /// The mail that this instance is handing over.
    pub in_hand: Mutex<Option<Waiting>>,
    /// Counts what becomes of mails.
    pub outcomes: Outcomes,
}

/// What became of a mail that was due.
enum Prepared {
    /// It is to be sent, with this token if it carries one.
    Ready(Option<String>),
    /// Another instance has taken it, or it is no longer wanted.
    Passed,
    /// It was tried for long enough.
    GivenUp,
}

impl Outbox {
    /// Sends mail from now on, until it is stopped.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Background> {
        let outbox = Arc::clone(self);
        let mut failures = 0;
        Background::start("mail", Duration::ZERO, move |stop| {
            match outbox.deliver(stop) {
                Ok(true) => failures = 0,
                Ok(false) => failures += 1,
                Err(error) => tracing::warn!(%error, "mail waits for the database"),
            }
            doubled(EVERY, failures, LONGEST_REST)
        })
    }

    /// Stops sending. A mail that is still being handed over after five seconds is left to whoever
    /// comes next.
    pub fn stop(&self, sending: Background) {
        if sending.stop(DRAIN) {
            return;
        }
        let in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner).take();
        let now = self.clock.now();
        let give_back =
            |mail| self.database.write(|connection| store::set_due(connection, &mail, now));
        if let Some(Err(error)) = in_hand.map(give_back) {
            tracing::warn!(%error, "a mail could not be given back; it is due in three minutes");
        }
    }

    /// Sends all that is due, one after the other, until told to stop; `false` once no mail gets
    /// through.
    pub fn deliver(&self, stop: &Stop) -> Result<bool, DbError> {
        while !stop.is_told() {
            let now = self.clock.now();
            let due = self.database.read(|connection| store::next_due(connection, now))?;
            let Some(seen) = due else { break };
            let mut waiting = seen.clone();
            let prepared = self.database.write(|connection| {
                // A transaction that is tried again begins anew.
                waiting.clone_from(&seen);
                self.take(connection, &mut waiting)
            })?;
            let token = match prepared {
                Prepared::Ready(token) => token,
                Prepared::Passed => continue,
                Prepared::GivenUp => {
                    self.outcomes.count("given_up");
                    continue;
                }
            };
            let _span = traces::root("mail", SpanKind::Internal, || {
                [KeyValue::new("symbolon.mail.kind", waiting.mail.kind.name())]
            });
            self.set_in_hand(Some(waiting.clone()));
            let failure = self.send(&waiting, token.as_deref()).err();
            self.outcomes.count(match &failure {
                None => "sent",
                Some(failure) if failure.is_general() => "failed",
                Some(_) => "refused",
            });
            self.set_in_hand(None);
            self.settle(&waiting, failure.as_ref(), stop)?;
            if failure.is_some_and(|failure| failure.is_general()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn set_in_hand(&self, waiting: Option<Waiting>) {
        *self.in_hand.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }

    /// Takes a mail that is due, finds out whom it goes to, and renews its token.
    fn take(&self, connection: &mut AnyConnection, waiting: &mut Waiting) -> QueryResult<Prepared> {
        let now = self.clock.now();
        let purpose = waiting.mail.kind.purpose();
        // The user's row before all others: whoever deletes the account holds it and then this one.
        let owner = match waiting.mail.user.filter(|_| purpose.is_some()) {
            Some(user) => users::hold(connection, user)?,
            None => None,
        };
        let tried = waiting.attempts;
        if !store::lease(connection, waiting, now + LEASE)? {
            return Ok(Prepared::Passed);
        }
        if tried > 0 && now >= waiting.created_at + GIVE_UP {
            self.give_up(connection, waiting)?;
            return Ok(Prepared::GivenUp);
        }
        let Some(purpose) = purpose else { return Ok(Prepared::Ready(None)) };
        let owner = match owner {
            None if waiting.mail.kind == Kind::ResetPassword => {
                self.find_owner(connection, waiting, now)?
            }
            owner => owner.filter(User::is_active),
        };
        if owner.is_some() && one_time::store::renew(connection, waiting.id, purpose, now)? {
            return Ok(Prepared::Ready(Some(self.tokens.text(waiting.id, purpose))));
        }
        store::remove(connection, waiting)?;
        Ok(Prepared::Passed)
    }

    /// The user, if active, of the address that somebody typed who forgot a password, whose token is
    /// issued here: the request itself did the same whether or not anybody has that address.
    fn find_owner(
        &self,
        connection: &mut AnyConnection,
        waiting: &mut Waiting,
        now: Moment,
    ) -> QueryResult<Option<User>> {
        let Some(typed) = EmailAddress::parse(&waiting.mail.email) else { return Ok(None) };
        let Some((found, _)) = users::by_email(connection, &typed)? else { return Ok(None) };
        let held = users::hold(connection, found.id)?.filter(User::is_active);
        let Some(user) = held else { return Ok(None) };
        let (id, purpose) = (waiting.id, Purpose::ResetPassword);
        if one_time::store::has_newer(connection, id, purpose, user.id)? {
            return Ok(None);
        }
        one_time::store::issue(connection, id, purpose, user.id, &user.email, now)?;
        // Security: H5. To the address that is stored, not to the one that was typed.
        store::set_recipient(connection, id, &user)?;
        waiting.mail.user = Some(user.id);
        waiting.mail.email.clone_from(&user.email);
        let asked = audit::Kind::PasswordResetAsked;
        let event = Event::by(user.id, asked, None, &waiting.mail.client);
        self.record(connection, &Event { actor: None, ..event })?;
        Ok(Some(user))
    }

    fn give_up(&self, connection: &mut AnyConnection, waiting: &Waiting) -> QueryResult<()> {
        let (mail, kind) = (waiting.id, waiting.mail.kind.name());
        tracing::error!(%mail, kind, "mail given up");
        store::remove(connection, waiting)?;
        let event = Event {
            kind: audit::Kind::MailGivenUp,
            actor: None,
            user: waiting.mail.user,
            session: None,
            client: Client::default(),
            detail: Some(kind.to_owned()),
        };
        self.record(connection, &event)
    }

    fn record(&self, connection: &mut AnyConnection, event: &Event) -> QueryResult<()> {
        let now = self.clock.now();
        audit::store::record(connection, Id::new(now, &*self.random), event, now)
    }

    fn send(&self, waiting: &Waiting, token: Option<&str>) -> Result<(), NotSent> {
        let letter = letter::write(&self.settings, waiting, token)
            .map_err(|error| NotSent::Unwritable(error.to_string()))?;
        let message = transport::message(&self.settings, waiting, letter, self.clock.now())?;
        self.transport.send(&message, waiting)?;
        let (mail, kind) = (waiting.id, waiting.mail.kind.name());
        if let Some(token) = token.filter(|_| self.settings.log_links) {
            let link = letter::link(&self.settings, waiting.mail.kind, token);
            tracing::info!(%mail, kind, link, "mail written to a file");
        } else {
            tracing::info!(%mail, kind, "mail sent");
        }
        Ok(())
    }

    /// Notes what came of sending. A mail that was sent must not be sent again because the database
    /// is away for a moment, so this is tried for a while; once more only, after a signal to stop.
    fn settle(
        &self,
        waiting: &Waiting,
        failure: Option<&NotSent>,
        stop: &Stop,
    ) -> Result<(), DbError> {
        let due_at = failure.map(|failure| {
            let (mail, kind) = (waiting.id, waiting.mail.kind.name());
            tracing::warn!(%mail, kind, attempts = waiting.attempts, %failure, "mail not sent");
            self.next_try(waiting, failure, self.clock.now())
        });
        let settle = || {
            self.database.write(|connection| match due_at {
                None => store::remove(connection, waiting),
                Some(due_at) => store::set_due(connection, waiting, due_at),
            })
        };
        for _ in 0..SETTLE_TRIES {
            if settle().is_ok() {
                return Ok(());
            }
            if stop.rest(EVERY) {
                break;
            }
        }
        settle().map(drop)
    }

    /// When to try again: at the latest when the mail is to be given up.
    fn next_try(&self, waiting: &Waiting, failure: &NotSent, now: Moment) -> Moment {
        let [first, most] = if failure.is_final() { RETRY_REFUSED } else { RETRY };
        let longest = doubled(first, waiting.attempts - 1, most);
        let due_at = now + spread(longest, random::bytes(&*self.random));
        let give_up_at = waiting.created_at + GIVE_UP;
        if now < give_up_at { due_at.min(give_up_at) } else { due_at }
    }
}

/// `first`, doubled so many times, but `most` at most.
fn doubled(first: Duration, times: i64, most: Duration) -> Duration {
    let times = u32::try_from(times.clamp(0, 16)).unwrap_or(16);
    (first * 2_u32.pow(times)).min(most)
}

/// Anything from half of `longest` to all of it, so that not all come back at once.
fn spread(longest: Duration, [byte]: [u8; 1]) -> Duration {
    longest / 2 + longest * u32::from(byte) / 510
}

/// Puts a mail into the outbox under the id `id`, within the transaction that causes it, and issues
/// the one-time token that it carries, if it does. The user's row must be held by that transaction.
pub fn post(
    connection: &mut AnyConnection,
    id: Id,
    mail: &super::Mail,
    now: Moment,
) -> QueryResult<()> {
    if let (Some(purpose), Some(user)) = (mail.kind.purpose(), mail.user) {
        one_time::store::issue(connection, id, purpose, user, &mail.email, now)?;
    }
    store::post(connection, id, mail, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_ever_later() {
        let seconds = |times| doubled(RETRY[0], times, RETRY[1]).as_secs();
        let waits = [(0, 4), (1, 8), (2, 16), (7, 512), (8, 900), (i64::MAX, 900)];
        for (times, longest) in waits {
            assert_eq!(seconds(times), longest, "{times}");
        }
        let millis = |byte| spread(RETRY[0], [byte]).as_millis();
        assert_eq!((millis(0), millis(255)), (2_000, 4_000));
    }
}
