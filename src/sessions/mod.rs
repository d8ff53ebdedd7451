//! Sessions: opened at sign-in, rotated by refresh, ended by logout, theft or their owner.

pub mod choose;
pub mod claims;
pub mod end;
pub mod lookup;
pub mod open;
pub mod operations;
pub mod refresh;
pub mod routes;
pub mod store;
pub mod token;
pub mod view;
pub mod writer;
