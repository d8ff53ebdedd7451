//! Mail, as it arrives: in files of the data folder, or at a real SMTP server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mail_parser::{MessageParser, MimeHeaders};
use symbolon::background::Stop;
use tempfile::TempDir;

use super::process::free_port;
use super::{Db, TestServer};

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub id: String,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// As it was sent.
    pub raw: String,
}

impl Letter {
    /// Reads a message (RFC 5322) of a text part and an HTML part.
    pub fn parse(raw: &[u8]) -> Self {
        let message = MessageParser::default().parse(raw).unwrap();
        let address = |list: Option<&mail_parser::Address>| {
            list.unwrap().first().unwrap().address.as_ref().unwrap().to_string()
        };
        assert!(message.root_part().content_type().unwrap().subtype() == Some("alternative"));
        assert_eq!((message.text_body_count(), message.html_body_count()), (1, 1));
        Self {
            id: message.message_id().unwrap().to_owned(),
            from: address(message.from()),
            to: address(message.to()),
            subject: message.subject().unwrap().to_owned(),
            text: message.body_text(0).unwrap().into_owned(),
            html: message.body_html(0).unwrap().into_owned(),
            raw: String::from_utf8(raw.to_owned()).unwrap(),
        }
    }

    /// The first address in the text part.
    #[track_caller]
    pub fn link(&self) -> &str {
        let mut words = self.text.split_whitespace();
        words.find(|word| word.starts_with("http")).unwrap_or_else(|| panic!("{}", self.text))
    }

    /// The one-time token in the fragment of the link.
    #[track_caller]
    pub fn token(&self) -> String {
        let (_, token) = self.link().split_once("#token=").expect("a link with a token");
        assert!(token.len() >= 43, "{token}");
        token.to_owned()
    }
}

/// The mails in `folder`, in the order of their files' names, which is that of their sending.
pub fn letters(folder: &Path) -> Vec<Letter> {
    files(folder).iter().map(|file| Letter::parse(&std::fs::read(file).unwrap())).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "eml")).collect();
    files.sort();
    files
}

impl TestServer {
    /// Sends what is due and takes it out of the data folder.
    pub fn mail(&self) -> Vec<Letter> {
        self.app.outbox.deliver(&Stop::default()).unwrap();
        let folder = self.db.dir.path().join("mail");
        let letters = letters(&folder);
        for file in files(&folder) {
            std::fs::remove_file(file).unwrap();
        }
        letters
    }

    /// Sends what is due, of which there is to be one mail with `subject`; returns that.
    #[track_caller]
    pub fn letter(&self, subject: &str) -> Letter {
        let letters = self.mail();
        let mut found = letters.iter().filter(|letter| letter.subject == subject);
        match (found.next(), found.next()) {
            (Some(letter), None) => letter.clone(),
            _ => panic!("not one mail {subject:?}: {letters:#?}"),
        }
    }
}

/// A running SMTP server; killed when dropped.
pub struct SmtpServer {
    pub port: u16,
    folder: TempDir,
    running: Option<Child>,
}

impl SmtpServer {
    /// A server in plain text, or with the options of `smtp_server.py`.
    pub fn start(options: &[&str]) -> Self {
        let folder = TempDir::with_prefix("symbolon-smtp-").unwrap();
        let mut server = Self { port: free_port(), folder, running: None };
        server.start_again(options);
        server
    }

    /// Starts it on the same port.
    pub fn start_again(&mut self, options: &[&str]) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/support/smtp_server.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).arg(self.port.to_string()).arg(self.folder.path()).args(options);
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "run scripts/install for aiosmtpd");
            assert!(started.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(20));
        }
        self.running = Some(child);
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What `SMTP_URL` is to be, in plain text.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What has arrived, in that order.
    pub fn letters(&self) -> Vec<Letter> {
        letters(self.folder.path())
    }

    /// Waits until `count` mails have arrived.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Letter> {
        let started = Instant::now();
        loop {
            let letters = self.letters();
            if letters.len() >= count {
                assert_eq!(letters.len(), count, "{letters:#?}");
                return letters;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "only {letters:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Db {
    /// How many mails wait.
    pub fn waiting(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM outbox")
    }

    /// Waits until no mail waits any more.
    #[track_caller]
    pub fn wait_until_sent(&self) {
        let started = Instant::now();
        while self.waiting() > 0 {
            assert!(started.elapsed() < Duration::from_secs(30), "mail still waits");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
