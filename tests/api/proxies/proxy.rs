//! nginx and Caddy, with the configurations of `examples/`: only addresses and folders are others.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::process::free_port;

/// Where everything listens, on 127.0.0.1.
#[derive(Clone, Copy)]
pub struct Ports {
    pub symbolon: u16,
    pub app: u16,
    pub proxy: u16,
}

/// A running proxy; killed when dropped.
pub struct Proxy {
    folder: TempDir,
    child: Child,
}

/// nginx, the sample included in the least configuration that it needs around it.
pub fn nginx(ports: Ports) -> Proxy {
    let folder = TempDir::with_prefix("symbolon-nginx-").unwrap();
    let sample = include_str!("../../../examples/nginx/symbolon.conf");
    place(&folder, "symbolon.conf", &sample.replace("/var/log/nginx/", ""), ports);
    let temporary = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"];
    let temporary = temporary.map(|of| format!("{of}_temp_path {of};")).join(" ");
    // One process of the current user: a master that runs as root would hand over to another user.
    let around = format!(
        "daemon off; master_process off; pid nginx.pid;\n\
         events {{}}\n\
         http {{ {temporary} include symbolon.conf; }}\n"
    );
    fs::write(folder.path().join("nginx.conf"), around).unwrap();
    // Where Debian has it, which is not in everybody's PATH.
    let debian = "/usr/sbin/nginx";
    let mut command = Command::new(if Path::new(debian).exists() { debian } else { "nginx" });
    command.arg("-p").arg(folder.path()).args(["-e", "start.log", "-c", "nginx.conf"]);
    start(command, folder, ports)
}

/// Caddy, which needs nothing more than the sample.
pub fn caddy(ports: Ports) -> Proxy {
    let folder = TempDir::with_prefix("symbolon-caddy-").unwrap();
    let sample = include_str!("../../../examples/caddy/Caddyfile");
    let logs = format!("{}/", folder.path().display());
    place(&folder, "Caddyfile", &sample.replace("/var/log/caddy/", &logs), ports);
    let mut command = Command::new("caddy");
    command
        .args(["run", "--config", "Caddyfile"])
        .env("CADDY_ADMIN", format!("127.0.0.1:{}", free_port()))
        .env("XDG_CONFIG_HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path());
    start(command, folder, ports)
}

/// Writes a sample with the addresses of a test.
fn place(folder: &TempDir, name: &str, sample: &str, ports: Ports) {
    let mut text = sample.to_owned();
    for (old, new) in [(":8080", ports.symbolon), (":3000", ports.app), (":8000", ports.proxy)] {
        assert!(text.contains(old), "{name} has no {old}");
        text = text.replace(old, &format!(":{new}"));
    }
    fs::write(folder.path().join(name), text).unwrap();
}

fn start(mut command: Command, folder: TempDir, ports: Ports) -> Proxy {
    let output = File::create(folder.path().join("output.log")).unwrap();
    command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    let child = command.spawn();
    let child = child.unwrap_or_else(|_| panic!("there is no {command:?}: run scripts/install"));
    let mut proxy = Proxy { folder, child };
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", ports.proxy)).is_err() {
        let gone = proxy.child.try_wait().unwrap();
        assert!(gone.is_none(), "it did not start: {}", proxy.logged());
        assert!(began.elapsed() < Duration::from_secs(20), "{}", proxy.logged());
        std::thread::sleep(Duration::from_millis(10));
    }
    proxy
}

impl Proxy {
    /// Everything it has logged anywhere.
    pub fn logged(&self) -> String {
        let entries = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let logs = entries.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
        logs.map(|log| fs::read_to_string(log).unwrap()).collect()
    }

    /// Waits until it has logged `words`, and returns everything that it has logged.
    #[track_caller]
    pub fn wait_for_log(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let logged = self.logged();
            if logged.contains(words) {
                return logged;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "no {words:?} in {logged}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
