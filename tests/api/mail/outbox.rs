//! That every mail arrives, and once: whatever fails on the way.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use symbolon::background::Stop;
use symbolon::clock::Clock;
use symbolon::mail::store;

use crate::support::cluster::{self, Cluster};
use crate::support::mail::letters;
use crate::support::process::{Process, free_port};
use crate::support::{Client, Db, PASSWORD, SmtpServer, TestServer};

fn forgot(client: &Client, email: &str) {
    client.post("/auth/forgot-password").json(&json!({"email": email})).send().expect(202);
}

fn start(db: &Db, smtp: &str) -> Process {
    Process::start(db, free_port(), &[("SMTP_URL", smtp)])
}

/// What was sent to each of the first `count` users: one mail, whose link is good.
#[track_caller]
fn expect_one_each(server: &SmtpServer, process: &Client, count: usize) {
    let letters = server.letters();
    let mut tos: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    tos.sort();
    let mut expected: Vec<_> = (0..count).map(|n| format!("user{n}@example.com")).collect();
    expected.sort();
    assert_eq!(tos, expected);
    for letter in letters {
        let body = json!({"token": letter.token()});
        process.post("/auth/verify-email").json(&body).send().expect(204);
    }
}

fn register(client: &Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        client.register(&format!("user{number}@example.com"));
    }
}

on_both_databases! {
    fn a_mail_server_that_was_down_gets_each_once(db) {
        let mut server = SmtpServer::start(&[]);
        let process = start(&db, &server.url());
        register(&process, 0..1);
        server.wait_for(1);
        server.stop();
        register(&process, 1..4);
        let started = Instant::now();
        while !process.logged().contains("mail not sent") {
            assert!(started.elapsed() < Duration::from_secs(10), "{}", process.logged());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(db.waiting(), 3);
        server.start_again(&[]);
        db.wait_until_sent();
        // Long enough for a second copy to arrive.
        std::thread::sleep(Duration::from_millis(2_500));
        expect_one_each(&server, &process, 4);
    }

    /// Two instances share the outbox: none sends what the other has sent.
    fn two_instances_send_each_once(db) {
        let server = SmtpServer::start(&["--delay", "0.05"]);
        let secret = ("JWT_SECRET", "Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA");
        let url = server.url();
        let variables = [("SMTP_URL", &*url), secret];
        let instances =
            [(); 2].map(|()| Process::start(&db, free_port(), &variables));
        std::thread::scope(|scope| {
            scope.spawn(|| register(&instances[0], 0..10));
            scope.spawn(|| register(&instances[1], 10..20));
        });
        db.wait_until_sent();
        expect_one_each(&server, &instances[0], 20);
        let sent = |process: &Process| process.logged().matches("mail sent").count();
        assert_eq!(sent(&instances[0]) + sent(&instances[1]), 20);
        assert!(sent(&instances[0]) > 0 && sent(&instances[1]) > 0, "both take part");
    }

    /// Told to stop, a process does not keep a mail for itself: whoever comes next sends it at once.
    fn a_lease_is_given_back_at_shutdown(db) {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", silent.local_addr().unwrap());
        let process = start(&db, &url);
        register(&process, 0..1);
        // It is connected, and waits for a greeting that does not come.
        let _connection = silent.accept().unwrap();
        let due = || db.number(&format!(
            "SELECT COUNT(*) FROM outbox WHERE due_at <= {}",
            if db.is_postgres() { "now()" } else { "unixepoch() * 1000000 + 999999" },
        ));
        assert_eq!(due(), 0);
        let started = Instant::now();
        process.terminate();
        assert!(process.wait().success());
        assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
        assert_eq!(due(), 1);
        let server = SmtpServer::start(&[]);
        let process = start(&db, &server.url());
        let started = Instant::now();
        server.wait_for(1);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        db.wait_until_sent();
        expect_one_each(&server, &process, 1);
    }

    /// Killed at any moment: nothing is lost, and at most the one mail that was under way comes twice.
    fn kill_9_loses_none(db) {
        let server = SmtpServer::start(&["--delay", "0.02"]);
        let mut process = start(&db, &server.url());
        for round in 0..4 {
            register(&process, round * 4..round * 4 + 4);
            process.kill();
            process = start(&db, &server.url());
        }
        // What was under way when its process was killed stays taken for two minutes, which nobody
        // waits for here.
        let started = Instant::now();
        while db.waiting() > 0 {
            let taken = if db.is_postgres() { "now()" } else { "0" };
            db.execute(&format!("UPDATE outbox SET due_at = {taken}"));
            std::thread::sleep(Duration::from_millis(1_500));
            assert!(started.elapsed() < Duration::from_secs(60), "{}", process.logged());
        }
        let letters = server.letters();
        let mut ids: Vec<_> = letters.iter().map(|letter| (&letter.to, &letter.id)).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 16, "each mail has one id, however often it comes: {ids:#?}");
        for letter in &letters {
            let body = json!({"token": letter.token()});
            process.post("/auth/verify-email").json(&body).send();
        }
        let verified = "SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL";
        assert_eq!(db.number(verified), 16);
    }

    /// One mailbox that does not exist keeps nobody else's mail waiting, and is given up after a day.
    fn a_refused_mail_holds_up_no_other(db) {
        let smtp = SmtpServer::start(&[]);
        let server = TestServer::with(db, &[("--smtp-url", &smtp.url())]);
        for email in ["refused@example.com", "later@example.com", "ada@example.com"] {
            server.register(email);
        }
        let deliver = || server.app.outbox.deliver(&Stop::default()).unwrap();
        deliver();
        assert_eq!((smtp.wait_for(1)[0].to.as_str(), server.db.waiting()), ("ada@example.com", 2));
        let attempts = || server.db.number("SELECT MAX(attempts) FROM outbox");
        // The first retry comes within five seconds, and not before two.
        server.clock.step(1.9);
        deliver();
        assert_eq!(attempts(), 1);
        server.clock.step(2.1);
        deliver();
        assert_eq!(attempts(), 2);
        server.clock.step(8.0);
        deliver();
        assert_eq!(attempts(), 3);
        let given_up = || server.db.number(
            "SELECT COUNT(*) FROM audit_events WHERE kind = 'mail_given_up'",
        );
        for _ in 0..94 {
            server.clock.step(900.0);
            deliver();
        }
        assert_eq!((server.db.waiting(), given_up()), (2, 0));
        assert!((60..200).contains(&attempts()), "{}", attempts());
        // Whom the server does not know is asked for rarely.
        let refused = "SELECT attempts FROM outbox WHERE email = 'refused@example.com'";
        assert!((4..12).contains(&server.db.number(refused)), "{}", server.db.number(refused));
        for _ in 0..3 {
            server.clock.step(900.0);
            deliver();
        }
        assert_eq!((server.db.waiting(), given_up()), (0, 2));
        let detail = "SELECT MIN(detail) FROM audit_events WHERE kind = 'mail_given_up'";
        assert_eq!(server.db.text(detail), "verify_email");
        assert_eq!(smtp.letters().len(), 1);
    }

    /// A server that is down is asked once, not once for each mail.
    fn one_failure_is_enough_while_the_server_is_down(db) {
        let nobody = format!("smtp://127.0.0.1:{}", free_port());
        let server = TestServer::with(db, &[("--smtp-url", &nobody)]);
        register(&server, 0..5);
        assert!(!server.app.outbox.deliver(&Stop::default()).unwrap());
        assert_eq!(server.db.number("SELECT COUNT(*) FROM outbox WHERE attempts > 0"), 1);
        assert_eq!(server.db.waiting(), 5);
    }

    /// Nor is one that does not let us in: providers close accounts that fail to log in too often.
    fn one_wrong_login_is_enough(db) {
        let smtp = SmtpServer::start(&["--login", "ada:right"]);
        let url = format!("smtp://ada:wrong@127.0.0.1:{}", smtp.port);
        let server = TestServer::with(db, &[("--smtp-url", &url)]);
        register(&server, 0..5);
        assert!(!server.app.outbox.deliver(&Stop::default()).unwrap());
        assert_eq!(server.db.number("SELECT COUNT(*) FROM outbox WHERE attempts > 0"), 1);
    }

    /// Whoever took a mail and was too slow leaves it to the one who took it next.
    fn a_lease_that_ran_out_is_over(db) {
        let server = TestServer::start(db);
        register(&server, 0..1);
        let database = &server.app.database;
        let take = || {
            let now = server.clock.now();
            let due = database.read(|connection| store::next_due(connection, now)).unwrap();
            let mut mail = due.expect("a mail that is due");
            let until = now + Duration::from_secs(60);
            assert!(database.write(|connection| store::lease(connection, &mut mail, until)).unwrap());
            mail
        };
        let slow = take();
        server.clock.step(60.0);
        let next = take();
        let now = server.clock.now();
        let put_off = database.write(|connection| store::set_due(connection, &slow, now));
        let removed = database.write(|connection| store::remove(connection, &slow));
        assert_eq!((put_off.unwrap(), removed.unwrap(), server.db.waiting()), (0, 0, 1));
        assert_eq!(database.write(|connection| store::remove(connection, &next)).unwrap(), 1);
    }

    /// While releases are exchanged one by one, the older leaves alone what it cannot write.
    fn mail_of_a_newer_release_holds_up_no_other(db) {
        let server = TestServer::start(db);
        register(&server, 0..1);
        server.db.execute("UPDATE outbox SET kind = 'newer'");
        server.clock.step(1.0);
        register(&server, 1..2);
        let tos: Vec<_> = server.mail().into_iter().map(|letter| letter.to).collect();
        assert_eq!((tos, server.db.waiting()), (vec!["user1@example.com".to_owned()], 1));
    }

    /// What happened to an account is told even if the account is gone by then.
    fn a_deleted_account_does_not_silence_its_notices(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.mail();
        let body = json!({"currentPassword": PASSWORD, "newPassword": "another good one"});
        server.post("/auth/change-password").bearer(&ada.access).json(&body).send().expect(204);
        let delete = server.delete("/auth/me").bearer(&ada.access);
        delete.json(&json!({"password": "another good one"})).send().expect(204);
        assert_eq!(server.letter("Your password was changed").to, "ada@example.com");
    }

    /// Written in the transaction that causes it: what is rolled back is not mailed.
    fn a_registration_that_fails_mails_nothing_to_the_new_account(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.mail();
        crate::support::at_once(8, |_| {
            let body = json!({"email": "bob@example.com", "password": PASSWORD});
            server.post("/auth/register").json(&body).send().status
        });
        let letters = server.mail();
        let verifying = letters.iter().filter(|letter| letter.text.contains("#token=")).count();
        assert_eq!((letters.len(), verifying), (8, 1), "{letters:#?}");
    }

    /// The same mail as a file, if the process dies between writing it and noting so.
    fn a_file_is_written_once_however_often(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        let folder = server.db.dir.path().join("mail");
        let copy = |from: &str, to: &str| {
            server.db.execute(&format!("DROP TABLE IF EXISTS {to}; CREATE TABLE {to} AS SELECT * FROM {from}"));
        };
        copy("outbox", "saved");
        server.app.outbox.deliver(&Stop::default()).unwrap();
        let first = letters(&folder);
        server.db.execute("INSERT INTO outbox SELECT * FROM saved");
        server.app.outbox.deliver(&Stop::default()).unwrap();
        let again = letters(&folder);
        assert_eq!((first.len(), again.len()), (1, 1));
        assert_eq!((&again[0].id, again[0].token()), (&first[0].id, first[0].token()));
        #[cfg(unix)]
        for entry in std::fs::read_dir(&folder).unwrap() {
            use std::os::unix::fs::PermissionsExt;
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

/// A mail server that takes a connection and says nothing delays mail, and nothing else.
#[test]
fn a_silent_mail_server_delays_no_request() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let db = Db::sqlite();
    let process = start(&db, &url);
    register(&process, 0..1);
    let (mut connection, _) = silent.accept().unwrap();
    let started = Instant::now();
    forgot(&process, "user0@example.com");
    process.login("user0@example.com");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    // Nonsense is no greeting.
    connection.write_all(b"SSH-2.0-OpenSSH_9\r\n").unwrap();
    let mut rest = Vec::new();
    let _closed = connection.read_to_end(&mut rest);
    assert_eq!(db.waiting(), 2);
}

/// A server that scans what it takes may need a while to say so: that is no reason to send it again.
#[test]
fn a_server_that_takes_its_time_gets_each_once() {
    let server = SmtpServer::start(&["--delay", "12"]);
    let db = Db::sqlite();
    let process = start(&db, &server.url());
    register(&process, 0..1);
    db.wait_until_sent();
    expect_one_each(&server, &process, 1);
}

/// The database goes away while a mail is on its way: it was sent, so it is not sent again.
#[test]
fn a_database_that_is_away_for_a_moment_sends_nothing_twice() {
    let cluster = Cluster::start();
    let db = Db::on_cluster(&cluster.url);
    let server = SmtpServer::start(&["--delay", "2"]);
    let process = start(&db, &server.url());
    register(&process, 0..1);
    server.wait_for(1);
    cluster.stop(cluster::Stop::Immediate);
    std::thread::sleep(Duration::from_secs(4));
    cluster.start_again();
    db.wait_until_sent();
    std::thread::sleep(Duration::from_millis(1_500));
    expect_one_each(&server, &process, 1);
}
