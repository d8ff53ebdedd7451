//! Clients that stop sending in the middle, or never read.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::raw::{Heard, Line};
use crate::support::process::{Process, free_port};
use crate::support::{Client, Db, TestServer};

const HEAD: &str = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

/// What is sent, piece by piece with pauses between, and then nothing more.
struct Stall {
    name: &'static str,
    pieces: Vec<String>,
    pause: Duration,
    /// The status it gets, if it gets any.
    status: Option<u16>,
    /// Within how many seconds of the last piece the connection ends.
    seconds: std::ops::Range<f64>,
}

/// Security: M2, K2. Each takes ten seconds; they wait side by side.
#[test]
fn who_stalls_is_cut_off() {
    let server = TestServer::start(Db::sqlite());
    let stall = |name, pieces: &[&str], status, seconds| Stall {
        name,
        pieces: pieces.iter().map(|&piece| piece.to_owned()).collect(),
        pause: Duration::from_millis(100),
        status,
        seconds,
    };
    let trickle: Vec<String> = "GET /healthz HTTP/1.1".chars().map(String::from).collect();
    let cases = [
        stall("a body", &[HEAD, "Content-Length: 40\r\n\r\n", "{"], Some(408), 9.0..12.0),
        stall(
            "a body of chunks",
            &[HEAD, "Transfer-Encoding: chunked\r\n\r\n", "28\r\n{"],
            Some(408),
            9.0..12.0,
        ),
        stall(
            "a body that never begins",
            &[HEAD, "Content-Length: 40\r\n\r\n"],
            Some(408),
            9.0..12.0,
        ),
        stall("a head", &["GET /healthz HTTP/1.1\r\nHost"], Some(408), 9.0..12.0),
        stall("a connection", &[], Some(408), 9.0..12.0),
        Stall {
            pieces: trickle,
            pause: Duration::from_millis(450),
            ..stall("a trickling head", &[], Some(408), 0.0..4.0)
        },
        // Refused before it has arrived: nobody waits for the rest.
        stall(
            "a body that nobody wants",
            &["POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n"],
            Some(404),
            0.0..3.0,
        ),
        stall(
            "chunks that nobody wants",
            &["POST /nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"],
            Some(404),
            0.0..3.0,
        ),
    ];
    let waiting: Vec<_> = cases
        .into_iter()
        .map(|case| {
            let client = server.client.clone();
            thread::spawn(move || (wait(&client, &case), case))
        })
        .collect();
    for waiter in waiting {
        let (heard, case) = waiter.join().unwrap();
        let name = case.name;
        let seconds = heard.after.as_secs_f64();
        assert!(heard.closed && case.seconds.contains(&seconds), "{name}: {seconds} s");
        let answer = heard.last_word();
        assert_eq!(Some(answer.status), case.status, "{name}");
        if answer.status == 408 {
            answer.expect_failure(408, "REQUEST_TIMEOUT");
        }
    }
    server.get("/healthz").send().expect(200);
}

fn wait(client: &Client, stall: &Stall) -> Heard {
    let mut line = Line::to(client);
    for piece in &stall.pieces {
        thread::sleep(stall.pause);
        if !line.say(piece.as_bytes()) {
            break;
        }
    }
    line.listen(Duration::from_secs(20))
}

/// More answers than the system's buffers take, then a request whose answer closes the connection.
#[test]
fn who_never_reads_keeps_nobody_busy() {
    let db = Db::sqlite();
    let server = Process::start(&db, free_port(), &[]);
    let mut deaf = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    deaf.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let sixteen = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16);
    let taken = (0..2000).take_while(|_| {
        thread::sleep(Duration::from_millis(1));
        deaf.write_all(sixteen.as_bytes()).is_ok()
    });
    assert!(taken.count() > 100, "this proves nothing");
    let last = "POST /nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let _not_taken_either = deaf.write_all(last.as_bytes());
    thread::sleep(Duration::from_millis(1500));
    let before = cpu_ticks(&server);
    thread::sleep(Duration::from_secs(1));
    let spent = cpu_ticks(&server) - before;
    assert!(spent < 30, "{spent} hundredths of a second");
    server.get("/healthz").send().expect(200);
}

/// How long a process has been computing, in hundredths of a second.
fn cpu_ticks(process: &Process) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let mut ticks = fields.split_whitespace().skip(11).map(|ticks| ticks.parse::<u64>().unwrap());
    ticks.next().unwrap() + ticks.next().unwrap()
}
