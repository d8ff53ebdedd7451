//! The table of metrics in `docs/monitoring.md`, by which alerts and dashboard are checked.

use std::collections::{BTreeMap, BTreeSet};

use super::Watcher;
use crate::support::{Db, TestServer};

/// Each metric's type and labels.
type Table = BTreeMap<String, (String, BTreeSet<String>)>;

#[test]
fn every_metric_is_in_the_table_as_it_is() {
    let server = TestServer::with(Db::sqlite(), &[("--login-rate-limit", "5/1m")]);
    let watcher = Watcher::of(&server);
    server.register("ada@example.com");
    server.login("ada@example.com");
    symbolon::metrics::watch::look_at_outbox(&server.app);
    symbolon::metrics::watch::count_sessions(&server.app);
    assert_eq!(told(&watcher.scrape().text), documented());
}

fn told(page: &str) -> Table {
    let mut table = Table::new();
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for (name, kind) in types.map(|line| line.split_once(' ').unwrap()) {
        let is_of = |line: &&str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| {
                ["{", " ", "_bucket", "_sum", "_count"].iter().any(|next| rest.starts_with(next))
            })
        };
        let mut labels = BTreeSet::new();
        for line in page.lines().filter(is_of) {
            let Some((_, inside)) = line.split_once('{') else { continue };
            let pairs =
                inside.split_once('}').unwrap().0.split("\",").map(|pair| pair.split_once('='));
            labels.extend(pairs.map(|pair| pair.unwrap().0.to_owned()).filter(|name| name != "le"));
        }
        table.insert(name.to_owned(), (kind.to_owned(), labels));
    }
    table
}

fn documented() -> Table {
    let text = include_str!("../../../docs/monitoring.md");
    let mut table = Table::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (name, kind) = (cells[1].trim_matches('`'), cells[2]);
        let labels = cells[3].split(',').map(|label| label.trim().trim_matches('`'));
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned).collect();
        table.insert(name.to_owned(), (kind.to_owned(), labels));
    }
    table
}
