//! The example service `examples/rooms`, as a process beside the real Symbolon, driven by a WebSocket
//! client that others have written.

mod caps;
mod chat;
mod handshake;
mod house;
mod http;
mod kick;
mod logs;
mod races;
mod revoked;
mod settings;
mod socket;
mod stop;
mod tokens;
