//! The server under test, its database, its clock, and a client to drive it.

pub mod client;
pub mod clock;
pub mod cluster;
pub mod database;
pub mod load;
pub mod process;
pub mod rounds;
pub mod server;

pub use client::{Answer, Call, Client, SignedIn};
pub use clock::TestClock;
pub use database::Db;
pub use rounds::rounds;
pub use server::TestServer;

/// The password of everybody in these tests.
pub const PASSWORD: &str = "correct horse battery";

/// Defines each function as two tests, `name::sqlite` and `name::postgres`.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* fn $name:ident($db:ident) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                #[allow(unused_imports, reason = "not every test needs all of its file's")]
                use super::*;

                fn run($db: $crate::support::Db) $body

                #[test]
                fn sqlite() {
                    run($crate::support::Db::sqlite());
                }

                #[test]
                fn postgres() {
                    run($crate::support::Db::postgres());
                }
            }
        )*
    };
}
