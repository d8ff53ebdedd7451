//! Other clocks for the real binary, by libfaketime.

use std::path::PathBuf;

use super::Db;

/// What makes a process believe in another time.
fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let library = |folder: PathBuf| folder.join("faketime/libfaketime.so.1");
    folders
        .map(library)
        .find(|library| library.exists())
        .expect("libfaketime is not there: run scripts/install")
}

/// What a process has to find in its environment to believe that it is so much later, say `-1h`.
pub fn shifted(by: &str) -> [(&'static str, String); 3] {
    [
        ("LD_PRELOAD", libfaketime().to_str().unwrap().to_owned()),
        ("FAKETIME", by.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// The clock of a process, which a test moves while that runs.
pub struct MovedClock {
    library: PathBuf,
    /// Says how far ahead it is.
    file: PathBuf,
    seconds: u32,
}

impl MovedClock {
    pub fn new(db: &Db) -> Self {
        let mut clock =
            Self { library: libfaketime(), file: db.dir.path().join("clock"), seconds: 0 };
        clock.step(0);
        clock
    }

    /// Moves on.
    pub fn step(&mut self, seconds: u32) {
        self.seconds += seconds;
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("+{}", self.seconds)).unwrap();
        std::fs::rename(next, &self.file).unwrap();
    }

    /// What the process has to find in its environment.
    pub fn variables(&self) -> [(&str, &str); 4] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
    }
}
