//! The service driven over HTTP, on a fresh SQLite file and on a fresh PostgreSQL database each.
//!
//! The path of a test mirrors the URL that it is about: `auth/refresh_token.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a binary of its own: what is public is so for its modules")]

#[macro_use]
mod support;

mod auth;
mod cli;
mod health;
mod http;
mod logs;
mod settings;
