//! Text that must not be shown.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret: hidden in `Debug`, wiped from memory when dropped, impossible to serialize.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes charge of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;
    use crate::crypto::password::{Password, PasswordHash};

    /// That they cannot be serialized, the compiler sees to: none of them implements it.
    ///
    /// Security: E12.
    #[test]
    fn secrets_hide() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Secret::new("canary"),
            Password::new("canary".to_owned()),
            PasswordHash::stored("canary".to_owned())
        );
        assert_eq!(shown, "*** *** ***");
    }
}
