//! Access tokens that others verify: keys that come, sign and go.

mod folder;
mod forged;
mod phases;
