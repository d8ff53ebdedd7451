//! One-time tokens: what a mailed link holds, to prove that its reader owns the address.
//!
//! The table holds an id and the mail is sent with a MAC of it, computed when it is sent. So neither
//! the table nor the outbox nor a dump of both redeems anything.

mod redeem;
pub mod store;
pub mod token;

pub use redeem::redeem;
pub use token::{OneTimeTokens, Purpose};
