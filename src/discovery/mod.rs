//! What other services ask of us: our public keys, what we are, and whose a token is.

mod documents;
mod forward_auth;
mod introspection;
pub mod operations;
pub mod routes;
