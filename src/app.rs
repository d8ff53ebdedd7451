//! What a request may need, built once at start.

use std::sync::{Arc, Mutex};

use thiserror::Error;

use crate::activity::{self, Activity};
use crate::audit::{self, Event};
use crate::clock::Clock;
use crate::crypto::hasher::Hasher;
use crate::db::{AnyConnection, Database, DbError, Id, Moment, QueryResult};
use crate::limits::Limits;
use crate::mail::Mail;
use crate::mail::outbox::{self, Outbox};
use crate::mail::transport::Transport;
use crate::metrics::Metrics;
use crate::one_time::OneTimeTokens;
use crate::passwords::policy::PasswordPolicy;
use crate::random::Random;
use crate::sessions::claims::Tokens;
use crate::sessions::lookup::Lookup;
use crate::sessions::token::Lifetimes;
use crate::sessions::writer::Writer;
use crate::settings::Settings;
use crate::signing::{FolderError, SigningKeys};

/// The service, without its listeners: the same in production and in tests, which hand it another
/// clock.
pub struct App {
    /// The settings it was started with.
    pub settings: Settings,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Where the data is.
    pub database: Database,
    /// Signs and verifies tokens.
    pub tokens: Tokens,
    /// The keys that sign access tokens, where there are to be any.
    pub signing: Option<Arc<SigningKeys>>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Looks up sessions.
    pub lookup: Lookup,
    /// Rotates sessions.
    pub writer: Writer,
    /// Judges new passwords.
    pub passwords: PasswordPolicy,
    /// Counts attempts.
    pub limits: Limits,
    /// Makes and checks the tokens that are mailed.
    pub one_time: Arc<OneTimeTokens>,
    /// Counts what happens; writes it too, once it is started.
    pub activity: Arc<Activity>,
    /// Sends mail, once it is started.
    pub outbox: Arc<Outbox>,
    /// Counts what is going on here, for whoever watches.
    pub metrics: Metrics,
    /// When it was built.
    pub started_at: Moment,
}

/// Why the service could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A thread.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The folder of signing keys.
    #[error(transparent)]
    Keys(#[from] FolderError),
    /// The way to the mail server.
    #[error("mail cannot be sent: {0}")]
    Mail(#[from] lettre::transport::smtp::Error),
    /// The URL of Redis.
    #[error("limits cannot be shared: {0}")]
    Limits(#[from] redis::RedisError),
}

impl App {
    /// Builds the service on a database whose schema is up to date.
    pub fn build(
        settings: Settings,
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>, BuildError> {
        let metrics = Metrics::default();
        let passwords = &settings.passwords;
        let hasher = Hasher::start(
            passwords.rules.bcrypt_cost,
            passwords.hash_queue,
            Arc::clone(&random),
            metrics.hashing.clone(),
        )?;
        let lifetimes = Lifetimes::of(&settings.tokens);
        let writer = Writer::start(
            database.clone(),
            Arc::clone(&clock),
            Arc::clone(&random),
            lifetimes,
            metrics.groups.clone(),
        )?;
        let one_time = Arc::new(OneTimeTokens::new(&settings.tokens));
        let outbox = Outbox {
            database: database.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            tokens: Arc::clone(&one_time),
            settings: settings.mail.clone(),
            transport: Transport::new(&settings.mail)?,
            in_hand: Mutex::default(),
            outcomes: metrics.mails.clone(),
        };
        let tokens = &settings.tokens;
        let open = |keys| SigningKeys::open(keys, tokens.access_ttl, clock.now()).map(Arc::new);
        let signing = tokens.signing.as_ref().map(open).transpose()?;
        Ok(Arc::new(Self {
            one_time,
            outbox: Arc::new(outbox),
            activity: Arc::new(Activity::new(database.clone(), Arc::clone(&clock))),
            tokens: Tokens::new(&settings.tokens, signing.clone()),
            signing,
            limits: Limits::new(&settings.limits, metrics.limits.clone())?,
            lookup: Lookup::start(database.clone())?,
            passwords: PasswordPolicy::new(passwords.rules.min_length),
            hasher,
            writer,
            started_at: clock.now(),
            settings,
            clock,
            random,
            database,
            metrics,
        }))
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// A new id.
    pub fn new_id(&self) -> Id {
        Id::new(self.now(), &*self.random)
    }

    /// Writes an event into the audit, within the transaction of what it records.
    pub fn record(&self, connection: &mut AnyConnection, event: &Event) -> QueryResult<()> {
        audit::store::record(connection, self.new_id(), event, self.now())
    }

    /// Counts something that has happened.
    pub fn count(&self, kind: activity::Kind) {
        self.activity.count(kind, self.now());
    }

    /// Puts a mail into the outbox, within the transaction of what causes it; see [`outbox::post`].
    pub fn post(&self, connection: &mut AnyConnection, mail: &Mail) -> QueryResult<()> {
        outbox::post(connection, self.new_id(), mail, self.now())
    }
}
