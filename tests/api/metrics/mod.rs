//! `GET /metrics`.

#![expect(clippy::float_cmp, reason = "counts are whole numbers, which are exact")]

mod database;
mod documented;
mod process;
mod requests;
mod waiting;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use actix_web::dev::ServerHandle;
use symbolon::metrics::routes;

use crate::support::{Client, TestServer};

/// The metrics of a server, served as they are in production.
struct Watcher {
    client: Client,
    handle: ServerHandle,
}

impl Watcher {
    fn of(server: &TestServer) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::of_others(format!("http://{}", socket.local_addr().unwrap()));
        let app = server.app.clone();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = routes::start(&app, socket).unwrap();
                tell.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { client, handle: told.recv().unwrap() }
    }

    fn scrape(&self) -> Scraped {
        Scraped::of(&self.client)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        actix_web::rt::System::new().block_on(self.handle.stop(false));
    }
}

/// A page of metrics: each series, written as on the page, with its value.
struct Scraped {
    text: String,
    series: BTreeMap<String, f64>,
}

impl Scraped {
    fn of(client: &Client) -> Self {
        let answer = client.get("/metrics").send().expect(200);
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
        let samples = answer.text.lines().filter(|line| !line.starts_with('#'));
        let series = samples.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        Self { series: series.collect(), text: answer.text }
    }

    /// The value of a series without its `symbolon_`; its labels have to be complete.
    #[track_caller]
    fn value(&self, name: &str) -> f64 {
        self.find(name).unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }

    fn find(&self, name: &str) -> Option<f64> {
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        let mut wanted: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
        wanted.sort_unstable();
        self.series.iter().find_map(|(series, value)| {
            let series = series.strip_prefix("symbolon_")?;
            let (found, labels) = series.split_once('{').unwrap_or((series, ""));
            let mut labels: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
            labels.sort_unstable();
            (found == name && labels == wanted).then_some(*value)
        })
    }

    /// Prometheus' own linter has nothing to say.
    fn lint(&self) {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run scripts/install for promtool");
        promtool.stdin.take().unwrap().write_all(self.text.as_bytes()).unwrap();
        let said = promtool.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success() && text.is_empty(), "{text}\n{}", self.text);
    }
}
