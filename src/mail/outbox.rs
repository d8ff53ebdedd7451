//! The worker that sends what is in the outbox.
//!
//! A mail is taken by moving `due_at` to the end of a lease, which one instance of several can do; it
//! is removed once it was sent, and due again if that failed, or if whoever took it was killed. So
//! none is lost, and none is sent twice, save where a server takes a mail and dies before it says so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::letter;
use super::store::{self, Waiting};
use super::transport::{self, NotSent, Transport};
use crate::accounts::email::EmailAddress;
use crate::accounts::store as users;
use crate::accounts::user::User;
use crate::audit::{self, Event};
use crate::background::{Background, Stop};
use crate::client::Client;
use crate::clock::Clock;
use crate::db::{AnyConnection, Database, DbError, Id, Moment, QueryResult};
use crate::one_time::{self, OneTimeTokens};
use crate::random::{self, Random};
use crate::settings::mail::MailSettings;

/// How long whoever has taken a mail has for sending it: longer than an SMTP dialogue whose every
/// step takes all of its time.
const LEASE: Duration = Duration::from_secs(120);
/// How often to look for mail.
const EVERY: Duration = Duration::from_secs(1);
/// The longest wait after the first failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The longest wait between two attempts.
const LAST_RETRY: Duration = Duration::from_secs(15 * 60);
/// After this long a mail is given up.
const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
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
    /// The mail that this instance has taken and not yet settled.
    pub taken: Mutex<Option<Id>>,
}

/// What became of a mail that was due.
#[derive(Debug)]
enum Prepared {
    /// It is to be sent, with this token if it carries one.
    Ready(Option<String>),
    /// Another instance has taken it, or it is no longer wanted.
    Passed,
}

impl Outbox {
    /// Sends mail from now on, until it is stopped.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Background> {
        let outbox = Arc::clone(self);
        Background::start("mail", Duration::ZERO, move |stop| {
            if let Err(error) = outbox.deliver(stop) {
                tracing::warn!(%error, "mail waits for the database");
            }
            EVERY
        })
    }

    /// Stops sending. A mail that is still being handed over after five seconds is left to whoever
    /// comes next.
    pub fn stop(&self, sending: Background) {
        if sending.stop(DRAIN) {
            return;
        }
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let give_back = |id| self.database.write(|connection| store::put_off(connection, id, now));
        if let Some(Err(error)) = taken.map(give_back) {
            tracing::warn!(%error, "a mail could not be given back; it is due in two minutes");
        }
    }

    /// Sends all that is due, one after the other, until told to stop or no letter gets through.
    pub fn deliver(&self, stop: &Stop) -> Result<(), DbError> {
        while !stop.is_told() {
            let now = self.clock.now();
            let due = self.database.read(|connection| store::next_due(connection, now))?;
            let Some(mut waiting) = due else { return Ok(()) };
            let prepared = self.database.write(|connection| self.take(connection, &mut waiting))?;
            let Prepared::Ready(token) = prepared else { continue };
            self.set_taken(Some(waiting.id));
            let sent = self.send(&waiting, token.as_deref());
            let goes_on = sent.as_ref().err().is_none_or(|failure| !failure.is_general());
            self.settle(&waiting, sent, stop)?;
            self.set_taken(None);
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    fn set_taken(&self, id: Option<Id>) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// Takes a mail that is due, finds out whom it goes to, and renews its token.
    fn take(&self, connection: &mut AnyConnection, waiting: &mut Waiting) -> QueryResult<Prepared> {
        let now = self.clock.now();
        if !store::lease(connection, waiting, now + LEASE)? {
            return Ok(Prepared::Passed);
        }
        let token = match waiting.mail.kind.purpose() {
            None => None,
            Some(purpose) => {
                let is_wanted = self.find_recipient(connection, waiting, now)?.is_some()
                    && one_time::store::renew(connection, waiting.id, purpose, now)?;
                if !is_wanted {
                    store::remove(connection, waiting.id)?;
                    return Ok(Prepared::Passed);
                }
                Some(self.tokens.text(waiting.id, purpose))
            }
        };
        Ok(Prepared::Ready(token))
    }

    /// The user, if active, to whom a mail with a link goes. Whose the address is that somebody typed
    /// who forgot a password is found out here, and its token issued: the request itself did the same
    /// whether or not anybody has that address.
    fn find_recipient(
        &self,
        connection: &mut AnyConnection,
        waiting: &mut Waiting,
        now: Moment,
    ) -> QueryResult<Option<User>> {
        let mail = &mut waiting.mail;
        if let Some(user) = mail.user {
            return Ok(users::hold(connection, user)?.filter(User::is_active));
        }
        let Some(typed) = EmailAddress::parse(&mail.email) else { return Ok(None) };
        let Some((found, _)) = users::by_email(connection, &typed)? else { return Ok(None) };
        let held = users::hold(connection, found.id)?.filter(User::is_active);
        let (Some(user), Some(purpose)) = (held, mail.kind.purpose()) else { return Ok(None) };
        if one_time::store::has_newer(connection, waiting.id, purpose, user.id)? {
            return Ok(None);
        }
        one_time::store::issue(connection, waiting.id, purpose, user.id, &user.email, now)?;
        store::set_user(connection, waiting.id, user.id)?;
        // Security: H5. To the address that is stored, not to the one that was typed.
        mail.user = Some(user.id);
        mail.email.clone_from(&user.email);
        let event = Event::by(user.id, audit::Kind::PasswordResetAsked, None, &mail.client);
        self.record(connection, &Event { actor: None, ..event })?;
        Ok(Some(user))
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
    /// is away for a moment, so this is tried as long as the lease may last.
    fn settle(
        &self,
        waiting: &Waiting,
        sent: Result<(), NotSent>,
        stop: &Stop,
    ) -> Result<(), DbError> {
        let failure = sent.err();
        if let Some(failure) = &failure {
            let (mail, kind) = (waiting.id, waiting.mail.kind.name());
            tracing::warn!(%mail, kind, attempts = waiting.attempts + 1, %failure, "mail not sent");
        }
        let until = self.clock.now() + LEASE / 2;
        loop {
            let settled = self.database.write(|connection| match &failure {
                None => store::remove(connection, waiting.id).map(drop),
                Some(failure) => self.put_off(connection, waiting, failure),
            });
            match settled {
                Err(_) if self.clock.now() < until && !stop.rest(EVERY) => {}
                settled => return settled,
            }
        }
    }

    fn put_off(
        &self,
        connection: &mut AnyConnection,
        waiting: &Waiting,
        failure: &NotSent,
    ) -> QueryResult<()> {
        let now = self.clock.now();
        if now < waiting.created_at + GIVE_UP {
            let spread = random::bytes(&*self.random);
            let due_at = now + retry_after(waiting.attempts, spread);
            return store::put_off(connection, waiting.id, due_at).map(drop);
        }
        tracing::error!(mail = %waiting.id, kind = waiting.mail.kind.name(), "mail given up");
        store::remove(connection, waiting.id)?;
        let detail = format!("{}: {failure}", waiting.mail.kind.name());
        let event = Event {
            kind: audit::Kind::MailGivenUp,
            actor: None,
            user: waiting.mail.user,
            session: None,
            client: Client::default(),
            detail: Some(detail),
        };
        self.record(connection, &event)
    }
}

/// How long to wait after a failure that so many others came before: doubling, up to a quarter of an
/// hour, and anything from half of that to all of it, so that not all come back at once.
fn retry_after(before: i64, [spread]: [u8; 1]) -> Duration {
    let doublings = u32::try_from(before).unwrap_or(u32::MAX).min(16);
    let longest = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    longest / 2 + longest * u32::from(spread) / 510
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
    fn retries_come_within_five_seconds_and_then_ever_later() {
        let millis = |before, spread| retry_after(before, [spread]).as_millis();
        assert_eq!((millis(0, 0), millis(0, 255)), (2_500, 5_000));
        assert_eq!((millis(1, 0), millis(1, 255)), (5_000, 10_000));
        assert_eq!((millis(7, 0), millis(7, 255)), (320_000, 640_000));
        for before in [8, 9, 100, i64::MAX] {
            assert_eq!((millis(before, 0), millis(before, 255)), (450_000, 900_000));
        }
    }
}
