//! How often a second one thread does a thing, beside what it is made of.

use std::fmt;
use std::time::{Duration, Instant};

/// How long one thing is repeated before it is the other's turn.
const TURN: Duration = Duration::from_millis(50);
/// Done between two looks at the clock, which costs as much as a quick thing would.
const BETWEEN_LOOKS: u32 = 16;

/// Repetitions, and what they took.
#[derive(Default, Clone, Copy)]
pub struct Count {
    times: u32,
    took: Duration,
}

impl Count {
    async fn turn(&mut self, once: &mut impl AsyncFnMut()) {
        let started = Instant::now();
        while started.elapsed() < TURN {
            for _ in 0..BETWEEN_LOOKS {
                once().await;
            }
            self.times += BETWEEN_LOOKS;
        }
        self.took += started.elapsed();
    }

    fn per_second(self) -> f64 {
        f64::from(self.times) / self.took.as_secs_f64()
    }

    fn micros(self) -> f64 {
        1e6 / self.per_second()
    }
}

/// Repeats `ours` and `bare` for `time` each, by turns, so that whatever else the machine does meets
/// both alike.
pub async fn compare(
    time: Duration,
    mut ours: impl AsyncFnMut(),
    mut bare: impl AsyncFnMut(),
) -> [Count; 2] {
    // The first turns of both are not counted: caches fill, and keys are fetched.
    let mut counts = [Count::default(); 2];
    for count in &mut counts {
        count.turn(&mut ours).await;
        count.turn(&mut bare).await;
        *count = Count::default();
    }
    let [of_ours, of_bare] = &mut counts;
    while of_ours.took < time {
        of_ours.turn(&mut ours).await;
        of_bare.turn(&mut bare).await;
    }
    counts
}

/// All comparisons, as a table in Markdown.
pub struct Table(Vec<String>);

impl Table {
    pub fn new() -> Self {
        let head = "| on one thread | per second | each | the signature alone | each | of that |";
        Self(vec![head.to_owned(), "|---|---|---|---|---|---|".to_owned()])
    }

    pub fn add(&mut self, name: &str, [ours, bare]: [Count; 2]) {
        let line = format!(
            "| {name} | {:.0} | {:.1} µs | {:.0} | {:.1} µs | {:.1} % |",
            ours.per_second(),
            ours.micros(),
            bare.per_second(),
            bare.micros(),
            100.0 * ours.per_second() / bare.per_second()
        );
        eprintln!("{line}");
        self.0.push(line);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
