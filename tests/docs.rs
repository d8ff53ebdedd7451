//! Documents that are made from the code are current. `UPDATE_DOCS=1 cargo test --test docs` makes
//! them so.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The README's settings table is what `--help` knows.
#[test]
fn the_settings_table_is_current() {
    keep_current("README.md", "settings", &symbolon::settings::table::markdown());
}

/// What the API is shows in review: `docs/openapi.json` is what `symbolon openapi` prints.
#[test]
fn the_document_of_the_api_is_current() {
    let path = root().join("docs/openapi.json");
    let document = symbolon::openapi::document(symbolon::settings::http::DEFAULT_COOKIE_NAME);
    let current = document.to_pretty_json().unwrap() + "\n";
    compare(&path, &fs::read_to_string(&path).unwrap_or_default(), &current);
}

/// What `docs/clients.md` shows of the clients is what their sources say.
#[test]
fn the_excerpts_of_the_clients_are_current() {
    for (language, file, start) in [
        ("kotlin", "clients/kotlin/Symbolon.kt", "private fun refresh("),
        ("swift", "clients/swift/Symbolon.swift", "private func refresh("),
    ] {
        let excerpt = format!("```{language}\n{}```\n", function(file, start));
        keep_current("docs/clients.md", language, &excerpt);
    }
}

/// A function of a source and the comment above it. Its last line is the first brace of its depth.
fn function(file: &str, start: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.trim_start().starts_with(start)).unwrap();
    let depth = lines[first].len() - lines[first].trim_start().len();
    let closes = |line: &&str| line.trim_start() == "}" && line.len() == depth + 1;
    let length = lines[first..].iter().position(closes).unwrap();
    let is_comment = |line: &&&str| line.trim_start().starts_with(['/', '*']);
    let comment = lines[..first].iter().rev().take_while(is_comment).count();
    let lines = &lines[first - comment..=first + length];
    lines.iter().map(|line| line.get(depth..).unwrap_or_default().to_owned() + "\n").collect()
}

/// Every requirement of `docs/security.md` names the tests that prove it, or says why none can.
#[test]
fn the_security_table_is_current() {
    let proofs = proofs();
    let path = root().join("docs/security.md");
    let text = fs::read_to_string(&path).unwrap();
    let (mut listed, mut unproven) = (Vec::new(), Vec::new());
    let lines = text.lines().map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, requirement, why_none, _, _] = cells[..] else {
            return line.to_owned();
        };
        if !is_id(id) {
            return line.to_owned();
        }
        listed.push(id.to_owned());
        let tests = proofs.get(id).map(|tests| tests.join(", ")).unwrap_or_default();
        if tests.is_empty() && why_none.is_empty() {
            unproven.push(id.to_owned());
        }
        format!("| {id} | {requirement} | {why_none} | {tests} |")
    });
    let current: String = lines.map(|line| line + "\n").collect();
    assert!(unproven.is_empty(), "neither tests nor reasons: {unproven:?}");
    for id in proofs.keys() {
        assert!(listed.contains(id), "a test names {id}, which docs/security.md does not list");
    }
    compare(&path, &text, &current);
}

/// Ids of requirements, each with the tests whose comment says `Security: …`.
fn proofs() -> BTreeMap<String, Vec<String>> {
    let mut proofs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in ["src", "tests", "clients"].iter().flat_map(|folder| sources(&root().join(folder)))
    {
        let place = file.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        let comment = if is_of_type(&file, "rs") { "///" } else { "//" };
        let mut ids: Vec<String> = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some((_, named)) =
                line.strip_prefix(comment).and_then(|l| l.split_once("Security: "))
            {
                let words = named.split(|c: char| !c.is_ascii_alphanumeric());
                ids.extend(words.filter(|word| is_id(word)).map(str::to_owned));
            } else if let Some(name) = test_name(line) {
                for id in ids.drain(..) {
                    proofs.entry(id).or_default().push(format!("`{name}` in {place}"));
                }
            }
        }
    }
    proofs
}

/// The name of the test that begins on this line, in Rust or in JavaScript.
fn test_name(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("fn ") {
        return rest.split('(').next();
    }
    // A long one stands on a line of its own.
    let rest = ["test('", "inBrowsers('", "'"].iter().find_map(|begin| line.strip_prefix(begin))?;
    rest.split('\'').next()
}

fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|letter| ('A'..='N').contains(&letter))
        && (1..=2).contains(&letters.as_str().len())
        && letters.all(|letter| letter.is_ascii_digit())
}

/// What is written by us in Rust and JavaScript.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            files.extend(sources(&path));
        } else if is_of_type(&path, "rs") || is_of_type(&path, "js") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn is_of_type(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|it| it == extension)
}

/// The part of `file` between the markers of `name` is `made`.
fn keep_current(file: &str, name: &str, made: &str) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find(&format!("<!-- {name}:")).unwrap();
    let start = start + text[start..].find('\n').unwrap() + 1;
    let end = text.find(&format!("<!-- /{name} -->")).unwrap();
    let current = format!("{}{made}{}", &text[..start], &text[end..]);
    compare(&path, &text, &current);
}

fn compare(path: &Path, text: &str, current: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, current).unwrap();
    } else {
        let path = path.display();
        assert!(text == current, "{path} is out of date: run UPDATE_DOCS=1 cargo test --test docs");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
