//! E-mail addresses of accounts: proven by a mailed link, and replaced by one that is.

pub mod change;
pub mod operations;
pub mod routes;
pub mod verify;
