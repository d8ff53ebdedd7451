//! The one source of random bytes.
//!
//! Everything that must not be guessed (ids, salts, generated secrets) draws from a [`Random`]
//! handed to it, so that a test can hand in a predictable one.

use rand::Rng;

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes.
    ///
    /// # Panics
    ///
    /// Where the source has failed: nothing safe can be done without it.
    fn fill(&self, bytes: &mut [u8]);
}

/// `rand`'s secure generator: one per thread, seeded and reseeded by the operating system's. Asking
/// the system itself for every id would cost two system calls a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the one source")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
