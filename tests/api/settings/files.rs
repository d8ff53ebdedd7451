//! What a start leaves in the data folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::mail::letters;
use crate::support::process::{Process, free_port};
use crate::support::{Db, PASSWORD, TestServer};

/// Development without any setting but where it is.
fn start_in(db: &Db, more: &[(&str, &str)]) -> Process {
    let data = db.dir.path().join("data");
    let mut variables = vec![("DATABASE_URL", ""), ("DATA_DIR", data.to_str().unwrap())];
    variables.extend(more);
    Process::start(db, free_port(), &variables)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Security: N6. Whatever the umask.
#[test]
fn the_data_folder_is_for_its_owner_alone() {
    let db = Db::sqlite();
    let process = start_in(&db, &[]);
    process.register("ada@example.com");
    let data = db.dir.path().join("data");
    let started = Instant::now();
    while letters(&data.join("mail")).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", process.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((mode(&data), mode(&data.join("mail"))), (0o700, 0o700));
    let mut names: Vec<_> = fs::read_dir(&data).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    names.retain(|name| name != "mail");
    assert_eq!(names, ["jwt_secret", "symbolon.db", "symbolon.db-shm", "symbolon.db-wal"]);
    for name in names {
        assert_eq!(mode(&data.join(&name)), 0o600, "{}", name.display());
    }
    let secret = fs::read_to_string(data.join("jwt_secret")).unwrap();
    assert_eq!(secret.trim_end().len(), 43, "256 bits in base64");
}

/// Security: N6. The foreign key unsets the owner of a deleted account's sessions.
#[test]
fn sqlite_writes_ahead_and_heeds_foreign_keys() {
    let server = TestServer::start(Db::sqlite());
    assert_eq!(server.db.text("SELECT journal_mode FROM pragma_journal_mode"), "wal");
    let ada = server.register("ada@example.com");
    let body = json!({"password": PASSWORD});
    server.delete("/auth/me").bearer(&ada.access).json(&body).send().expect(204);
    assert_eq!(server.db.number("SELECT count(*) FROM refresh_tokens WHERE user_id IS NULL"), 1);
}

/// SQLite's lock says that the database is in use. Without it the next process that ends takes itself
/// for the last, and deletes the journal that the service goes on writing to.
#[cfg(target_os = "linux")]
#[test]
fn the_database_stays_locked_whatever_connections_come_and_go() {
    use std::os::unix::fs::MetadataExt;
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[]);
    let ada = process.register("ada@example.com");
    process.get("/auth/sessions").bearer(&ada.access).send().expect(200);
    // The pools fill up in the background.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let inode = fs::metadata(db.dir.path().join("symbolon.db")).unwrap().ino();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let is_held = locks.lines().any(|lock| lock.contains(&format!(":{inode} ")));
    assert!(is_held, "{inode} is not in {locks}");
}

#[test]
fn the_generated_secret_outlives_a_restart() {
    let db = Db::sqlite();
    let first = start_in(&db, &[]);
    let ada = first.register("ada@example.com");
    first.kill();
    let second = start_in(&db, &[]);
    second.me(&ada.access).expect(200);
    second.refresh(&ada.refresh).expect(200);
}

/// Both make a secret; the one that comes second takes the first one's.
#[test]
fn two_first_starts_at_once_agree_on_one_secret() {
    for _ in 0..3 {
        let db = Db::sqlite();
        let (one, other) = std::thread::scope(|scope| {
            let start = || scope.spawn(|| start_in(&db, &[]));
            let (one, other) = (start(), start());
            (one.join().unwrap(), other.join().unwrap())
        });
        let ada = one.register("ada@example.com");
        other.me(&ada.access).expect(200);
        let grace = other.register("grace@example.com");
        one.me(&grace.access).expect(200);
        let left = fs::read_dir(db.dir.path().join("data")).unwrap();
        let drafts = left.filter(|e| {
            let name = e.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("jwt_secret.")
        });
        assert_eq!(drafts.count(), 0);
    }
}

#[test]
fn a_kept_secret_that_was_emptied_is_no_secret() {
    let db = Db::sqlite();
    let data = db.dir.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("jwt_secret"), "").unwrap();
    let mut command = crate::support::process::on(&db);
    let said = super::run(command.env("DATA_DIR", &data).env("BIND", "127.0.0.1:0"));
    let complaint = said.failed();
    assert!(complaint.contains("DATA_DIR") && complaint.contains("jwt_secret"), "{complaint}");
}
