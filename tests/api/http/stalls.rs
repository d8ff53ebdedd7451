//! Clients that stop sending in the middle.

use std::thread;
use std::time::Duration;

use super::raw::{Heard, Line};
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
