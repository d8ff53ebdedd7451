//! The folder of keys as a running service sees it.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use symbolon::clock::Clock;
use symbolon::signing::key_file::KeyAlgorithm::{EdDsa, Es256};

use crate::support::keys::{header, kid};
use crate::support::process::{self, Process, free_port};
use crate::support::{Db, TestServer};

fn keys(db: &Db, arguments: &[&str]) -> String {
    let mut command = process::on(db);
    command.arg("keys").args(arguments).env("SIGNING_KEYS_DIR", db.keys_dir());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn start(db: &Db, variables: &[(&str, &str)]) -> Process {
    let folder = db.keys_dir().to_string_lossy().into_owned();
    let variables = [&[("SIGNING_KEYS_DIR", &*folder)], variables].concat();
    Process::start(db, free_port(), &variables)
}

/// Waits until `done`.
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn hang_up(process: &Process) {
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
}

on_both_databases! {
    /// Security: A15. The real service, which goes on through it all without a restart.
    fn keys_are_replaced_while_it_serves(db) {
        let wait = ("KEY_ACTIVATION", "4s");
        let process = start(&db, &[wait]);
        let ada = process.register("ada@example.com");
        let first = keys(&db, &["generate"]);
        let first = first.split(' ').next().unwrap();
        let login = || process.login("ada@example.com").access;
        // The token may still be of HS256, which has no `kid`.
        let signs = |key: &str| header(&login())["kid"] == *key;
        wait_until("the first key is noticed without being told", || signs(first));
        process.me(&ada.access).expect_failure(401, "TOKEN_INVALID");
        let before = login();

        let second = keys(&db, &["generate", "--alg", "EdDSA"]);
        let second = second.split(' ').next().unwrap();
        hang_up(&process);
        let published = |key: &str| process.get("/.well-known/jwks.json").send().text.contains(key);
        wait_until("the second key is published when told", || published(second));
        assert_eq!(kid(&login()), first);
        wait_until("the second key signs", || kid(&login()) == second);
        process.me(&before).expect(200);

        let third = keys(&db, &["generate", "--now"]);
        let third = third.split(' ').next().unwrap();
        hang_up(&process);
        wait_until("the third key signs at once", || kid(&login()) == third);
        process.me(&before).expect(200);

        // Stolen: its tokens are refused as soon as it is gone.
        keys(&db, &["retire", first, "--now"]);
        hang_up(&process);
        wait_until("the stolen key is gone", || process.me(&before).status == 401);
        assert!(!published(first));
        let log = process.logged();
        process.terminate();
        assert!(process.wait().success());
        assert!(!log.contains("PRIVATE"), "{log}");
    }
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let key = server.add_key(Es256);
    let folder = server.db.keys_dir();
    let ada = server.register("ada@example.com");
    let good = folder.join(format!("{key}.pem"));
    let text = std::fs::read_to_string(&good).unwrap();

    for broken in ["", "nonsense", &text[..text.len() / 2], &text.replace("PRIVATE", "PUBLIC")] {
        std::fs::write(folder.join("broken.pem"), broken).unwrap();
        server.notice_keys();
        assert_eq!(server.published(), [&*key]);
        server.me(&ada.access).expect(200);
        // A key that is broken where it stands is still the same.
        std::fs::write(&good, broken).unwrap();
        server.notice_keys();
        server.me(&ada.access).expect(200);
        std::fs::write(&good, &text).unwrap();
    }
    // Nor does one key in two files, nor a folder that was emptied.
    std::fs::write(folder.join("broken.pem"), &text).unwrap();
    server.notice_keys();
    server.me(&ada.access).expect(200);
    std::fs::remove_file(folder.join("broken.pem")).unwrap();
    std::fs::remove_file(&good).unwrap();
    server.notice_keys();
    assert_eq!(server.published(), [&*key]);
    server.me(&ada.access).expect(200);

    // Once it can be read again, it is, though nothing has changed since.
    let other = server.add_key(EdDsa);
    assert_eq!(server.published(), [&*other]);
    server.me(&ada.access).expect_failure(401, "TOKEN_INVALID");
}

/// A stolen key goes whatever else is wrong in the folder.
#[test]
fn what_is_broken_keeps_no_stolen_key() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let stolen = server.add_key(Es256);
    let ada = server.register("ada@example.com");
    let next = server.add_key(Es256);
    let folder = server.db.keys_dir();
    std::fs::write(folder.join("broken.pem"), "nonsense").unwrap();
    assert!(keys(&server.db, &["retire", &stolen, "--now"]).contains("deleted"));
    server.notice_keys();
    server.me(&ada.access).expect_failure(401, "TOKEN_INVALID");
    assert_eq!(server.published(), [&*next]);
    assert_eq!(kid(&server.login("ada@example.com").access), next);
}

/// Whoever waits for a file waits alone.
#[test]
fn a_pipe_in_the_folder_holds_nobody_up() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let key = server.add_key(Es256);
    let pipe = server.db.keys_dir().join("pipe.pem");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    server.notice_keys();
    assert_eq!(server.published(), [&*key]);
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let folder = server.db.keys_dir();
    let key = server.add_key(Es256);
    std::fs::write(folder.join("README"), "not a key").unwrap();
    std::fs::write(folder.join("half.new"), "not a key yet").unwrap();
    server.notice_keys();
    assert_eq!(server.published(), [&*key]);
}

/// Keys made by other programs are taken, in the form that these write.
#[test]
fn keys_of_openssl_are_taken() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let folder = server.db.keys_dir();
    std::fs::create_dir_all(&folder).unwrap();
    let make = |options: &[&str], name: &str| {
        let made = Command::new("openssl").arg("genpkey").args(options).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::write(folder.join(name), made.stdout).unwrap();
    };
    make(&["-algorithm", "ed25519"], "a.pem");
    server.notice_keys();
    let ada = server.register("ada@example.com");
    server.me(&ada.access).expect(200);
    assert_eq!(header(&ada.access)["alg"], "EdDSA");
    make(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "b.pem");
    server.notice_keys();
    assert_eq!(server.published().len(), 2);
    for (options, name) in [
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"][..], "c.pem"),
        (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "d.pem"),
        (&["-algorithm", "ed448"], "e.pem"),
    ] {
        make(options, name);
        let faults = symbolon::signing::read(&folder, Duration::ZERO).unwrap().faults;
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains(&format!("{name} holds no private key")), "{faults:?}");
        std::fs::remove_file(folder.join(name)).unwrap();
    }
}

#[test]
fn keys_that_others_can_read_are_warned_about() {
    let db = Db::sqlite();
    keys(&db, &["generate"]);
    let file = std::fs::read_dir(db.keys_dir()).unwrap().next().unwrap().unwrap().path();
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    assert!(!start(&db, &[]).logged().contains("0600"));
    mode(0o640);
    assert!(start(&db, &[]).logged().contains("should have mode 0600"));
    // A copy of one that has no date loses its age.
    let openssl = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519"]).output();
    std::fs::write(db.keys_dir().join("undated.pem"), openssl.unwrap().stdout).unwrap();
    assert!(start(&db, &[]).logged().contains("undated.pem has no `Created:` line"));
}

/// The clock that decides is the one that is shared, not that of the file system.
#[test]
fn a_key_from_the_future_is_published_only() {
    let server = TestServer::with_keys(Db::sqlite(), &[]);
    let first = server.add_key(Es256);
    let later = server.clock.now() + Duration::from_secs(3600);
    let second = crate::support::keys::make_key(&server.db.keys_dir(), Es256, later);
    server.notice_keys();
    assert_eq!(kid(&server.register("ada@example.com").access), first);
    assert!(server.published().contains(&second.kid().to_owned()));
}
