//! `POST /auth/refresh-token`.

mod cookie;
mod key;
mod order;
mod race;
mod rule;
mod transport;
