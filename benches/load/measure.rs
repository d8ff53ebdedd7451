//! Running a load and telling what came of it.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use crate::connection::Connection;

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub worst: Duration,
}

/// Time before measuring, for connections, caches and plans.
const WARM_UP: Duration = Duration::from_millis(700);

/// When a load is measured.
#[derive(Clone, Copy)]
pub struct Window {
    from: Instant,
    to: Instant,
}

impl Window {
    pub fn of(time: Duration) -> Self {
        let from = Instant::now() + WARM_UP;
        Self { from, to: from + time }
    }

    /// Repeats `once` until the window closes; the latencies of what began within it, in µs.
    pub async fn repeat(self, mut once: impl AsyncFnMut()) -> Vec<u32> {
        let mut latencies = Vec::new();
        loop {
            let started = Instant::now();
            if started > self.to {
                return latencies;
            }
            once().await;
            if started >= self.from {
                latencies.push(u32::try_from(started.elapsed().as_micros()).unwrap());
            }
        }
    }

    fn length(self) -> Duration {
        self.to - self.from
    }
}

/// Runs loads side by side, each of which gives latencies.
pub fn run<F>(time: Duration, loads: impl FnOnce(Window) -> Vec<F>) -> Figures
where
    F: Future<Output = Vec<u32>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let window = Window::of(time);
    let local = tokio::task::LocalSet::new();
    let latencies = local.block_on(&runtime, async {
        let tasks: Vec<_> = loads(window).into_iter().map(tokio::task::spawn_local).collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    });
    figures(latencies, window)
}

/// Sends each request over and over on a connection of its own.
pub fn gets(address: &str, requests: Vec<Vec<u8>>, time: Duration) -> Figures {
    run(time, |window| {
        let load = |request: Vec<u8>| {
            let address = address.to_owned();
            async move {
                let mut connection = Connection::open(&address).await;
                window
                    .repeat(async || assert_eq!(connection.send(&request).await.status, 200))
                    .await
            }
        };
        requests.into_iter().map(load).collect()
    })
}

#[allow(clippy::cast_precision_loss, reason = "a few million at most")]
fn figures(mut latencies: Vec<u32>, window: Window) -> Figures {
    assert!(!latencies.is_empty(), "nothing was answered within the window");
    latencies.sort_unstable();
    let at = |per_mille: usize| {
        let micros = latencies[(latencies.len() - 1) * per_mille / 1000];
        Duration::from_micros(micros.into())
    };
    Figures {
        per_second: latencies.len() as f64 / window.length().as_secs_f64(),
        p50: at(500),
        p99: at(990),
        worst: at(1000),
    }
}

/// All figures of a run, as a table in Markdown.
pub struct Report {
    ceiling: Figures,
    lines: Vec<String>,
}

impl Report {
    pub fn new(ceiling: Figures) -> Self {
        let head = "| measurement | requests/s | p50 | p99 | worst | of the ceiling |\n|---|---|---|---|---|---|";
        let mut report = Self { ceiling, lines: vec![head.to_owned()] };
        report.add("hello world, 64 connections (the ceiling)", ceiling);
        report
    }

    pub fn section(&mut self, name: &str) {
        self.line(format!("| **{name}** | | | | | |"));
    }

    pub fn add(&mut self, name: &str, figures: Figures) {
        let share = 100.0 * figures.per_second / self.ceiling.per_second;
        self.line(format!(
            "| {name} | {:.0} | {} | {} | {} | {share:.1} % |",
            figures.per_second,
            millis(figures.p50),
            millis(figures.p99),
            millis(figures.worst)
        ));
    }

    /// A figure that is no rate.
    pub fn note(&mut self, name: &str, value: impl fmt::Display) {
        self.line(format!("| {name} | {value} | | | | |"));
    }

    fn line(&mut self, line: String) {
        eprintln!("{line}");
        self.lines.push(line);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
