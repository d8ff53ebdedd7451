//! The service driven over HTTP, on a fresh SQLite file and on a fresh PostgreSQL database each.
//!
//! The path of a test mirrors the URL that it is about: `auth/refresh_token.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "nobody but these tests uses their helpers")]

#[macro_use]
mod support;

mod admin;
mod auth;
mod cli;
mod clients;
mod cors;
mod cross_site;
mod faults;
mod fleet;
mod health;
mod http;
mod limits;
mod logs;
mod mail;
mod metrics;
mod openapi;
mod pages;
mod proxies;
mod readme;
mod roles;
mod rooms;
mod settings;
mod signing;
mod third_party;
mod tokens;
mod traces;
mod verifier;
mod well_known;
