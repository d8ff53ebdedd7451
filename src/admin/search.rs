//! What users are searched for by.

use unicode_normalization::UnicodeNormalization;

/// The longest text: that of an address.
const MAX_LENGTH: usize = 254;

/// A text that users have somewhere in their address or name, in the form that addresses are compared
/// by: NFC, ASCII letters in lower case, all other letters as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// Reads what somebody typed; or what is wrong with it: a stable name of that, and a sentence.
    pub fn parse(typed: &str) -> Result<Self, (&'static str, &'static str)> {
        if typed.contains(char::is_control) {
            return Err(("CONTROL_CHARACTER", "search must not contain control characters."));
        }
        let text: String = typed.trim().nfc().collect();
        match text.chars().count() {
            0 => Err(("TOO_SHORT", "search has to name something.")),
            1..=MAX_LENGTH => Ok(Self(text.to_ascii_lowercase())),
            _ => Err(("TOO_LONG", "search may have at most 254 characters.")),
        }
    }

    /// The text as a pattern of SQL's `LIKE … ESCAPE '\'`, where it means nothing but itself.
    pub fn pattern(&self) -> String {
        let mut pattern = String::from("%");
        for c in self.0.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern + "%"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_nothing_but_itself() {
        for (typed, pattern) in [
            ("Ada", "%ada%"),
            (" Ada L ", "%ada l%"),
            ("100%", r"%100\%%"),
            ("a_b", r"%a\_b%"),
            (r"a\b", r"%a\\b%"),
            (r"\%_", r"%\\\%\_%"),
            ("O'Hara\"", "%o'hara\"%"),
            ("E\u{301}mile", "%\u{c9}mile%"),
        ] {
            assert_eq!(Search::parse(typed).unwrap().pattern(), pattern);
        }
    }

    #[test]
    fn a_text_has_a_length_and_can_be_seen() {
        let (longest, longer) = ("é".repeat(254), "e".repeat(255));
        assert!(Search::parse(&longest).is_ok());
        for (typed, code) in [
            ("", "TOO_SHORT"),
            ("  ", "TOO_SHORT"),
            (&longer, "TOO_LONG"),
            ("a\0", "CONTROL_CHARACTER"),
            ("a\n", "CONTROL_CHARACTER"),
            ("\u{85}", "CONTROL_CHARACTER"),
        ] {
            assert_eq!(Search::parse(typed).unwrap_err().0, code, "{typed:?}");
        }
    }
}
