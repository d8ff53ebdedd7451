//! Accounts: made, signed in to, looked at, deleted.

pub mod email;
pub mod import;
pub mod last_admin;
pub mod login;
pub mod operations;
pub mod operator;
pub mod profile;
pub mod register;
pub mod routes;
pub mod store;
pub mod user;
