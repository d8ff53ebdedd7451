//! Users as lines of JSON: read and checked for an import, written by an export.
//!
//! Reading goes on behind a fault, so that whoever imports learns of all of them at once.

use std::collections::HashMap;
use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use super::email::EmailAddress;
use super::profile;
use super::user::{Role, User};
use crate::crypto::password::PasswordHash;
use crate::db::{Id, Moment};
use crate::random::Random;

/// A user as a line says it. What is absent and what is `null` is the same.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Line {
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
    role: Option<Role>,
    email_verified: Option<bool>,
    /// RFC 3339.
    created_at: Option<String>,
    disabled: Option<bool>,
}

impl Line {
    /// The line of a user.
    pub fn of(user: User, hash: &PasswordHash) -> Self {
        Self {
            email: user.email,
            name: user.name,
            password_hash: hash.is_set().then(|| hash.as_str().to_owned()),
            role: Some(user.role),
            email_verified: Some(user.email_verified_at.is_some()),
            created_at: Some(user.created_at.to_string()),
            disabled: Some(user.disabled_at.is_some()),
        }
    }
}

/// A user that is to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The number of the line that the user is on, from 1.
    pub line: usize,
    /// The user.
    pub user: User,
    /// The user's address.
    pub email: EmailAddress,
    /// The hash of the user's password, which may be unset.
    pub hash: PasswordHash,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong, without anything of a password's hash.
    pub message: String,
}

/// The longest message, in characters.
const MAX_MESSAGE: usize = 300;

impl Fault {
    /// A fault of a line, which a message may quote: the begin of it, and no control characters, which
    /// would act on the reader's terminal.
    pub fn new(line: usize, message: &str) -> Self {
        let mut plain = String::new();
        for character in message.chars().take(MAX_MESSAGE) {
            if character.is_control() {
                plain.extend(character.escape_default());
            } else {
                plain.push(character);
            }
        }
        Self { line, message: plain }
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Reading {
    /// Every user whose address can be read, in the order of their ids. To be added only where there
    /// are no faults.
    pub users: Vec<NewUser>,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
}

/// Reads users, one a line, made at `now` unless the line says otherwise. Blank lines are passed
/// over. `each` is told the number of every line that was read.
pub fn read(
    input: impl BufRead,
    now: Moment,
    random: &dyn Random,
    mut each: impl FnMut(usize),
) -> io::Result<Reading> {
    let mut reading = Reading::default();
    let mut lines = HashMap::new();
    for (number, bytes) in (1..).zip(input.split(b'\n')) {
        let mut bytes = &*bytes?;
        if number == 1 {
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        if !bytes.trim_ascii().is_empty() {
            reading.take(number, bytes, now, random, &mut lines);
        }
        each(number);
    }
    put_in_order(&mut reading.users);
    Ok(reading)
}

/// How some editors begin a UTF-8 file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Reading {
    /// Takes a line's user and faults; `lines` knows the line of each address.
    fn take(
        &mut self,
        number: usize,
        bytes: &[u8],
        now: Moment,
        random: &dyn Random,
        lines: &mut HashMap<String, usize>,
    ) {
        let mut fault = |message: &str| self.faults.push(Fault::new(number, message));
        let line = match parse(bytes) {
            Ok(line) => line,
            Err(message) => return fault(&message),
        };
        let name = line.name.as_deref().and_then(profile::clean_name);
        if let Some((_, objection)) = name.as_deref().and_then(profile::name_objection) {
            fault(objection);
        }
        let hash = line.password_hash.map_or(Ok(PasswordHash::unset()), PasswordHash::import);
        let hash = hash.unwrap_or_else(|objection| {
            fault(objection);
            PasswordHash::unset()
        });
        let created_at = line.created_at.map_or(Ok(now), |text| moment(&text, now));
        let created_at = created_at.unwrap_or_else(|message| {
            fault(&message);
            now
        });
        let Some(email) = EmailAddress::parse(&line.email) else {
            return fault(&format!("`{}` is no e-mail address", line.email));
        };
        if let Some(first) = lines.get(email.canonical()) {
            fault(&format!("`{}` is on line {first} already", line.email));
        } else {
            lines.insert(email.canonical().to_owned(), number);
        }
        let user = User {
            id: Id::new(created_at, random),
            email: line.email,
            name,
            role: line.role.unwrap_or_default(),
            email_verified_at: line.email_verified.unwrap_or(false).then_some(now),
            disabled_at: line.disabled.unwrap_or(false).then_some(now),
            last_login_at: None,
            created_at,
        };
        self.users.push(NewUser { line: number, user, email, hash });
    }
}

/// Reads one JSON object. Serde would take an array for a struct, so that is refused first.
fn parse(bytes: &[u8]) -> Result<Line, String> {
    let text = str::from_utf8(bytes).map_err(|_| "this is not UTF-8")?;
    if !text.trim_start().starts_with('{') {
        return Err("this is no JSON object".to_owned());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let line = serde_path_to_error::deserialize(&mut json).map_err(|error| explain(&error))?;
    json.end().map_err(|_| "there is something behind the JSON object")?;
    Ok(line)
}

/// Names the field of a wrong type without repeating the value: it may be the hash of a password.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let message = error.inner().to_string();
    if message.starts_with("invalid type") || message.starts_with("invalid value") {
        return format!("`{}` is of a wrong type", error.path());
    }
    let place = format!(" at line 1 column {}", error.inner().column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    if error.inner().is_data() {
        message.to_owned()
    } else {
        format!("this is no JSON: {message} at column {}", error.inner().column())
    }
}

/// When an account was made: not before 1970, since its id counts from then.
fn moment(text: &str, now: Moment) -> Result<Moment, String> {
    match Moment::parse(text) {
        None => Err(format!("createdAt `{text}` is no RFC 3339 time, as 2024-05-31T09:30:00Z is")),
        Some(moment) if moment > now => Err(format!("createdAt `{text}` is in the future")),
        Some(moment) if moment.unix_micros() < 0 => {
            Err(format!("createdAt `{text}` is before 1970"))
        }
        Some(moment) => Ok(moment),
    }
}

/// Has ids sort as the times do and, within the millisecond that an id can tell, as the lines do: an
/// export, and the export of its import, are in one order.
fn put_in_order(users: &mut [NewUser]) {
    let mut ids: Vec<Id> = users.iter().map(|new| new.user.id).collect();
    ids.sort_unstable();
    users.sort_by_key(|new| new.user.created_at.unix_micros() / 1000);
    for (new, id) in users.iter_mut().zip(ids) {
        new.user.id = id;
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use bcrypt::BASE_64;
    use proptest::prelude::*;

    use super::*;
    use crate::random::SystemRandom;

    const NOW: i64 = 1_800_000_000_000_000;

    prop_compose! {
        fn line()(
            email in "[a-zA-Z0-9]{1,20}@[a-z]{1,10}\\.example",
            name in proptest::option::of("[^\\p{Cc}]{1,100}"),
            hash in proptest::option::of((0..4usize, 4..=15u32, any::<([u8; 16], [u8; 23])>())),
            role in proptest::sample::select(vec![Role::User, Role::Moderator, Role::Admin]),
            email_verified: bool,
            created_at in 0..=NOW,
            disabled: bool,
        ) -> String {
            let hash = hash.map(|(kind, cost, (salt, digest))| {
                let (salt, digest) = (BASE_64.encode(salt), BASE_64.encode(digest));
                match ["2a", "2b", "2y"].get(kind) {
                    Some(version) => format!("${version}${cost:02}${salt}{digest}"),
                    None => format!("$bcrypt-sha256$v=2,t=2b,r={cost}${salt}${digest}"),
                }
            });
            let line = Line {
                email,
                name: name.as_deref().and_then(profile::clean_name),
                password_hash: hash,
                role: Some(role),
                email_verified: Some(email_verified),
                created_at: Some(Moment::from_unix_micros(created_at).to_string()),
                disabled: Some(disabled),
            };
            serde_json::to_string(&line).unwrap()
        }
    }

    fn read_all(lines: &str) -> Reading {
        read(lines.as_bytes(), Moment::from_unix_micros(NOW), &SystemRandom, |_| ()).unwrap()
    }

    proptest! {
        #[test]
        fn a_line_becomes_a_user_and_the_same_line_again(line in line()) {
            let mut reading = read_all(&line);
            prop_assert_eq!(reading.faults, []);
            let new = reading.users.remove(0);
            prop_assert_eq!(serde_json::to_string(&Line::of(new.user, &new.hash)).unwrap(), line);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let now = Moment::from_unix_micros(NOW);
            let reading = read(&*bytes, now, &SystemRandom, |_| ()).unwrap();
            prop_assert_eq!(reading.users.len(), 0);
        }
    }

    #[test]
    fn ids_sort_by_time_and_then_by_line() {
        let times =
            ["2024-01-01T00:00:00.0019Z", "2023-01-01T00:00:00Z", "2024-01-01T00:00:00.0011Z"];
        let line = |number: usize| {
            let time = times[number % 3];
            format!("{{\"email\":\"user{number}@example.com\",\"createdAt\":\"{time}\"}}\n")
        };
        let reading = read_all(&(0..60).map(line).collect::<String>());
        assert_eq!(reading.faults, []);
        let mut users = reading.users;
        users.sort_by_key(|new| new.user.id);
        let lines: Vec<usize> = users.iter().map(|new| new.line).collect();
        let (old, new): (Vec<usize>, Vec<usize>) = (1..=60).partition(|line| line % 3 == 2);
        assert_eq!(lines, [old, new].concat());
    }
}
