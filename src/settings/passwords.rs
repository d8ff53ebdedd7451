//! Passwords and who may register.

use clap::Args;

use super::faults::{self, Faults};

/// What the command line and the environment say about passwords.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Passwords")]
pub struct PasswordArgs {
    #[command(flatten)]
    rules: PasswordRuleArgs,
    /// Passwords that may wait to be hashed; further sign-ins get 503
    #[arg(long, env = "PASSWORD_HASH_QUEUE", default_value = "32", value_name = "N")]
    password_hash_queue: String,
    /// `open` or `closed`: whether anybody may register
    #[arg(long, env = "REGISTRATION", default_value = "open", value_name = "STATE")]
    registration: String,
    /// Whether an account can do nothing but verify its address until that is done
    #[arg(long, env = "REQUIRE_VERIFIED_EMAIL", default_value = "false", value_name = "BOOL")]
    require_verified_email: String,
}

/// What they say about each single password, which commands that set one need, too.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Passwords")]
pub struct PasswordRuleArgs {
    /// bcrypt's cost, 10 to 15: each step doubles the work of a guess and of a sign-in
    #[arg(long, env = "BCRYPT_COST", default_value = "12", value_name = "N")]
    bcrypt_cost: String,
    /// Fewest characters of a password, 8 or more
    #[arg(long, env = "PASSWORD_MIN_LENGTH", default_value = "8", value_name = "N")]
    password_min_length: String,
}

/// Valid settings of passwords.
#[derive(Debug, Clone)]
pub struct PasswordSettings {
    /// What holds for each.
    pub rules: PasswordRules,
    /// Passwords that may wait to be hashed.
    pub hash_queue: usize,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Whether an account can do nothing but verify its address until that is done.
    pub require_verified_email: bool,
}

/// Valid settings of each single password.
#[derive(Debug, Clone, Copy)]
pub struct PasswordRules {
    /// bcrypt's cost.
    pub bcrypt_cost: u32,
    /// Fewest characters of a password.
    pub min_length: usize,
}

/// Most characters of a password.
pub const MAX_LENGTH: usize = 256;

impl PasswordArgs {
    /// Checks these settings.
    pub fn check(&self, faults: &mut Faults) -> PasswordSettings {
        let queue = faults.read(
            "PASSWORD_HASH_QUEUE",
            &self.password_hash_queue,
            32,
            faults::number(1, 10_000),
        );
        PasswordSettings {
            rules: self.rules.check(faults),
            hash_queue: queue as usize,
            registration_open: faults.read("REGISTRATION", &self.registration, false, |text| {
                match text {
                    "open" => Ok(true),
                    "closed" => Ok(false),
                    other => Err(format!("`{other}` is neither open nor closed")),
                }
            }),
            require_verified_email: faults.read(
                "REQUIRE_VERIFIED_EMAIL",
                &self.require_verified_email,
                true,
                faults::flag,
            ),
        }
    }
}

impl PasswordRuleArgs {
    /// Checks these settings.
    pub fn check(&self, faults: &mut Faults) -> PasswordRules {
        let cost = faults::number(10, 15);
        let length = faults::number(8, 128);
        PasswordRules {
            bcrypt_cost: faults.read("BCRYPT_COST", &self.bcrypt_cost, 12, cost),
            min_length: faults.read("PASSWORD_MIN_LENGTH", &self.password_min_length, 8, length)
                as usize,
        }
    }
}
