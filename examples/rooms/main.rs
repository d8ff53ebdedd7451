//! Chat rooms over WebSocket, for those whom Symbolon has signed in: what a service of your own looks
//! like that checks its access tokens. Nothing here but `symbolon::verifier` knows what a token is.
//!
//! * [`settings`], [`logs`], [`service`]: how it starts, and how it stops.
//! * [`routes`]: what can be asked over HTTP; [`body`], [`problem`], [`origin`] and [`handshake`] are
//!   what the routes read and answer with.
//! * [`hub`]: the rooms, who is in them, and the way to each of them.
//! * [`socket`]: the life of one connection. [`frames`]: what is said over it.

#![allow(unreachable_pub, reason = "a binary of its own: what is public is so for its modules")]

mod body;
mod frames;
mod handshake;
mod hub;
mod logs;
mod origin;
mod problem;
mod routes;
mod service;
mod settings;
mod socket;

use std::process::ExitCode;

use clap::Parser;

use settings::Args;

fn main() -> ExitCode {
    let settings = match Args::parse().check() {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(2);
        }
    };
    logs::start(&settings.log_filter);
    match actix_web::rt::System::new().block_on(service::serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
