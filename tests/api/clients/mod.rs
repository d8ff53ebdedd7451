//! The clients of `clients/`, each as a program without a screen that does what a test says
//! (`tests/phones`). One test plays with all of them.

mod kotlin;
mod scenario;
#[cfg(feature = "swift")]
mod swift;

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Folders of the repository.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder for what a compiler makes.
fn build_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a compiler, which has to have nothing to complain of.
fn compile(mut command: Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: run scripts/install? {said}");
}

/// An app on a phone, running; killed when dropped.
struct Phone {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The ends of a session that it was told of.
    told: Vec<String>,
}

impl Phone {
    /// Starts the program with the address of the service and its file as arguments.
    fn start(mut program: Command, base: &str, file: &Path) -> Self {
        program.arg(format!("{base}/")).arg(file);
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut phone = Self { child, input, output, told: Vec::new() };
        assert_eq!(phone.listen(), "ready");
        phone
    }

    /// Says a line; what it answers.
    fn say(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        self.listen()
    }

    fn listen(&mut self) -> String {
        loop {
            let line = self.output.next().expect("the app is running").unwrap();
            match line.strip_prefix("told ") {
                Some(code) => self.told.push(code.to_owned()),
                None => return line,
            }
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
