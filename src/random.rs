//! The one source of random bytes.
//!
//! Everything that must not be guessed (ids, salts, generated secrets) draws from a [`Random`]
//! handed to it, so that a test can hand in a predictable one.

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes.
    ///
    /// # Panics
    ///
    /// Where the source has failed: nothing safe can be done without it.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::expect_used, reason = "no token may be issued without randomness")]
    #[expect(clippy::disallowed_methods, reason = "this is the one source")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system's random generator works");
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
