//! nginx and Caddy, with the configurations of `examples/` and `deploy/`: only addresses and folders
//! are others.

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
    let sample = include_str!("../../../examples/nginx/symbolon.conf");
    nginx_with(
        &[("symbolon.conf", placed("symbolon.conf", sample, &of_sample(ports)))],
        ports.proxy,
    )
}

/// nginx with these files in its `http` block, on `port`.
pub fn nginx_with(files: &[(&str, String)], port: u16) -> Proxy {
    let folder = TempDir::with_prefix("symbolon-nginx-").unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text.replace("/var/log/nginx/", "")).unwrap();
    }
    let includes: Vec<_> = files.iter().map(|(name, _)| format!("include {name};")).collect();
    let includes = includes.join(" ");
    let temporary = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"];
    let temporary = temporary.map(|of| format!("{of}_temp_path {of};")).join(" ");
    // One process of the current user: a master that runs as root would hand over to another user.
    let around = format!(
        "daemon off; master_process off; pid nginx.pid;\n\
         events {{}}\n\
         http {{ {temporary} {includes} }}\n"
    );
    fs::write(folder.path().join("nginx.conf"), around).unwrap();
    // Where Debian has it, which is not in everybody's PATH.
    let debian = "/usr/sbin/nginx";
    let mut command = Command::new(if Path::new(debian).exists() { debian } else { "nginx" });
    command.arg("-p").arg(folder.path()).args(["-e", "start.log", "-c", "nginx.conf"]);
    start(command, folder, port)
}

/// Caddy, which needs nothing more than the sample.
pub fn caddy(ports: Ports) -> Proxy {
    let folder = TempDir::with_prefix("symbolon-caddy-").unwrap();
    let sample = include_str!("../../../examples/caddy/Caddyfile");
    let logs = format!("{}/", folder.path().display());
    let sample = placed("Caddyfile", sample, &of_sample(ports));
    let sample = sample.replace("/var/log/caddy/", &logs);
    fs::write(folder.path().join("Caddyfile"), sample).unwrap();
    let mut command = Command::new("caddy");
    command
        .args(["run", "--config", "Caddyfile"])
        .env("CADDY_ADMIN", format!("127.0.0.1:{}", free_port()))
        .env("XDG_CONFIG_HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path());
    start(command, folder, ports.proxy)
}

/// What the samples name, and where it is in a test.
fn of_sample(ports: Ports) -> [(&'static str, String); 3] {
    let samples = [(":8080", ports.symbolon), (":3000", ports.app), (":8000", ports.proxy)];
    samples.map(|(sample, port)| (sample, format!(":{port}")))
}

/// A configuration with the addresses of a test.
pub fn placed(name: &str, sample: &str, addresses: &[(&str, String)]) -> String {
    addresses.iter().fold(sample.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{name} has no {old}");
        text.replace(old, new)
    })
}

fn start(mut command: Command, folder: TempDir, port: u16) -> Proxy {
    let output = File::create(folder.path().join("output.log")).unwrap();
    command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    let child = command.spawn();
    let child = child.unwrap_or_else(|_| panic!("there is no {command:?}: run scripts/install"));
    let mut proxy = Proxy { folder, child };
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
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
