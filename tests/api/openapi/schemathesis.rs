//! The service as schemathesis finds it, which reads the document and makes up calls: sound ones, broken ones,
//! and chains of them. What it is told beside the document is in `tests/schemathesis`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::process::{Process, free_port, on};
use crate::support::rounds;

/// The same in every short round, so that a failure can be looked at.
const SEED: &str = "20260301";

const SETTINGS: [(&str, &str); 2] = [
    ("INTROSPECTION_CLIENTS", "fuzzer:the-secret-of-the-fuzzer"),
    // Tokens that are used again and again.
    ("REFRESH_GRACE", "1h"),
];

on_both_databases! {
    fn what_it_makes_up_is_answered_as_documented(db) {
        let service = Process::start(&db, free_port(), &SETTINGS);
        let examples = rounds(2, 100).to_string();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
        let mut schemathesis = Command::new(installed());
        schemathesis
            .current_dir(db.dir.path())
            .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
            .args(["--config-file", folder.join("schemathesis.toml").to_str().unwrap()])
            .args(["run", &format!("{}/openapi.json", service.base), "--checks", "all"])
            .args(["--max-examples", &examples, "--no-color"])
            // The command that makes administrators has the settings of the service.
            .envs(on(&db).get_envs().filter_map(|(name, value)| Some((name, value?))))
            .envs(SETTINGS)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SYMBOLON_URL", &service.base)
            .env("SYMBOLON_BINARY", env!("CARGO_BIN_EXE_symbolon"));
        if rounds(0, 1) == 0 {
            schemathesis.args(["--seed", SEED]);
        }
        let output = schemathesis.output().unwrap();
        // It ends by saying which seed it had.
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!service.logged().contains("ERROR"), "{}", service.logged());
    }
}

/// Where `scripts/install` has put it.
fn installed() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let program = target.join("schemathesis/bin/schemathesis");
    assert!(program.exists(), "there is no schemathesis: run scripts/install");
    program
}
