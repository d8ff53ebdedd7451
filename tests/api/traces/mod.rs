//! Traces, from the real process to a collector.

mod away;
mod collector;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use crate::support::mail::SmtpServer;
use crate::support::process::{Process, free_port};
use crate::support::{Db, PASSWORD, SignedIn, at_once, hexadecimal};
use collector::{Collector, attribute};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A process that sends its spans at once.
fn traced(db: &Db, endpoint: &str, more: &[(&str, &str)]) -> Process {
    let mut variables = vec![("OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    variables.extend(more);
    Process::start(db, free_port(), &variables)
}

fn refresh_within_a_trace(process: &Process, by: &SignedIn) -> String {
    let call = process.post("/auth/refresh-token").cookie(&by.refresh);
    let call = call.header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
    let call = call.header("tracestate", "canary=canary@example.com");
    let answer = call.header("user-agent", "canary-agent").send().expect(200);
    answer.header("traceresponse").unwrap().to_owned()
}

on_both_databases! {
    /// From the caller's span down to the commit, across three threads.
    fn a_refresh_is_seen_from_its_caller_to_its_commit(db) {
        let collector = Collector::start(free_port());
        let variables = [
            ("OTEL_RESOURCE_ATTRIBUTES", "where=here"),
            ("OTEL_SERVICE_NAME", "accounts"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k3y"),
        ];
        let process = traced(&db, &collector.url(), &variables);
        let ada = process.register("ada@example.com");
        let named = refresh_within_a_trace(&process, &ada);
        let request = &collector.wait_for("POST /auth/refresh-token", 1)[0];
        assert_eq!(named, format!("00-{TRACE}-{}-01", hexadecimal(&request.span_id)));
        assert_eq!((hexadecimal(&request.trace_id), hexadecimal(&request.parent_span_id)), (TRACE.into(), CALLER.into()));
        assert_eq!(request.kind, 2, "a server's");
        assert_eq!(attribute(request, "http.route").unwrap(), "/auth/refresh-token");
        assert_eq!(attribute(request, "http.response.status_code").unwrap(), "200");
        let mut above = request.clone();
        for (name, key, value) in [
            ("ask", "symbolon.queue", "rotations"),
            ("rotations", "symbolon.group.size", "1"),
            ("database write", "db.system.name", if db.is_postgres() { "postgresql" } else { "sqlite" }),
        ] {
            let beneath = collector.wait_until(|spans| {
                let is_beneath = |span: &&Span| {
                    (&span.trace_id, &span.parent_span_id) == (&above.trace_id, &above.span_id)
                };
                spans.iter().find(is_beneath).cloned()
            });
            assert_eq!(beneath.name, name);
            assert_eq!(attribute(&beneath, key).as_deref(), Some(value));
            assert!(beneath.start_time_unix_nano >= above.start_time_unix_nano, "{name}");
            above = beneath;
        }
        assert_eq!(collector.resource("service.name").as_deref(), Some("accounts"));
        assert_eq!(collector.resource("where").as_deref(), Some("here"));
        let is_ours = |head: &String| {
            head.starts_with("POST /v1/traces ") && head.contains("x-key: k3y\r\n")
        };
        assert!(collector.heads().iter().all(is_ours), "{:?}", collector.heads());
        // Lines of the log name their trace.
        process.get("/no/such/page").header("traceparent", &format!("00-{TRACE}-{CALLER}-01")).send();
        let started = Instant::now();
        while !process.logged().contains(&format!("trace=\"{TRACE}\"")) {
            assert!(started.elapsed() < Duration::from_secs(10), "{}", process.logged());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hashing, mail, look-ups and failures; nothing in all of it is anybody's.
    ///
    /// Security: L2.
    fn spans_hold_nothing_personal(db) {
        let (collector, smtp) = (Collector::start(free_port()), SmtpServer::start(&[]));
        let process = traced(&db, &collector.url(), &[("SMTP_URL", &smtp.url())]);
        let ada = process.register("ada@example.com");
        process.me(&ada.access).expect(200);
        process.delete(&format!("/auth/sessions/{}", ada.session)).bearer(&ada.access).send().expect(204);
        let body = json!({"email": "canary@example.com", "password": PASSWORD});
        process.post("/auth/login?canary=canary").json(&body).send().expect(401);
        process.get("/canary/page").send().expect(404);
        process.call("CANARY", "/auth/me").send().expect(405);
        refresh_within_a_trace(&process, &process.login("ada@example.com"));
        assert_eq!(collector.wait_for("password-hash", 3).len(), 3);
        collector.wait_for("sessions", 1);
        collector.wait_for("DELETE /auth/sessions/{id}", 1);
        collector.wait_for("_OTHER /auth/me", 1);
        assert_eq!(collector.resource("service.name").as_deref(), Some("symbolon"));
        let mail = &collector.wait_for("mail", 1)[0];
        assert_eq!(attribute(mail, "symbolon.mail.kind").unwrap(), "verify_email");
        let sent = &collector.wait_for("smtp", 1)[0];
        assert_eq!(sent.parent_span_id, mail.span_id);
        let spans = format!("{:?}", collector.spans());
        for personal in [&*ada.user, &ada.session, &ada.access, "ada", "example.com", "127.0.0.1", "canary", "CANARY"] {
            assert!(!spans.contains(personal), "{personal} in {spans}");
        }
    }

    /// Those that share a transaction: it is beneath the first, and linked to the others.
    fn a_group_is_linked_to_all_that_wait_for_it(db) {
        let collector = Collector::start(free_port());
        let process = traced(&db, &collector.url(), &[]);
        let users: Vec<SignedIn> =
            (0..8).map(|n| process.register(&format!("u{n}@example.com"))).collect();
        let mut tokens: Vec<String> = users.into_iter().map(|user| user.refresh).collect();
        let mut requests = 0;
        loop {
            tokens = at_once(8, |n| process.refresh(&tokens[n]).expect(200).refresh_token());
            requests += 8;
            let (served, links) = collector.wait_until(|spans| {
                let groups = spans.iter().filter(|span| span.name == "rotations");
                let (mut served, mut links) = (Vec::new(), 0);
                for group in groups {
                    let size = attribute(group, "symbolon.group.size").unwrap();
                    assert_eq!(size, (group.links.len() + 1).to_string());
                    links += group.links.len();
                    served.push(group.trace_id.clone());
                    served.extend(group.links.iter().map(|link| link.trace_id.clone()));
                }
                (served.len() >= requests).then_some((served, links))
            });
            let asked = collector.wait_for("POST /auth/refresh-token", requests);
            let traces: BTreeSet<Vec<u8>> = asked.into_iter().map(|span| span.trace_id).collect();
            assert_eq!((served.len(), traces.len()), (requests, requests));
            assert_eq!(served.into_iter().collect::<BTreeSet<_>>(), traces);
            if links > 0 {
                break;
            }
            assert!(requests < 800, "no two refreshes were ever written together");
        }
    }
}

/// Nobody who did not ask for traces gets any, however a request is marked.
#[test]
fn without_a_collector_there_are_no_traces() {
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[]);
    let call = process.get("/no/such/page");
    let answer = call.header("traceparent", &format!("00-{TRACE}-{CALLER}-01")).send().expect(404);
    assert_eq!(answer.header("traceresponse"), None);
    assert!(!process.logged().contains("trace="), "{}", process.logged());
}
