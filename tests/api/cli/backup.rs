//! `symbolon backup`, beside a service that goes on, and what is left of one that fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use super::command;
use crate::settings::run;
use crate::support::process::{Process, free_port, on};
use crate::support::{Db, TestServer};

/// The names in the folder of `db` that begin with `start`.
fn files(db: &Db, start: &str) -> Vec<String> {
    let entries = fs::read_dir(db.dir.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(start)).collect()
}

/// A database that takes a while to copy.
fn large(db: &Db) {
    command(db, "migrate").done();
    db.execute(
        "CREATE TABLE ballast (bytes blob);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64)
         INSERT INTO ballast SELECT randomblob(1024 * 1024) FROM n",
    );
}

#[test]
fn a_backup_is_whole_and_private() {
    let server = TestServer::start(Db::sqlite());
    server.register("ada@example.com");
    // Of a file name, not of a URL or an SQL text.
    let name = "b'a?c%20k.db";
    assert_eq!(
        command(&server.db, &format!("backup {name}")).done(),
        format!("backed up to {name}\n")
    );
    let file = server.db.dir.path().join(name);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(files(&server.db, "b'"), [name], "no draft, and no journal");

    let mut copy = Db::sqlite();
    copy.url = format!("sqlite://{}", file.display());
    assert_eq!(copy.text("SELECT integrity_check FROM pragma_integrity_check"), "ok");
    assert_eq!(copy.text("SELECT email FROM users"), "ada@example.com");
}

#[test]
fn nothing_is_overwritten() {
    let db = Db::sqlite();
    command(&db, "migrate").done();
    let file = db.dir.path().join("backup.db");
    fs::write(&file, "precious").unwrap();
    let refused = command(&db, "backup backup.db").failed();
    assert!(refused.contains("backup.db exists, and is not overwritten"), "{refused}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");

    fs::remove_file(&file).unwrap();
    fs::create_dir(db.dir.path().join("backup.db.part")).unwrap();
    let refused = command(&db, "backup backup.db").failed();
    assert!(refused.contains("backup.db.part exists: another backup is writing"), "{refused}");
    assert_eq!(files(&db, "backup"), ["backup.db.part"]);
}

#[test]
fn what_cannot_be_backed_up_is_said() {
    let db = Db::sqlite();
    let nothing = command(&db, "backup backup.db").failed();
    assert!(
        nothing.contains("there is no database") && nothing.contains("symbolon.db"),
        "{nothing}"
    );
    assert!(files(&db, "").is_empty(), "asking made one");

    command(&db, "migrate").done();
    let nowhere = command(&db, "backup nowhere/backup.db").failed();
    assert!(nowhere.contains("cannot write nowhere/backup.db.part: No such file"), "{nowhere}");

    let db = Db::postgres();
    let other = command(&db, "backup backup.db").failed();
    assert!(other.contains("pg_dump --format=custom --file=backup.db"), "{other}");
    assert!(files(&db, "backup").is_empty());
}

/// As on a full disk: every write past a size fails.
#[test]
fn a_backup_that_cannot_be_written_leaves_nothing() {
    let db = Db::sqlite();
    large(&db);
    let mut limited = Command::new("bash");
    let backup = on(&db);
    limited.current_dir(backup.get_current_dir().unwrap()).env_clear();
    limited.envs(backup.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" backup backup.db"]);
    let failed = run(limited.arg(backup.get_program())).failed();
    assert!(failed.contains("cannot back up to backup.db: "), "{failed}");
    assert!(files(&db, "backup").is_empty(), "{:?}", files(&db, "backup"));
}

/// The service goes on, and what there is of the file does not go by its name.
#[test]
fn a_killed_backup_is_none() {
    let db = Db::sqlite();
    large(&db);
    let process = Process::start(&db, free_port(), &[]);
    let ada = process.register("ada@example.com");
    let mut backup = on(&db).args(["backup", "backup.db"]).spawn().unwrap();
    let drafts = db.dir.path().join("backup.db.part");
    let draft = drafts.join("symbolon.db");
    let began = Instant::now();
    while fs::metadata(&draft).map_or(0, |file| file.len()) == 0 {
        assert!(backup.try_wait().unwrap().is_none(), "it was done before it could be killed");
        assert!(began.elapsed() < Duration::from_secs(10), "it does not begin");
        std::thread::sleep(Duration::from_millis(1));
    }
    backup.kill().unwrap();
    assert!(!backup.wait().unwrap().success());
    assert_eq!(files(&db, "backup"), ["backup.db.part"]);

    let renewed = process.refresh(&ada.refresh).expect(200);
    fs::remove_dir_all(&drafts).unwrap();
    command(&db, "backup backup.db").done();
    process.refresh(&renewed.refresh_token()).expect(200);
    assert_eq!(files(&db, "backup"), ["backup.db"]);
}
