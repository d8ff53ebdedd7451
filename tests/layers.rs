//! The layers of the crate, held to: who may name the web framework, the database, the clock and
//! the source of randomness. [`RULES`] is the list; whatever breaks it is named with file and line.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// Longer than this, a file is two things.
const MOST_LINES: usize = 350;

/// Identifiers that code may use only in some places, or nowhere in others.
struct Rule {
    /// The identifiers; a `*` at the end stands for any ending.
    names: &'static [&'static str],
    place: Place,
    because: &'static str,
}

/// Files, by their path. `src/x/**` is all below `src/x`, `**/x.rs` every file named so.
enum Place {
    OnlyIn(&'static [&'static str]),
    NotIn(&'static [&'static str]),
}

const RULES: &[Rule] = &[
    Rule {
        names: &["actix*"],
        place: Place::OnlyIn(&[
            "src/server.rs",
            "src/error.rs",
            "src/health.rs",
            "src/http/**",
            "src/discovery/**",
            "src/verifier/**",
            "**/routes.rs",
        ]),
        because: "HTTP ends at the routes: what they call is plain synchronous Rust",
    },
    Rule {
        names: &["diesel*"],
        place: Place::OnlyIn(&[
            "src/db/**",
            "**/store.rs",
            "src/accounts/store/**",
            "src/sessions/store/**",
            // What tells diesel the SQL type of each has to stand at the type.
            "src/id.rs",
            "src/moment.rs",
        ]),
        because: "queries live in the stores",
    },
    Rule {
        names: &["actix*", "ureq", "Clock"],
        place: Place::NotIn(&["src/verifier/token.rs", "src/signing/rule.rs"]),
        because: "what tokens and keys are good for is decided by pure functions",
    },
    Rule {
        names: &["store", "schema", "tx", "Database", "AnyConnection", "DbError"],
        place: Place::NotIn(&["src/sessions/token.rs"]),
        because: "the rule of rotation is a pure function, tested without a database",
    },
    Rule {
        names: &["SystemTime"],
        place: Place::OnlyIn(&["src/clock.rs"]),
        because: "time comes from the `Clock` that was handed in",
    },
    Rule {
        names: &["rand", "getrandom"],
        place: Place::OnlyIn(&["src/random.rs"]),
        because: "randomness comes from the source that was handed in",
    },
];

#[test]
fn the_source_keeps_to_the_layers() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&root.join("src"))?;
    assert!(!files.is_empty(), "there is no source to look at");

    let mut faults = Vec::new();
    for file in files {
        let path = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        faults.extend(check(&path, &fs::read_to_string(&file)?));
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    Ok(())
}

/// Every `.rs` file below `folder`, in a fixed order.
fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();

    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// What is wrong with the file at `path` that holds `text`, each fault as `path:line: …`.
fn check(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = code_of(line);
        for rule in RULES.iter().filter(|rule| rule.place.forbids(path)) {
            if let Some(name) = identifiers(&code).find(|name| rule.names_it(name)) {
                faults.push(format!("{path}:{number}: names `{name}`, but {}", rule.because));
            }
        }
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        faults.push(format!("{path}:{MOST_LINES}: has {lines} lines, {MOST_LINES} are the most"));
    }
    faults
}

impl Rule {
    fn names_it(&self, identifier: &str) -> bool {
        self.names.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => identifier.starts_with(start),
            None => identifier == *name,
        })
    }
}

impl Place {
    fn forbids(&self, path: &str) -> bool {
        let among = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, path));
        match self {
            Self::OnlyIn(patterns) => !among(patterns),
            Self::NotIn(patterns) => among(patterns),
        }
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    if let Some(folder) = pattern.strip_suffix("**") {
        path.starts_with(folder)
    } else if let Some(name) = pattern.strip_prefix("**") {
        path.ends_with(name)
    } else {
        path == pattern
    }
}

/// The line without its comment and without what stands in quotes.
///
/// It sees one line at a time, so of a text that goes over several it takes the middle for code.
fn code_of(line: &str) -> String {
    let mut code = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['"', '/']) {
        code.push_str(&rest[..at]);
        code.push(' ');
        let found = &rest[at..];
        if found.starts_with("//") {
            return code;
        }
        let quoted = found.strip_prefix('"').and_then(|text| text.split_once('"'));
        rest = quoted.map_or(&found[1..], |(_, after)| after);
    }
    code + rest
}

fn identifiers(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Other services that only check our tokens build none of this.
#[test]
fn the_verifier_stands_alone() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"]);
    cargo.args(["--no-default-features", "--features", "verifier"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"jsonwebtoken"), "{}", String::from_utf8_lossy(&output.stderr));
    for absent in ["diesel", "bcrypt", "r2d2", "libsqlite3-sys", "redis", "lettre", "clap"] {
        assert!(!crates.contains(&absent), "the verifier builds {absent}");
    }
}

#[test]
fn each_breach_is_seen_with_its_file_and_line() {
    for (path, line, name) in [
        ("src/sessions/rotate.rs", "use actix_web::HttpRequest;", "actix_web"),
        ("src/accounts/store.rs", "fn f(r: actix_web_httpauth::X) {}", "actix_web_httpauth"),
        ("src/accounts/routes.rs", "use diesel::prelude::*;", "diesel"),
        ("src/error.rs", "    Query(#[from] diesel::result::Error),", "diesel"),
        ("src/sessions/token.rs", "use crate::sessions::store;", "store"),
        ("src/sessions/token.rs", "use crate::db::{Database, Id};", "Database"),
        ("src/db/tx.rs", "let now = SystemTime::now();", "SystemTime"),
        ("src/crypto/opaque.rs", r#"let s = "quoted"; getrandom::fill(b) // why"#, "getrandom"),
        ("src/routes.rs.rs", "actix_web::main!()", "actix_web"),
    ] {
        let faults = check(path, &format!("//! Words.\n{line}\n"));
        assert_eq!(faults.len(), 1, "{path}: {line}: {faults:?}");
        assert!(faults[0].starts_with(&format!("{path}:2: names `{name}`")), "{}", faults[0]);
    }

    let long = "\n".repeat(MOST_LINES + 1);
    assert_eq!(check("src/lib.rs", &long).len(), 1, "a long file is seen");
}

#[test]
fn what_is_allowed_passes() {
    for (path, line) in [
        ("src/accounts/routes.rs", "use actix_web::web;"),
        ("src/http/blocking.rs", "use actix_web::web;"),
        ("src/accounts/store.rs", "use diesel::prelude::*;"),
        ("src/db/types.rs", "use diesel::sql_types::Integer;"),
        ("src/clock.rs", "use std::time::SystemTime;"),
        ("src/random.rs", "rand::rng().fill_bytes(bytes)"),
        ("src/sessions/token.rs", "use crate::db::types::{Id, Moment};"),
        ("src/sessions/rotate.rs", "/// Not for `actix_web` or diesel."),
        ("src/sessions/rotate.rs", "let a = 1 / 2; // as diesel has it"),
        ("src/settings/log.rs", r#"const QUIET: &str = "actix_server=warn";"#),
    ] {
        assert_eq!(check(path, line), Vec::<String>::new(), "{path}: {line}");
    }
    assert_eq!(check("src/lib.rs", &"\n".repeat(MOST_LINES)), Vec::<String>::new());
}
