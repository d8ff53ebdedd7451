//! Backups taken while people refresh, by the commands of docs/operating.md as they are printed there.

use std::process::Command;

use super::{audited, endings, users};
use crate::settings::SECRET;
use crate::support::Db;
use crate::support::load::Load;
use crate::support::process::{Process, free_port, on};

/// Runs the shell block behind a mark of docs/operating.md in the folder of `db`, each command of which
/// has to succeed.
fn as_documented(mark: &str, db: &Db, changes: &[(&str, &str)]) {
    let document = include_str!("../../../docs/operating.md");
    let (_, rest) =
        document.split_once(&format!("<!-- tested: {mark}")).expect("the mark is there");
    let (_, rest) = rest.split_once("```sh\n").expect("a block follows");
    let (block, _) = rest.split_once("```").expect("the block ends");
    let mut script = block.to_owned();
    for (printed, here) in changes {
        assert!(script.contains(printed), "{mark} has no {printed}");
        script = script.replace(printed, here);
    }
    let mut symbolon = on(db);
    symbolon.arg("--version");
    let mut shell = Command::new("bash");
    shell.args(["-e", "-u", "-x", "-o", "pipefail", "-c", &script]).current_dir(db.dir.path());
    shell.envs(symbolon.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Everybody goes on refreshing after the backup, and then with what was restored.
fn nobody_notices(db: &Db, backup: impl Fn(), restore: impl Fn(), restored: &Db) {
    let port = free_port();
    // Which is backed up apart from the database.
    let secret = [("JWT_SECRET", SECRET)];
    let process = Process::start(db, port, &secret);
    let users = users(&process, 9);
    let load = Load::start(&[&process.base], users);
    load.wait_for(5);
    backup();
    load.wait_for(5);
    process.terminate();
    assert!(process.wait().success());
    restore();

    assert_eq!(audited(restored, "rotation_recovered"), 0);
    let _process = Process::start(restored, port, &secret);
    load.wait_for(5);
    load.stop().expect_no_faults();
    assert_eq!(endings(restored), (0, 0));
    assert!(audited(restored, "rotation_recovered") >= 6, "nobody was ahead of the backup");
}

#[test]
fn a_copy_of_sqlite_is_restored_unnoticed() {
    let db = Db::sqlite();
    let path = db.url.strip_prefix("sqlite://").unwrap();
    let program = on(&db).get_program().to_str().unwrap().to_owned();
    let backup = || {
        as_documented("sqlite-backup", &db, &[("symbolon backup", &format!("{program} backup"))]);
    };
    let restore =
        || as_documented("sqlite-restore", &db, &[("/var/lib/symbolon/symbolon.db", path)]);
    nobody_notices(&db, backup, restore, &db);
    assert_eq!(db.text("SELECT integrity_check FROM pragma_integrity_check"), "ok");
}

#[test]
fn a_dump_of_postgresql_is_restored_unnoticed() {
    let (db, restored) = (Db::postgres(), Db::postgres());
    let backup = || as_documented("postgresql-backup", &db, &[]);
    let name = restored.url.rsplit_once('/').unwrap().1;
    // The documented commands make it themselves.
    db.execute(&format!("DROP DATABASE {name}"));
    let url = format!("RESTORED_URL='{}'\ncreatedb", restored.url);
    let names = [("symbolon_restored", name), ("createdb", &*url)];
    let restore = || as_documented("postgresql-restore", &db, &names);
    nobody_notices(&db, backup, restore, &restored);
}
