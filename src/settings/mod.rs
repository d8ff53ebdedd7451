//! Settings: from flags, the environment and, in development, `.env`.
//!
//! A struct a concern, in two forms: the `…Args` that clap fills (every variable documented there,
//! and nowhere else) and the `…Settings` that the service runs on, which hold only valid values.

pub mod database;
pub mod faults;
pub mod http;
pub mod introspection;
pub mod limits;
pub mod logs;
pub mod mail;
pub mod monitoring;
pub mod passwords;
pub mod signing;
pub mod table;
pub mod tokens;

use clap::Args;

pub use crate::secret::Secret;
pub use faults::Faults;

use database::{DatabaseArgs, DatabaseSettings};
use http::{HttpArgs, HttpSettings};
use introspection::{IntrospectionArgs, IntrospectionSettings};
use limits::{LimitArgs, LimitSettings};
use logs::LogArgs;
use mail::{MailArgs, MailSettings};
use monitoring::{MonitoringArgs, MonitoringSettings};
use passwords::{PasswordArgs, PasswordSettings};
use tokens::{TokenArgs, TokenSettings};

/// Where the service runs, which decides how strict it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On somebody's machine: everything has a default.
    Development,
    /// For real users: unsafe settings are refused at start.
    Production,
}

impl Environment {
    /// Whether unsafe settings are to be refused.
    pub fn is_production(self) -> bool {
        self == Self::Production
    }
}

/// Which environment this is.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentArgs {
    /// `development` needs no settings; `production` refuses to start on unsafe ones
    #[arg(long, env = "ENVIRONMENT", default_value = "development", help_heading = "Environment")]
    pub environment: String,
}

impl EnvironmentArgs {
    /// The environment; production where it cannot be read, which is the stricter.
    pub fn check(&self, faults: &mut Faults) -> Environment {
        faults.read("ENVIRONMENT", &self.environment, Environment::Production, |text| match text {
            "development" => Ok(Environment::Development),
            "production" => Ok(Environment::Production),
            other => Err(format!("`{other}` is neither development nor production")),
        })
    }
}

/// Every setting of `symbolon serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    tokens: TokenArgs,
    #[command(flatten)]
    passwords: PasswordArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    introspection: IntrospectionArgs,
    #[command(flatten)]
    mail: MailArgs,
    #[command(flatten)]
    monitoring: MonitoringArgs,
    /// How and what to log.
    #[command(flatten)]
    pub logs: LogArgs,
}

/// Valid settings of `symbolon serve`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Development or production.
    pub environment: Environment,
    /// Listening, origins, cookies.
    pub http: HttpSettings,
    /// Where the data is.
    pub database: DatabaseSettings,
    /// Keys and lifetimes.
    pub tokens: TokenSettings,
    /// Passwords and registration.
    pub passwords: PasswordSettings,
    /// How often anybody may try.
    pub limits: LimitSettings,
    /// Who may introspect tokens.
    pub introspection: IntrospectionSettings,
    /// How mail is sent.
    pub mail: MailSettings,
    /// Who may watch.
    pub monitoring: MonitoringSettings,
}

impl ServeArgs {
    /// Checks every setting, each by itself and against the others.
    pub fn check(&self) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let environment = self.environment.check(&mut faults);
        let database = self.database.check(&mut faults);
        let http = self.http.check(environment, &mut faults);
        let tokens = self.tokens.check(environment, &http, &self.database, &mut faults);
        let passwords = self.passwords.check(&mut faults);
        let limits = self.limits.check(&mut faults);
        let introspection = self.introspection.check(environment, &mut faults);
        let data_dir = self.database.data_dir();
        let mail = self.mail.check(environment, &http.public_url, data_dir, &mut faults);
        let monitoring = self.monitoring.check(&mut faults);
        self.logs.check(&mut faults);
        faults.or(Settings {
            environment,
            http,
            database,
            tokens,
            passwords,
            limits,
            introspection,
            mail,
            monitoring,
        })
    }
}
