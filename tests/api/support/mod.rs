//! The server under test, its database, its clock, and a client to drive it.

pub mod client;
pub mod clock;
pub mod cluster;
pub mod database;
pub mod dice;
pub mod documented;
pub mod faketime;
pub mod forge;
pub mod keys;
pub mod load;
pub mod lossy;
pub mod mail;
pub mod process;
pub mod redis;
pub mod rounds;
pub mod rows;
pub mod server;

pub use client::{Answer, Call, Client, SignedIn};
pub use clock::TestClock;
pub use database::Db;
pub use dice::Dice;
pub use mail::{Letter, SmtpServer};
pub use rounds::rounds;
pub use server::TestServer;

/// The password of everybody in these tests.
pub const PASSWORD: &str = "correct horse battery";

/// How late it gets within the grace, and past it, in seconds (`REFRESH_GRACE` is 10 s).
pub const WITHIN_GRACE: f64 = 9.0;
pub const PAST_GRACE: f64 = 11.0;

/// Bytes as text.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Runs `call` in so many threads at once; what came of each.
pub fn at_once<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = std::sync::Barrier::new(threads);
    let (call, barrier) = (&call, &barrier);
    std::thread::scope(|scope| {
        let run = |number| {
            scope.spawn(move || {
                barrier.wait();
                call(number)
            })
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

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
