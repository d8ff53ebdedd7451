//! `POST /auth/refresh-token`.

mod cookie;
mod order;
mod race;
mod rule;
mod transport;
