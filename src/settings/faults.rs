//! Finding every fault in the settings before giving up, so that one start shows them all.

use std::fmt;
use std::time::Duration;

use crate::secret::Secret;

/// What is wrong with the settings: a line for each fault, naming its variable.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Notes that the variable `name` has `problem`.
    pub fn note(&mut self, name: &str, problem: impl fmt::Display) {
        self.0.push(format!("{name}: {problem}"));
    }

    /// Reads `text` by `read`; where that fails, notes the fault and goes on with `fallback`.
    pub fn read<T>(
        &mut self,
        name: &str,
        text: &str,
        fallback: T,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        read(text.trim()).unwrap_or_else(|problem| {
            self.note(name, problem);
            fallback
        })
    }

    /// A secret given directly or by a file, but not both.
    pub fn secret(
        &mut self,
        name: &str,
        direct: Option<&Secret>,
        file: Option<&str>,
    ) -> Option<Secret> {
        let direct = direct.filter(|text| !text.expose().trim().is_empty());
        match (direct, given(file)) {
            (Some(_), Some(_)) => {
                self.note(name, format_args!("set either {name} or {name}_FILE, not both"));
                None
            }
            (Some(secret), None) => Some(secret.clone()),
            (None, Some(file)) => match std::fs::read_to_string(file) {
                Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
                Err(error) => {
                    self.note(&format!("{name}_FILE"), format_args!("cannot read {file}: {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// `value`, unless a fault was found.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings have faults:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

/// What was given, an empty text counting as nothing: `JWT_SECRET=` in a compose file means unset.
pub fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The parts of a comma-separated list, trimmed, without empty ones.
pub fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Reads a duration such as `10s`, `15m`, `12h` or `7d`; nothing is `0` in every unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || format!("`{text}` is no duration; write it like 10s, 15m, 12h or 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

/// Reads a duration of at least one second.
pub fn lifetime(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be longer than nothing".into()),
        // A hundred years keeps every time within what both databases store.
        long if long > Duration::from_secs(36_500 * 86_400) => Err("is over 100 years".into()),
        lifetime => Ok(lifetime),
    }
}

/// Reads a whole number between `least` and `most`.
pub fn number(least: u32, most: u32) -> impl FnOnce(&str) -> Result<u32, String> {
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a whole number from {least} to {most}")),
    }
}

/// Reads `true` or `false`.
pub fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("`{text}` is neither true nor false"))
}
