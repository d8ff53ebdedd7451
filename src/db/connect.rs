//! Making connections: by the URL's scheme, never by guessing.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::{Connection, ConnectionError, PgConnection, SqliteConnection};

use super::{AnyConnection, DbError};
use crate::private_files;
use crate::settings::database::{DatabaseUrl, PostgresUrl};

/// What every PostgreSQL session starts with. Commits are durable even where the server's default
/// says otherwise, since a forgotten rotation looks like a theft later on.
const POSTGRES_SESSION: &str = "\
    SET lock_timeout = '1s'; SET statement_timeout = '5s'; SET TIME ZONE 'UTC'; \
    SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed'; \
    SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// What every SQLite connection starts with. `synchronous=FULL` makes each commit durable.
const SQLITE_SESSION: &str = "\
    PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192;";

/// A pooled connection that remembers whether it has broken.
pub(super) struct Link {
    connection: AnyConnection,
    broken: bool,
}

impl Link {
    /// Notes a connection as unusable if `error` says that it is; tells whether it is.
    pub(super) fn note(&mut self, error: &Error) -> bool {
        self.broken |= matches!(
            error,
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _
            ) | Error::BrokenTransactionManager
                | Error::RollbackErrorOnCommit { .. }
        );
        self.broken
    }

    /// Notes a connection as unusable.
    pub(super) fn discard(&mut self) {
        self.broken = true;
    }
}

impl Deref for Link {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// Makes the pool's connections.
#[derive(Clone)]
pub(super) struct Connector {
    url: DatabaseUrl,
}

impl Connector {
    pub(super) fn new(url: &DatabaseUrl) -> Self {
        Self { url: url.clone() }
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Link;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Link, ConnectionError> {
        let connection = match &self.url {
            DatabaseUrl::Postgres(url) => AnyConnection::Postgres(postgres(url.expose())?),
            DatabaseUrl::Sqlite(path) => AnyConnection::Sqlite(sqlite(path)?),
        };
        Ok(Link { connection, broken: false })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), ConnectionError> {
        link.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken || std::thread::panicking()
    }
}

fn postgres(url: &str) -> Result<PgConnection, ConnectionError> {
    let mut connection = PgConnection::establish(&with_defaults(url)).map_err(without_url)?;
    connection
        .batch_execute(POSTGRES_SESSION)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// What libpq says of a URI that it cannot read repeats parts of it, even the password.
fn without_url(error: ConnectionError) -> ConnectionError {
    let repeats = |said: &str| {
        ["URI", "percent-encoded", "unexpected spaces"].iter().any(|words| said.contains(words))
    };
    match error {
        ConnectionError::BadConnection(said) if repeats(&said) => ConnectionError::BadConnection(
            "DATABASE_URL is no valid URI: percent-encode special characters in it, as %25 for %"
                .to_owned(),
        ),
        other => other,
    }
}

/// Adds what libpq needs to notice soon that a server is gone, where the URL does not say.
fn with_defaults(url: &str) -> String {
    const DEFAULTS: [(&str, &str); 5] = [
        ("connect_timeout", "2"),
        ("tcp_user_timeout", "2000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("application_name", "symbolon"),
    ];
    let mut parameters: Vec<(&str, String)> =
        DEFAULTS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let given = PostgresUrl::of(url);
    // Of several hosts all but one are standbys, where nothing can be written and what is read may be
    // old: a session that has ended may still look live.
    let hosts =
        [given.place.split('/').next(), given.parameter("host"), given.parameter("hostaddr")];
    let are_several =
        |hosts: &str| hosts.contains(',') || hosts.to_ascii_uppercase().contains("%2C");
    if hosts.into_iter().flatten().any(are_several) {
        parameters.push(("target_session_attrs", "read-write".to_owned()));
    }
    // The bundled OpenSSL looks for authorities in a folder of its own, which is empty.
    if given.parameter("sslmode").is_some_and(|mode| mode.starts_with("verify-")) {
        let authorities = openssl_probe::probe().cert_file;
        parameters.extend(authorities.map(|file| ("sslrootcert", file.display().to_string())));
    }
    let mut separator = match given.parameters {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    let mut with_defaults = url.to_owned();
    for (name, value) in parameters {
        if given.parameter(name).is_none() {
            with_defaults = format!("{with_defaults}{separator}{name}={value}");
            separator = "&";
        }
    }
    with_defaults
}

pub(super) fn sqlite(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
    connection.batch_execute(SQLITE_SESSION).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Makes the database file, for its owner alone, where there is none; SQLite gives its journals the
/// same mode.
///
/// A file that exists is not even opened: closing it again would drop every lock that SQLite has on
/// it in this process (POSIX, `fcntl`), and the next process that ends, taking itself for the last,
/// would delete the journal that this one goes on writing to.
pub(super) fn create_private(path: &Path) -> Result<(), DbError> {
    match private_files::write_options().create_new(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(DbError::Unavailable(format!("cannot make {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Logs failures to connect, at most one a minute where an operator looks: a database that is away
/// for an hour should not fill a disk.
#[derive(Debug, Default)]
pub(super) struct LogSeldom {
    logged: Mutex<Option<Instant>>,
}

/// How long nothing more is said of it.
const QUIET: Duration = Duration::from_secs(60);

impl LogSeldom {
    /// Whether a failure at `now` is to be logged.
    fn is_due(&self, now: Instant) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = logged.is_none_or(|before| now >= before + QUIET);
        if is_due {
            *logged = Some(now);
        }
        is_due
    }
}

impl r2d2::HandleError<ConnectionError> for LogSeldom {
    fn handle_error(&self, error: ConnectionError) {
        if self.is_due(Instant::now()) {
            tracing::error!(%error, "no connection to the database");
        } else {
            tracing::debug!(%error, "still no connection to the database");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters that a URL gets.
    fn added(url: &str) -> String {
        with_defaults(url).strip_prefix(url).expect(url).to_owned()
    }

    #[test]
    fn defaults_are_added_where_the_url_says_nothing() {
        let rest = "tcp_user_timeout=2000&keepalives_idle=5&keepalives_interval=2&\
                    application_name=symbolon";
        let all = format!("connect_timeout=2&{rest}");
        for url in ["postgres://h/db", "postgres://u:a?connect_timeout=b@h/db"] {
            assert_eq!(added(url), format!("?{all}"), "{url}");
        }
        assert_eq!(added("postgres://h/db?"), all);
        let writable = "&target_session_attrs=read-write";
        assert_eq!(added("postgres://h1:1,h2:2/db?x=y"), format!("&{all}{writable}"));
        assert_eq!(added("postgres:///db?host=h1,h2"), format!("&{all}{writable}"));
        assert_eq!(added("postgres:///db?hostaddr=::1%2c::2"), format!("&{all}{writable}"));
        assert!(!added("postgres://h1,h2/db?target_session_attrs=any").contains(writable));
        assert_eq!(added("postgres://h/db?connect_timeout=9"), format!("&{rest}"));
        assert_eq!(added("postgres://u:sslmode=verify-full@h/db"), format!("?{all}"));
        assert!(added("postgres://h/db?sslmode=verify-full").starts_with(&format!("&{all}")));
    }

    #[test]
    fn what_libpq_says_of_a_url_never_holds_the_password() {
        for url in [
            "postgres://u:can%ary@h/db",
            "postgres://u:canary@[::1/db",
            "postgres://u:can ary x@h/db",
            "postgres://u:can/w?ary@h/db",
        ] {
            let said = postgres(url).map(drop).expect_err(url).to_string();
            assert!(said.contains("DATABASE_URL") && !said.contains("can"), "{said}");
        }
    }

    #[test]
    fn an_outage_is_logged_once_a_minute() {
        let log = LogSeldom::default();
        let start = Instant::now();
        let due = [0, 1, 59, 60, 61, 119, 130].map(|s| log.is_due(start + Duration::from_secs(s)));
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}
