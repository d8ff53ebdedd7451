//! Symbolon signs people in and keeps them signed in: short access tokens in the answer's body,
//! week-long refresh tokens in a cookie, a row per session in SQLite or PostgreSQL.
//!
//! The crate is laid out by feature, each with the same layers: `routes.rs` speaks HTTP, `store.rs`
//! speaks SQL, and what lies between is plain synchronous Rust.
//!
//! * [`accounts`], [`sessions`], [`passwords`]: the features. The rotation rule, which all this
//!   exists for, is [`sessions::token`]; the writer that carries it out is [`sessions::writer`].
//! * [`limits`]: how often somebody may try, counted in memory or in Redis.
//! * [`admin`]: what administrators see and do.
//! * [`pages`]: the pages that people do all this by, embedded from `web/`.
//! * [`signing`]: the keys that sign access tokens; [`discovery`]: what others ask of us about these.
//! * [`verifier`]: what other services check our access tokens with, which builds alone.
//! * [`audit`]: what happened, written in the transaction of what it records. [`activity`]: how much.
//! * [`metrics`]: what Prometheus is told. [`traces`]: what a collector of spans is told.
//! * [`http`]: what every route shares. [`error`]: every status and code, as one table. [`openapi`]:
//!   the API as a document.
//! * [`crypto`], [`db`], [`queue`], [`background`], [`clock`], [`random`]: what the features stand on.
//! * [`settings`]: a struct a concern. [`app`]: all of it put together. [`server`]: what is served.
//! * [`cli`]: a file a command.

pub mod background;
pub mod clock;
pub mod id;
pub mod moment;
pub mod role;
pub mod secret;
#[cfg(feature = "verifier")]
pub mod verifier;

#[cfg(feature = "server")]
pub mod accounts;
#[cfg(feature = "server")]
pub mod activity;
#[cfg(feature = "server")]
pub mod addresses;
#[cfg(feature = "server")]
pub mod admin;
#[cfg(feature = "server")]
pub mod app;
#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod client;
#[cfg(feature = "server")]
pub mod crypto;
#[cfg(feature = "server")]
pub mod db;
#[cfg(feature = "server")]
pub mod discovery;
#[cfg(feature = "server")]
pub mod error;
#[cfg(feature = "server")]
pub mod health;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod limits;
#[cfg(feature = "server")]
mod listener;
#[cfg(feature = "server")]
pub mod mail;
#[cfg(feature = "server")]
pub mod metrics;
#[cfg(feature = "server")]
pub mod one_time;
#[cfg(feature = "server")]
pub mod openapi;
#[cfg(feature = "server")]
pub mod page;
#[cfg(feature = "server")]
pub mod pages;
#[cfg(feature = "server")]
pub mod passwords;
#[cfg(feature = "server")]
pub mod private_files;
#[cfg(feature = "server")]
pub mod prune;
#[cfg(feature = "server")]
pub mod queue;
#[cfg(feature = "server")]
pub mod random;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod sessions;
#[cfg(feature = "server")]
pub mod settings;
#[cfg(feature = "server")]
pub mod signing;
#[cfg(feature = "server")]
pub mod traces;
