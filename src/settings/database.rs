//! Where the data is.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::faults::{self, Faults, given};
use crate::private_files;
use crate::secret::Secret;

/// What the command line and the environment say about the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// Folder for the SQLite file and generated secrets
    #[arg(long, env = "DATA_DIR", default_value = "./data", value_name = "DIR")]
    data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE` (any libpq parameter may follow a `?`; of several hosts, as in `HOST1,HOST2`, the one that may be written to is taken) [default: sqlite://DATA_DIR/symbolon.db]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<Secret>,
    /// File that holds DATABASE_URL
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<String>,
    /// Connections to keep at most (on SQLite: that read; one more writes)
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value = "8", value_name = "N")]
    database_pool_size: String,
    /// How long audit events are kept
    #[arg(long, env = "AUDIT_RETENTION", default_value = "90d", value_name = "DURATION")]
    audit_retention: String,
}

/// A database, named by its URL's scheme.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// The path of a SQLite file.
    Sqlite(PathBuf),
    /// A libpq connection URI, which may hold a password.
    Postgres(Secret),
}

/// Valid settings of the database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Which database.
    pub url: DatabaseUrl,
    /// Connections to keep at most.
    pub pool_size: u32,
    /// How long audit events are kept.
    pub audit_retention: Duration,
}

impl DatabaseArgs {
    /// The folder for files of ours.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Checks these settings and makes the data folder where it is needed.
    pub fn check(&self, faults: &mut Faults) -> DatabaseSettings {
        let given_url = faults.secret(
            "DATABASE_URL",
            self.database_url.as_ref(),
            self.database_url_file.as_deref(),
        );
        let in_data_dir = DatabaseUrl::Sqlite(self.data_dir.join("symbolon.db"));
        let url = match given_url {
            None => in_data_dir,
            Some(url) => faults.read("DATABASE_URL", url.expose(), in_data_dir, parse_url),
        };
        if let DatabaseUrl::Sqlite(path) = &url {
            make_parent(path, faults);
        }
        DatabaseSettings {
            url,
            pool_size: faults.read(
                "DATABASE_POOL_SIZE",
                &self.database_pool_size,
                8,
                faults::number(1, 1000),
            ),
            audit_retention: faults.read(
                "AUDIT_RETENTION",
                &self.audit_retention,
                Duration::ZERO,
                faults::lifetime,
            ),
        }
    }
}

impl DatabaseUrl {
    /// What may be shown of it: never the password, nor the user.
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite {}", path.display()),
            Self::Postgres(url) => {
                format!("PostgreSQL {}", PostgresUrl::of(url.expose()).place)
            }
        }
    }
}

/// The parts of a libpq connection URI behind its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresUrl<'a> {
    /// Hosts with their ports, and the database.
    pub place: &'a str,
    /// What follows the `?`, to the end of the URI.
    pub parameters: Option<&'a str>,
}

impl<'a> PostgresUrl<'a> {
    /// Takes a URI apart as libpq does (`conninfo_uri_parse_options`): credentials reach up to the
    /// first `@`, where that comes before any `/`, and may hold a `?`.
    pub fn of(url: &'a str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let rest = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => &rest[at + 1..],
            _ => rest,
        };
        match rest.split_once('?') {
            Some((place, parameters)) => Self { place, parameters: Some(parameters) },
            None => Self { place: rest, parameters: None },
        }
    }

    /// The value of a parameter, as it stands there.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let pairs = self.parameters.unwrap_or_default().split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find_map(|(n, v)| (n == name).then_some(v))
    }
}

fn parse_url(url: &str) -> Result<DatabaseUrl, String> {
    // The URL may hold a password, so no message repeats it.
    match url.split_once("://") {
        Some(("sqlite", path)) => match given(Some(path)) {
            None | Some(":memory:") => Err("sqlite:// needs the path of a file".into()),
            Some(path) if path.contains('?') => {
                Err("sqlite:// takes a path and no parameters".into())
            }
            Some(path) => Ok(DatabaseUrl::Sqlite(PathBuf::from(path))),
        },
        // libpq would take the rest of the password for a host, and name it in errors.
        Some(("postgres" | "postgresql", _)) if PostgresUrl::of(url).place.contains('@') => {
            Err("an `@` or `/` in the password must be written as %40 or %2F".into())
        }
        Some(("postgres" | "postgresql", _)) => Ok(DatabaseUrl::Postgres(Secret::new(url))),
        _ => Err("must start with sqlite:// or postgres://".into()),
    }
}

fn make_parent(path: &Path, faults: &mut Faults) {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return;
    };
    if let Err(error) = private_files::make_dir(folder) {
        faults.note("DATABASE_URL", format_args!("cannot make {}: {error}", folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_as_libpq_does() {
        let cases = [
            ("postgres://h/db", "h/db", None),
            ("postgres://", "", None),
            ("postgres:///db", "/db", None),
            ("postgres://u:p@h:5432/db?x=y", "h:5432/db", Some("x=y")),
            ("postgresql://u@h?x=y", "h", Some("x=y")),
            ("postgres://h1:1,h2:2/db?x=y", "h1:1,h2:2/db", Some("x=y")),
            ("postgres://u:a?b=c@h1:1,h2:2/db?x=y", "h1:1,h2:2/db", Some("x=y")),
            ("postgres://u:a?connect_timeout=9@h/db", "h/db", None),
            ("postgres://u:p@[::1]:5432/db", "[::1]:5432/db", None),
            ("postgres://%2Frun%2Fpg/db?user=me@there", "%2Frun%2Fpg/db", Some("user=me@there")),
            ("postgres:///db?user=me@there", "/db", Some("user=me@there")),
            ("postgres://u:p@h/db?", "h/db", Some("")),
        ];
        for (url, place, parameters) in cases {
            assert_eq!(PostgresUrl::of(url), PostgresUrl { place, parameters }, "{url}");
            let DatabaseUrl::Postgres(_) = parse_url(url).unwrap() else { panic!("{url}") };
        }
        let shown = DatabaseUrl::Postgres(Secret::new("postgres://u:can?ary@h/db?x=y")).describe();
        assert_eq!(shown, "PostgreSQL h/db");
    }

    #[test]
    fn a_password_that_libpq_would_cut_is_refused() {
        for url in ["postgres://u:can@ary@h/db", "postgres://u:can/ary@h/db"] {
            let fault = parse_url(url).unwrap_err();
            assert!(fault.contains("%40") && !fault.contains("can"), "{fault}");
        }
    }
}
