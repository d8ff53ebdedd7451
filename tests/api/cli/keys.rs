//! `symbolon keys`.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use symbolon::db::Moment;
use symbolon::signing;
use symbolon::signing::key_file::KeyAlgorithm;

use super::{command, with};
use crate::settings::{Said, run};
use crate::support::Db;
use crate::support::keys::make_key;

fn keys(db: &Db, words: &str) -> Said {
    let mut command = with(db, "keys");
    run(command.args(words.split_whitespace()).env("SIGNING_KEYS_DIR", db.keys_dir()))
}

/// What it prints, which is all that it says.
#[track_caller]
fn done(db: &Db, words: &str) -> String {
    let said = keys(db, words);
    assert_eq!(said.err, "");
    said.done()
}

#[track_caller]
fn failed(db: &Db, words: &str) -> String {
    keys(db, words).failed()
}

/// The `kid` that a line begins with.
fn kid(line: &str) -> String {
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn keys_are_made_and_listed() {
    let db = Db::sqlite();
    assert_eq!(done(&db, "list"), "", "there is no folder yet");
    let first = done(&db, "generate");
    assert!(first.ends_with(" ES256 signs\n"), "{first}");
    let second = done(&db, "generate --alg eddsa");
    assert!(second.contains(" EdDSA next, signs from 20"), "{second}");
    let third = done(&db, "generate --alg ES256 --now");
    assert!(third.ends_with(" ES256 signs\n"), "{third}");
    let list = done(&db, "list");
    let lines: Vec<&str> = list.lines().collect();
    assert!(
        lines[0].starts_with(&kid(&first)) && lines[0].contains(" verifies until 20"),
        "{list}"
    );
    // One that was passed over before it signed is needed no more.
    assert_eq!(
        lines[1],
        format!("{} EdDSA done, can be deleted by `keys retire --now`", kid(&second))
    );
    assert_eq!(lines[2], third.trim_end());
}

/// Security: N1. Files for their owner alone, in the form that other programs read.
#[test]
fn a_key_is_a_private_file_that_openssl_reads() {
    let db = Db::sqlite();
    let made = [done(&db, "generate"), done(&db, "generate --alg EdDSA")];
    let mode_of = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode_of(db.keys_dir()), 0o700);
    for line in made {
        let file = db.keys_dir().join(format!("{}.pem", kid(&line)));
        assert_eq!(mode_of(file.clone()), 0o600);
        let mut openssl = std::process::Command::new("openssl");
        let read = openssl.args(["pkey", "-noout", "-text", "-in"]).arg(&file).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        // Nor does any message repeat what is in it.
        assert!(!done(&db, "list").contains("PRIVATE"));
    }
    assert_eq!(std::fs::read_dir(db.keys_dir()).unwrap().count(), 2, "and no drafts");
}

#[test]
fn a_key_is_retired_by_its_id() {
    let db = Db::sqlite();
    let first = kid(&done(&db, "generate"));
    let alone = failed(&db, &format!("retire {first}"));
    assert!(alone.contains("no other key could sign next: make one first"), "{alone}");
    failed(&db, &format!("retire {first} --now"));
    let unknown = failed(&db, "retire nobody");
    assert_eq!(unknown, "symbolon: there is no key nobody\n");

    let second = kid(&done(&db, "generate"));
    let retired = done(&db, &format!("retire {first}"));
    assert!(retired.starts_with(&format!("{first} ES256 verifies until 20")), "{retired}");
    let list = done(&db, "list");
    assert!(list.contains(&format!("{second} ES256 signs")), "{list}");
    // Again, it stays retired since then.
    assert_eq!(done(&db, &format!("retire {first}")), retired);
    // The one before does not come back.
    failed(&db, &format!("retire {second}"));
    failed(&db, &format!("retire {second} --now"));

    let third = kid(&done(&db, "generate"));
    let unused = done(&db, &format!("retire {third}"));
    assert!(unused.starts_with(&format!("{third} ES256 done")), "{unused}");
    for key in [&third, &first] {
        assert_eq!(done(&db, &format!("retire {key} --now")), format!("{key} deleted\n"));
    }
    assert_eq!(done(&db, "list"), format!("{second} ES256 signs\n"));
}

/// Whatever stands in front of the key, it is kept when the file is written again.
#[test]
fn a_retired_key_is_still_the_same_key() {
    let db = Db::sqlite();
    let first = kid(&done(&db, "generate"));
    done(&db, "generate");
    done(&db, &format!("retire {first}"));
    let keys = signing::read(&db.keys_dir(), Duration::ZERO).unwrap().keys;
    let retired = keys.iter().find(|key| key.kid() == first).unwrap();
    assert!(retired.times.retired.is_some());
}

/// One thumbprint of 64 begins like an option. None of ours does; those of other programs' keys may.
#[test]
fn an_id_is_no_option() {
    let folder = tempfile::TempDir::new().unwrap();
    for _ in 0..300 {
        let made = make_key(folder.path(), KeyAlgorithm::EdDsa, Moment::from_unix_seconds(0));
        assert!(!made.kid().starts_with('-'));
    }
    let db = Db::sqlite();
    done(&db, "generate");
    for words in ["retire -abc", "retire -abc --now", "retire --now -abc"] {
        assert_eq!(failed(&db, words), "symbolon: there is no key -abc\n", "{words}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let db = Db::sqlite();
    let said = command(&db, "keys list").failed();
    assert!(said.contains("SIGNING_KEYS_DIR: is missing"), "{said}");
    let said = keys(&db, "generate --alg RS256");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("ES256") && said.err.contains("EdDSA"), "{said:?}");

    // What cannot be used is said, and keeps nobody from using the rest.
    let key = done(&db, "generate");
    let broken = db.keys_dir().join("broken.pem");
    for (text, reason) in [
        ("canary", "broken.pem holds no private key"),
        ("Created: soon\n-----BEGIN X-----", "broken.pem: Created is no time"),
    ] {
        std::fs::write(&broken, text).unwrap();
        let said = keys(&db, "list");
        assert!(said.err.contains(reason) && !said.err.contains("canary"), "{said:?}");
        assert_eq!(said.done(), key);
    }
}
