//! E-mail addresses: kept as typed, compared on a canonical form.

use email_address::Options;
use unicode_normalization::UnicodeNormalization;

/// The longest address (RFC 5321, 4.5.3.1.3: a path of 256 with its brackets), in bytes.
const MAX_BYTES: usize = 254;

/// An address that mail can be sent to, as far as its form tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress {
    typed: String,
    canonical: String,
}

impl EmailAddress {
    /// Reads an address; `None` for what is none.
    pub fn parse(typed: &str) -> Option<Self> {
        let normalized: String = typed.nfc().collect();
        if typed.len() > MAX_BYTES
            || normalized.chars().any(|c| c.is_control() || c.is_whitespace())
        {
            return None;
        }
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        email_address::EmailAddress::parse_with_options(&normalized, options).ok()?;
        let (local, domain) = normalized.rsplit_once('@')?;
        let domain = idna::domain_to_ascii_strict(domain).ok()?;
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        Some(Self { typed: typed.to_owned(), canonical })
    }

    /// As its owner typed it.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// What addresses are compared by: NFC, the domain in lower-case ASCII, the local part with its
    /// ASCII letters in lower case.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security: F3.
    #[test]
    fn addresses_are_compared_on_one_form() {
        let cases = [
            ("Ada@Example.COM", "ada@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ADA@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("jose\u{301}@example.com", "jos\u{e9}@example.com"),
            ("a.b+c@example.co.uk", "a.b+c@example.co.uk"),
        ];
        for (typed, canonical) in cases {
            let email = EmailAddress::parse(typed).unwrap();
            assert_eq!((email.typed(), email.canonical()), (typed, canonical));
        }
    }

    /// Security: F4.
    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        let refused = [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@exa mple.com",
            "a\r\nb@example.com",
            "ada@example.com\n",
            " ada@example.com",
            "Ada <ada@example.com>",
            "ada@[127.0.0.1]",
            "ada@@example.com",
            "ada\0@example.com",
            "ada@-example-.com",
            &long,
        ];
        for typed in refused {
            assert_eq!(EmailAddress::parse(typed), None, "{typed:?}");
        }
    }
}
