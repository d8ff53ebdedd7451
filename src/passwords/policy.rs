//! Which new passwords are good enough (NIST SP 800-63B-4, 3.1.1.2): long, and not to be guessed.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use crate::crypto::password::Password;
use crate::settings::passwords::MAX_LENGTH;

/// Common passwords of eight characters and more, in lower case: the list that Django ships
/// (by Royce Williams, BSD-3-Clause, see `common.txt.LICENSE`), without shorter ones.
const COMMON: &str = include_str!("common.txt");

/// A local part shorter than this says nothing about its user.
const MIN_LOCAL_PART: usize = 3;
/// As many characters behind a name do not make it a password.
const MAX_TAIL: usize = 4;

/// Judges new passwords.
pub struct PasswordPolicy {
    min_length: usize,
    common: HashSet<&'static str>,
}

/// Why a new password is not good enough: a stable name and a sentence for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The stable name.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
}

impl PasswordPolicy {
    /// Passwords have at least `min_length` characters.
    pub fn new(min_length: usize) -> Self {
        Self { min_length, common: COMMON.lines().collect() }
    }

    /// What is wrong with `password` for the user of this address and name, if anything is.
    pub fn objection(
        &self,
        password: &Password,
        email: &str,
        name: Option<&str>,
    ) -> Option<Objection> {
        // Characters, as people count them: code points after NFC.
        let length = password.expose().chars().count();
        if length < self.min_length {
            let message = format!("The password needs at least {} characters.", self.min_length);
            return Some(Objection { code: "TOO_SHORT", message });
        }
        if length > MAX_LENGTH {
            let message = format!("The password may have at most {MAX_LENGTH} characters.");
            return Some(Objection { code: "TOO_LONG", message });
        }
        let folded = fold(password.expose());
        if self.common.contains(&*folded) {
            let message = "This password is one of the most common ones.".to_owned();
            return Some(Objection { code: "TOO_COMMON", message });
        }
        if is_personal(&folded, email, name) {
            let message = "The password must not be your address or your name.".to_owned();
            return Some(Objection { code: "TOO_PERSONAL", message });
        }
        None
    }
}

/// The form that passwords, addresses and names are compared in.
fn fold(text: &str) -> String {
    text.nfc().collect::<String>().to_lowercase()
}

/// Whether a folded password is the address, its local part or the name, or one of these plus up
/// to four digits or symbols.
fn is_personal(folded: &str, email: &str, name: Option<&str>) -> bool {
    let email = fold(email);
    let local = email.rsplit_once('@').map_or("", |(local, _)| local);
    let local = Some(local).filter(|local| local.chars().count() >= MIN_LOCAL_PART);
    let name = name.map(fold).filter(|name| !name.is_empty());
    [Some(&*email), local, name.as_deref()].into_iter().flatten().any(|personal| {
        folded.strip_prefix(personal).is_some_and(|tail| {
            tail.chars().count() <= MAX_TAIL && !tail.chars().any(char::is_alphabetic)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Option<&'static str> {
        PasswordPolicy::new(8)
            .objection(
                &Password::new(password.to_owned()),
                "Grace.Hopper@example.com",
                Some("Rear Admiral"),
            )
            .map(|objection| objection.code)
    }

    /// Security: E1, E7.
    #[test]
    fn passwords_are_long_and_not_to_be_guessed() {
        let cases = [
            ("1234567", Some("TOO_SHORT")),
            ("🦀🦀🦀🦀🦀🦀🦀", Some("TOO_SHORT")),
            ("🦀🦀🦀🦀🦀🦀🦀🦀", None),
            // Eight characters composed, sixteen decomposed.
            ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", Some("TOO_SHORT")),
            ("password1", Some("TOO_COMMON")),
            ("PassWord1", Some("TOO_COMMON")),
            ("grace.hopper@example.com", Some("TOO_PERSONAL")),
            ("GRACE.HOPPER", Some("TOO_PERSONAL")),
            ("grace.hopper2026", Some("TOO_PERSONAL")),
            ("grace.hopper20266", None),
            ("grace.hopper!!x", None),
            ("rear admiral", Some("TOO_PERSONAL")),
            ("Rear Admiral#1", Some("TOO_PERSONAL")),
            ("correct horse battery staple", None),
        ];
        for (password, expected) in cases {
            assert_eq!(code(password), expected, "{password}");
        }
        assert_eq!(code(&"x".repeat(256)), None);
        assert_eq!(code(&"x".repeat(257)), Some("TOO_LONG"));
    }

    #[test]
    fn an_address_and_a_name_are_the_same_composed_or_not() {
        let policy = PasswordPolicy::new(8);
        for (password, email, name) in [
            ("jose\u{301}phine", "jos\u{e9}phine@example.com", None),
            ("JOS\u{c9}PHINE1", "jose\u{301}phine@example.com", None),
            ("jos\u{e9} mart\u{ed}", "x@example.com", Some("Jose\u{301} Marti\u{301}")),
        ] {
            let objection = policy.objection(&Password::new(password.to_owned()), email, name);
            assert_eq!(objection.map(|o| o.code), Some("TOO_PERSONAL"), "{password}");
        }
    }

    #[test]
    fn a_short_local_part_and_no_name_object_to_nothing() {
        let policy = PasswordPolicy::new(8);
        let password = Password::new("al123456".to_owned());
        assert_eq!(policy.objection(&password, "al@example.com", None), None);
        assert_eq!(policy.objection(&password, "al@example.com", Some("")), None);
    }
}
