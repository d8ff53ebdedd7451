//! What every route has in common: failures, bodies, heads, headers, connections.

mod bodies;
mod failures;
mod headers;
mod malformed;
pub mod raw;
mod stalls;
mod stop;
