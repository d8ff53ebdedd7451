//! Connections to the database.

use super::Watcher;
use crate::support::{Db, TestServer};

#[test]
fn each_pool_is_told_of() {
    for (db, pools) in
        [(Db::sqlite(), vec![("read", 3.0), ("write", 1.0)]), (Db::postgres(), vec![("all", 3.0)])]
    {
        let server = TestServer::with(db, &[("--database-pool-size", "3")]);
        let watcher = Watcher::of(&server);
        let ada = server.register("ada@example.com");
        server.me(&ada.access).expect(200);
        let scraped = watcher.scrape();
        for (pool, most) in pools {
            let pool = format!("pool=\"{pool}\"");
            assert_eq!(scraped.value(&format!("database_connections_max{{{pool}}}")), most);
            let count =
                |state| scraped.value(&format!("database_connections{{{pool},state=\"{state}\"}}"));
            assert!(count("idle") >= 1.0 && count("idle") <= most, "{}", scraped.text);
            assert_eq!(count("busy"), 0.0);
            let waits = format!("database_connection_wait_seconds_count{{{pool}}}");
            assert!(scraped.value(&waits) >= 1.0, "{}", scraped.text);
        }
        scraped.lint();
    }
}

/// What the database says last is told no longer once it is away; that it is, counts as it should.
#[test]
fn a_database_that_is_away_shows() {
    let server = TestServer::with(Db::postgres(), &[("--database-pool-size", "2")]);
    let watcher = Watcher::of(&server);
    let ada = server.register("ada@example.com");
    symbolon::metrics::watch::count_sessions(&server.app);
    assert_eq!(watcher.scrape().value("sessions_live"), 1.0);
    server.db.shut_out();
    server.refresh(&ada.refresh).expect_failure(503, "UNAVAILABLE");
    symbolon::metrics::watch::count_sessions(&server.app);
    let scraped = watcher.scrape();
    assert_eq!(scraped.find("sessions_live"), None);
    assert_eq!(scraped.value(r#"refreshes_total{outcome="unavailable"}"#), 1.0);
    assert!(scraped.value(r#"database_connection_timeouts_total{pool="all"}"#) >= 1.0);
    assert_eq!(scraped.value(r#"http_errors_total{status="503"}"#), 1.0);
    assert_eq!(scraped.value(r#"http_errors_total{status="500"}"#), 0.0);
}
