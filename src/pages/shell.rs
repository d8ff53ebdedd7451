//! The HTML of a page: the same for everybody, with what its script has to know in advance.

use askama::Template;

use crate::settings::Settings;

/// What pages have to know of the settings, and where to go on from them; `web/facts.html` writes it
/// into attributes of the root element.
struct Facts {
    registration: &'static str,
    password_min_length: usize,
    verified_email: &'static str,
    return_to: Option<String>,
}

impl Facts {
    fn of(settings: &Settings, return_to: Option<String>) -> Self {
        let passwords = &settings.passwords;
        let (open, required) = (passwords.registration_open, passwords.require_verified_email);
        Self {
            registration: if open { "open" } else { "closed" },
            password_min_length: passwords.rules.min_length,
            verified_email: if required { "required" } else { "optional" },
            return_to,
        }
    }
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    facts: Facts,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct Admin {
    facts: Facts,
}

/// The page of an account, which leads to `return_to` in the end.
pub fn account(settings: &Settings, return_to: Option<String>) -> askama::Result<String> {
    Account { facts: Facts::of(settings, return_to) }.render()
}

/// The page of administrators.
pub fn admin(settings: &Settings) -> askama::Result<String> {
    Admin { facts: Facts::of(settings, None) }.render()
}
