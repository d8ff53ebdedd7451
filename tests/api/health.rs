//! `/healthz` and `/readyz`.

use std::time::{Duration, Instant};

use super::support::{Db, TestServer};

on_both_databases! {
    /// Security: N4.
    fn both_answer_get_and_head(db) {
        let server = TestServer::start(db);
        let health = server.get("/healthz").send().expect(200);
        assert_eq!(health.text, r#"{"status":"ok"}"#);
        assert_eq!(health.header("content-type"), Some("application/json"));
        let ready = server.get("/readyz").send().expect(200);
        assert_eq!(ready.text, r#"{"status":"ready","database":"ok","limits":"memory"}"#);
        for path in ["/healthz", "/readyz"] {
            let got = server.get(path).send().expect(200);
            let head = server.call("HEAD", path).send().expect(200);
            assert_eq!(head.text, "");
            assert_eq!(head.header("content-length"), got.header("content-length"));
            assert_eq!(head.header("content-type"), got.header("content-type"));
        }
    }
}

/// Security: N4. The database is gone: whoever restarts what does not live must not restart this.
#[test]
fn liveness_depends_on_nothing() {
    let server = TestServer::start(Db::postgres());
    server.get("/readyz").send().expect(200);
    server.db.shut_out();
    for _ in 0..3 {
        let began = Instant::now();
        server.get("/healthz").send().expect(200);
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        let began = Instant::now();
        server.get("/readyz").send().expect_failure(503, "UNAVAILABLE");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}
