//! Passwords: which are good enough, and how their owner changes them, known or forgotten.

pub mod change;
pub mod operations;
pub mod policy;
pub mod reset;
pub mod routes;
