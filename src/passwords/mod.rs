//! Passwords: which are good enough, and how their owner changes them.

pub mod change;
pub mod policy;
pub mod routes;
