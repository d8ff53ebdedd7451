//! SIGTERM and SIGINT.

use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::raw::Line;
use crate::support::process::{Process, free_port};
use crate::support::{Db, PASSWORD, rounds};

fn signal(process: &Process, name: &str) {
    let kill = Command::new("kill").arg(format!("-{name}")).arg(process.id().to_string()).status();
    assert!(kill.unwrap().success());
}

fn register(email: &str) -> String {
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
    format!(
        "POST /auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

on_both_databases! {
    /// Security: N5. What has begun is answered and stays; nothing new begins; idle connections do
    /// not hold it up.
    fn a_signal_lets_requests_under_way_end(db) {
        for name in ["TERM", "INT"] {
            let port = free_port();
            // A hash takes a good part of a second at this cost.
            let process = Process::start(&db, port, &[("BCRYPT_COST", "13")]);
            let mut idle = Line::to(&process);
            idle.say(HEALTH);
            idle.next().expect(200);
            let silent = Line::to(&process);
            let email = format!("ada.{name}@example.com");
            let mut busy = Line::to(&process);
            busy.say(register(&email).as_bytes());
            thread::sleep(Duration::from_millis(150));

            signal(&process, name);
            let answer = busy.next().expect(201);
            let answered = Instant::now();
            assert_eq!(answer.header("connection"), Some("close"));
            assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it still listens");
            let log = process.log.clone();
            assert!(process.wait().success());
            assert!(answered.elapsed() < Duration::from_secs(3), "{:?}", answered.elapsed());
            for line in [idle, silent] {
                assert!(line.listen(Duration::from_secs(1)).closed);
            }
            let log = log.lock().unwrap();
            assert!(log.contains("told to stop") && log.contains("stopped"), "{log}");
            let registered = format!("SELECT count(*) FROM users WHERE email = '{email}'");
            assert_eq!(db.number(&registered), 1);
        }
    }
}

/// A proxy may be about to ask on a connection that it keeps.
///
/// Security: N5.
#[test]
fn an_idle_connection_is_answered_once_more() {
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[]);
    let mut idle = Line::to(&process);
    idle.say(HEALTH);
    assert_eq!(idle.next().expect(200).header("connection"), None);
    process.terminate();
    // It waits for a second, of which nothing is to be lost by crowding it.
    let address = process.base.strip_prefix("http://").unwrap().parse().unwrap();
    while TcpStream::connect_timeout(&address, Duration::from_millis(50)).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
    // By now it lets nobody in, and within 0.2 s it closes.
    thread::sleep(Duration::from_millis(300));
    idle.say(HEALTH);
    assert_eq!(idle.next().expect(200).header("connection"), Some("close"));
    assert!(idle.listen(Duration::from_secs(1)).closed);
    assert!(process.wait().success());
}

/// Who connects is answered, up to the last connection; whoever comes later is refused. A proxy cannot
/// know what became of a request on a connection that was made and then reset.
///
/// Security: N5.
#[test]
fn no_connection_is_made_and_then_lost() {
    let db = Db::sqlite();
    for _ in 0..rounds(5, 100) {
        let process = Process::start(&db, free_port(), &[]);
        let address = process.base.strip_prefix("http://").unwrap();
        let callers = || {
            let mut answered = 0;
            while let Ok(stream) = TcpStream::connect(address) {
                let mut line = Line::of(stream);
                line.say(HEALTH);
                assert!(line.try_next().is_some(), "lost after {answered} that were answered");
                answered += 1;
            }
            answered
        };
        let answered: Vec<u32> = thread::scope(|scope| {
            let callers: Vec<_> = (0..16).map(|_| scope.spawn(callers)).collect();
            thread::sleep(Duration::from_millis(100));
            process.terminate();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        assert!(answered.iter().all(|&count| count > 0), "{answered:?}");
        assert!(process.wait().success());
    }
}

/// Security: N5.
#[test]
fn a_client_that_goes_on_asking_does_not_hold_it_up() {
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[]);
    let stopping = AtomicBool::new(false);
    let told = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut line = Line::to(&process);
                while line.say(HEALTH) && line.try_next().is_some() {}
                assert!(stopping.load(Ordering::SeqCst), "cut off though nothing was stopping");
            });
        }
        thread::sleep(Duration::from_millis(300));
        stopping.store(true, Ordering::SeqCst);
        process.terminate();
        Instant::now()
    });
    assert!(TcpStream::connect(process.base.strip_prefix("http://").unwrap()).is_err());
    assert!(process.wait().success());
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let db = Db::sqlite();
    for name in ["TERM", "INT"] {
        let process = Process::start(&db, free_port(), &[]);
        let mut busy = Line::to(&process);
        // The rest of it never comes: that takes ten seconds.
        busy.say(&register("ada@example.com").as_bytes()[..150]);
        thread::sleep(Duration::from_millis(150));
        signal(&process, "TERM");
        thread::sleep(Duration::from_millis(300));
        let told = Instant::now();
        signal(&process, name);
        assert!(!process.wait().success());
        assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    }
}
