//! Settings: what is refused at start, where they come from, what they leave in the data folder.

mod faults;
mod files;
mod sources;

use std::borrow::BorrowMut;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A good secret, with a canary in it that must be seen nowhere.
pub const SECRET: &str = "canary-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA";

/// What a command that ends by itself has said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a command that has to end by itself.
pub fn run(command: impl BorrowMut<Command>) -> Said {
    run_with(command, "")
}

/// Runs a command that has to end by itself, with something to read.
pub fn run_with(mut command: impl BorrowMut<Command>, input: &str) -> Said {
    let mut child = command
        .borrow_mut()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it did not end: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Said {
    /// What it printed, which has to have succeeded.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Its complaint, which has to be the reason that it failed.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!((self.code, &*self.out), (Some(1), ""), "{self:?}");
        self.err
    }
}
