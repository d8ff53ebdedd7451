//! `clients/kotlin`, compiled by a current Kotlin and run with a current `OkHttp` (`tests/phones`).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::scenario::a_phone_keeps_its_session;
use super::{build_folder, compile, repository};

/// Of the compiler's package.
const COMPILER: [&str; 4] = [
    "annotations-13.0.jar",
    "kotlin-compiler.jar",
    "kotlin-stdlib.jar",
    "kotlinx-coroutines-core-jvm.jar",
];

/// Of a tool for reports, which brings `OkHttp` along. That is not on npm by itself, and so the tests
/// need no second kind of registry. The tool is never run.
const LIBRARIES: [&str; 2] = ["okhttp-jvm-5.5.0.jar", "okio-jvm-3.18.1.jar"];

/// What Android has of its own, as Debian packs it.
const JSON: &str = "/usr/share/java/json-android.jar";

fn jars(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    let jars: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    for jar in &jars {
        assert!(jar.exists(), "there is no {}: run scripts/install", jar.display());
    }
    jars
}

fn class_path(jars: &[PathBuf]) -> String {
    std::env::join_paths(jars).unwrap().into_string().unwrap()
}

/// Java, with little to do.
fn java(jars: &[PathBuf]) -> Command {
    let mut java = Command::new("java");
    java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &class_path(jars)]);
    java
}

/// From its being installed to its logging out, with everything on the way that may go wrong.
#[test]
fn it_keeps_its_session() {
    let packages = repository().join("node_modules");
    let compiler = packages.join("kotlin-compiler");
    let compiler_jars = jars(&compiler.join("lib"), &COMPILER);
    let plugin = packages.join("allure-commandline/dist/plugins/jira-plugin/lib");
    let mut libraries = jars(&plugin, &LIBRARIES);
    libraries.extend(jars(Path::new("/"), &[JSON]));

    let classes = build_folder("kotlin-phone");
    let mut kotlin = java(&compiler_jars);
    kotlin
        .arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler")
        .args(["-Werror", "-no-reflect", "-cp", &class_path(&libraries), "-kotlin-home"])
        .arg(compiler)
        .arg(repository().join("clients/kotlin/Symbolon.kt"))
        .arg(repository().join("tests/phones/Phone.kt"))
        .arg("-d")
        .arg(&classes);
    compile(kotlin);

    libraries.push(classes);
    libraries.extend(compiler_jars);
    a_phone_keeps_its_session(|| {
        let mut program = java(&libraries);
        program.arg("PhoneKt");
        program
    });
}
