//! How much of what is random or heavy is to be tried.

/// `short`, or `long` where `./scripts/test --all` asks for it.
pub fn rounds(short: u32, long: u32) -> u32 {
    let asked = std::env::var("SYMBOLON_TEST_ROUNDS").unwrap_or_default();
    if asked == "long" { long } else { short }
}
