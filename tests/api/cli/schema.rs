//! `migrate`, `prune`, and who may serve on which schema.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::command;
use crate::settings::run as run_command;
use crate::support::process::{Process, free_port, on};
use crate::support::{Db, TestServer};

on_both_databases! {
    fn migrate_does_its_work_once(db) {
        assert_eq!(command(&db, "migrate").done(), "migrated to 00000000000001\nmigrated to 00000000000002\n");
        assert_eq!(command(&db, "migrate").done(), "the schema is up to date\n");
        assert_eq!(db.number("SELECT count(*) FROM __diesel_schema_migrations"), 2);
    }

    fn many_that_migrate_at_once_all_come_up(db) {
        let outs: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..4).map(|_| scope.spawn(|| command(&db, "migrate").done())).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let did = outs.iter().filter(|out| out.starts_with("migrated")).count();
        assert_eq!(did, 1, "{outs:?}");
    }

    fn a_binary_older_than_the_schema_refuses_to_start(db) {
        command(&db, "migrate").done();
        db.execute(
            "INSERT INTO __diesel_schema_migrations (version, run_on)
             VALUES ('99991231235959', CURRENT_TIMESTAMP)",
        );
        for words in ["serve", "migrate", "users list", "prune"] {
            let mut command = on(&db);
            let port = free_port();
            command.env("BIND", format!("127.0.0.1:{port}")).args(words.split(' '));
            let reason = run_command(&mut command).failed();
            assert!(reason.contains("99991231235959"), "{words}: {reason}");
            assert!(reason.contains("older than the schema"), "{words}: {reason}");
        }
        assert_eq!(db.number("SELECT count(*) FROM __diesel_schema_migrations"), 3);
    }

    fn prune_deletes_what_has_ended_and_what_is_old(db) {
        let server = TestServer::start(db);
        let db = server.db.clone();
        // By the stepped clock long ago, by the real one of the command even longer.
        server.clock.step(-40.0 * 86_400.0);
        server.register("ada@example.com");
        server.register("grace@example.com");
        drop(server);
        let events = db.number("SELECT count(*) FROM audit_events");
        assert!(events > 0);
        let printed = command(&db, "prune").done();
        assert_eq!(printed, format!("deleted 2 ended sessions, 2 expired links, {events} old audit events and 0 hourly counts\n"));
        assert_eq!(db.number("SELECT count(*) FROM refresh_tokens"), 0);
        assert_eq!(db.number("SELECT count(*) FROM users"), 2);
        let again = command(&db, "prune").done();
        assert_eq!(again, "deleted 0 ended sessions, 0 expired links, 0 old audit events and 0 hourly counts\n");
    }
}

/// The newer one has the lock, and is not done when the older one looks for the first time.
#[test]
fn a_binary_that_waited_for_a_newer_one_refuses_to_start() {
    let db = Db::postgres();
    let mut newer = PgConnection::establish(&db.url).unwrap();
    newer.batch_execute("SELECT pg_advisory_lock(8320802056087301998)").unwrap();
    let reason = std::thread::scope(|scope| {
        let older = scope.spawn(|| command(&db, "migrate").failed());
        let waiting = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                       WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted";
        while db.number(waiting) == 0 {
            assert!(!older.is_finished(), "it did not wait");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        newer
            .batch_execute(
                "CREATE TABLE __diesel_schema_migrations
                   (version varchar(50) PRIMARY KEY, run_on timestamp DEFAULT CURRENT_TIMESTAMP);
                 INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')",
            )
            .unwrap();
        drop(newer);
        older.join().unwrap()
    });
    assert!(reason.contains("99991231235959"), "{reason}");
}

/// Security: N6. Whoever has broken into the service cannot change the schema.
#[test]
fn the_role_that_serves_needs_no_right_to_change_the_schema() {
    let db = Db::postgres();
    command(&db, "migrate").done();
    let role = format!("server_{}", std::process::id());
    db.execute(&format!(
        "CREATE ROLE {role} LOGIN;
         REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    let as_role = db.url.replace("symbolon@", &format!("{role}@"));
    let mut connection = PgConnection::establish(&as_role).unwrap();
    let created = connection.batch_execute("CREATE TABLE mine (id int)");
    assert!(created.is_err(), "the role may change the schema: this test would prove nothing");

    let process = Process::start(&db, free_port(), &[("DATABASE_URL", &as_role)]);
    let ada = process.register("ada@example.com");
    let renewed = process.refresh(&ada.refresh).expect(200);
    process.me(&renewed.access_token()).expect(200);
    process.logout(&renewed.access_token(), &renewed.refresh_token()).expect(204);
    process.kill();
    let printed = run_command(on(&db).env("DATABASE_URL", &as_role).arg("prune")).done();
    assert!(printed.starts_with("deleted 0"), "{printed}");
    drop(connection);
    db.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
