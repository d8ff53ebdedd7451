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
//! * [`audit`]: what happened, written in the transaction of what it records. [`activity`]: how much.
//! * [`http`]: what every route shares. [`error`]: every status and code, as one table.
//! * [`crypto`], [`db`], [`queue`], [`background`], [`clock`], [`random`]: what the features stand on.
//! * [`settings`]: a struct a concern. [`app`]: all of it put together. [`server`]: the listener.
//! * [`cli`]: a file a command.

pub mod accounts;
pub mod activity;
pub mod addresses;
pub mod admin;
pub mod app;
pub mod audit;
pub mod background;
pub mod cli;
pub mod client;
pub mod clock;
pub mod crypto;
pub mod db;
pub mod error;
pub mod health;
pub mod http;
pub mod limits;
pub mod mail;
pub mod one_time;
pub mod page;
pub mod passwords;
pub mod private_files;
pub mod prune;
pub mod queue;
pub mod random;
pub mod server;
pub mod sessions;
pub mod settings;
