//! `clients/swift`, by a compiler that whoever runs this has to bring (5.9 or later): Debian 12 has none.

use std::process::Command;

use super::scenario::a_phone_keeps_its_session;
use super::{build_folder, compile, repository};

/// From its being installed to its logging out, with everything on the way that may go wrong.
#[test]
fn it_keeps_its_session() {
    let program = build_folder("swift-phone").join("phone");
    let mut swift = Command::new("swiftc");
    swift
        .args(["-swift-version", "5", "-strict-concurrency=complete", "-warnings-as-errors", "-o"])
        .arg(&program)
        .arg(repository().join("clients/swift/Symbolon.swift"))
        .arg(repository().join("tests/phones/main.swift"));
    compile(swift);
    a_phone_keeps_its_session(|| Command::new(&program));
}
