//! Chance that can be had again.

use std::hash::{BuildHasher, RandomState};

/// Numbers that follow from a seed: Vigna's `SplitMix64`.
pub struct Dice(u64);

/// Another one for each run, unless `SYMBOLON_TEST_SEED` says which. Printed, so that a test that
/// fails tells how to play the same game again.
pub fn seed() -> u64 {
    let asked = std::env::var("SYMBOLON_TEST_SEED").ok();
    let chance = || RandomState::new().hash_one("a game");
    let seed = asked.map_or_else(chance, |seed| seed.parse().expect("a seed"));
    println!("SYMBOLON_TEST_SEED={seed}");
    seed
}

impl Dice {
    /// The dice of the `player`th in the game of a seed.
    pub fn of(seed: u64, player: usize) -> Self {
        Self(seed ^ u64::try_from(player).unwrap().wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 on, below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }

    pub fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of these, each as likely as its weight says.
    pub fn choose<T: Copy>(&mut self, weighted: &[(u32, T)]) -> T {
        let mut rest = self.below(weighted.iter().map(|(weight, _)| weight).sum());
        let chosen = weighted.iter().find(|(weight, _)| {
            let found = rest < *weight;
            rest = rest.saturating_sub(*weight);
            found
        });
        chosen.unwrap().1
    }
}
