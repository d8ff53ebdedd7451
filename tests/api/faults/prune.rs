//! Deleting what nobody needs any more, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use symbolon::background::Stop;
use symbolon::clock::Clock;
use symbolon::db::{Id, lease};
use symbolon::prune::{Pruned, Pruner};
use symbolon::sessions::store::delete_ended;

use super::{literal, sessions};
use crate::support::{TestServer, at_once, rounds};

const DAY: f64 = 86_400.0;
const RETENTION: Duration = Duration::from_secs(90 * 86_400);

/// What prunes the server's tables, as an instance of its own or, with `None`, as an operator.
fn pruner(server: &TestServer, instance: Option<Id>) -> Pruner {
    let (database, clock) = (server.app.database.clone(), Arc::clone(&server.app.clock));
    Pruner { database, clock, retention: RETENTION, instance }
}

on_both_databases! {
    /// Security: B14.
    fn only_what_is_past_its_end_goes(db) {
        let server = TestServer::start(db);
        let prune = || pruner(&server, None).prune(&Stop::default()).unwrap();
        let rows = || server.db.number("SELECT count(*) FROM refresh_tokens");
        let ada = server.register("ada@example.com");
        let idle = server.login("ada@example.com");
        server.logout(&ada.access, &ada.refresh).expect(204);
        assert_eq!((prune(), rows()), (Pruned::default(), 2));
        // Idle for longer than its token lives, and ended: both stay.
        server.clock.step(29.0 * DAY);
        let young = server.login("ada@example.com");
        // The link to prove the address with goes long after it has expired.
        assert_eq!((prune(), rows()), (Pruned { tokens: 1, ..Pruned::default() }, 3));
        server.refresh(&idle.refresh).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        // One second before the end, and at it: sessions end on a whole second.
        server.clock.step(DAY - 1.25);
        assert_eq!((prune(), rows()), (Pruned::default(), 3));
        server.clock.step(1.0);
        assert_eq!((prune(), rows()), (Pruned { sessions: 2, ..Pruned::default() }, 1));
        server.refresh(&young.refresh).expect(200);
        // Events go by their own time.
        server.clock.step(61.0 * DAY);
        let pruned = prune();
        assert_eq!((pruned.sessions, rows()), (1, 0));
        assert!(pruned.events > 0);
        let old = server.db.number("SELECT count(*) FROM audit_events");
        assert!(old > 0, "those of the last 90 days stay");
    }

    fn many_go_in_batches_while_others_refresh(db) {
        let server = TestServer::with(db, &[("--session-ttl", "1h")]);
        let ended = sessions(&server, 1200);
        server.clock.step(3_601.0);
        let live = server.login("owner@example.com");
        let app = &server.app;
        let batch = app.database.write(|connection| delete_ended(connection, app.now(), 500));
        assert_eq!(batch.unwrap(), 500);
        let mut refresh = live.refresh.clone();
        std::thread::scope(|scope| {
            let pruning = scope.spawn(|| pruner(&server, None).prune(&Stop::default()));
            for _ in 0..10 {
                refresh = server.refresh(&refresh).expect(200).refresh_token();
            }
            // The one that registered, too.
            let pruned = Pruned { sessions: 701, ..Pruned::default() };
            assert_eq!(pruning.join().unwrap().unwrap(), pruned);
        });
        assert_eq!(server.db.number("SELECT count(*) FROM refresh_tokens"), 1);
        server.refresh(&ended[0].refresh).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
    }

    /// Several instances take turns: one deletes, and the others leave it to that one.
    fn one_instance_at_a_time(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        let [first, second] = [(); 2].map(|()| Some(server.app.new_id()));
        let prune = |instance| pruner(&server, instance).prune(&Stop::default()).unwrap().sessions;
        let end_one = || {
            let ended = server.login("ada@example.com").session;
            let past = server.db.moment(server.clock.now().unix_micros() - 1);
            server.db.set_session(&ended, &format!("ends_at = {past}"));
        };
        end_one();
        assert_eq!(prune(first), 1);
        // For half an hour it is the first one's turn.
        end_one();
        server.clock.step(1_799.9);
        assert_eq!((prune(second), prune(first)), (0, 1));
        end_one();
        server.clock.step(1_800.0);
        assert_eq!((prune(second), prune(first)), (1, 0));
        // An operator asks nobody.
        end_one();
        assert_eq!(prune(None), 1);
        // One that is killed at it holds the others up for a minute.
        server.clock.step(1_800.0);
        end_one();
        let app = &server.app;
        let (killed, ends_at) = (app.new_id(), app.now() + Duration::from_secs(60));
        let taken = app.database.write(|connection| {
            lease::take(connection, "prune", killed, app.now(), ends_at)
        });
        assert!(taken.unwrap());
        server.clock.step(59.9);
        assert_eq!(prune(first), 0);
        server.clock.step(0.1);
        assert_eq!(prune(first), 1);
    }

    /// Security: B14.
    fn of_several_that_prune_at_once_one_does(db) {
        let server = TestServer::with(db, &[("--session-ttl", "1h")]);
        sessions(&server, 600);
        server.clock.step(3_601.0);
        let mut pruned = at_once(4, |_| {
            let instance = pruner(&server, Some(server.app.new_id()));
            instance.prune(&Stop::default()).unwrap().sessions
        });
        pruned.sort_unstable();
        assert_eq!(pruned, [0, 0, 0, 601]);
    }

    /// A session is one row for life, and neither a row nor an event is added by refreshing.
    fn refreshing_adds_nothing(db) {
        let server = TestServer::start(db);
        let session = server.register("ada@example.com");
        let events = || server.db.number("SELECT count(*) FROM audit_events");
        let before = events();
        let mut token = session.refresh;
        let count = rounds(400, 20_000);
        for _ in 0..count {
            token = server.refresh(&token).expect(200).refresh_token();
        }
        assert_eq!(server.db.number("SELECT count(*) FROM refresh_tokens"), 1);
        assert_eq!(events(), before);
        let id = literal(&server.db, &session.session);
        let generation = format!("SELECT generation FROM refresh_tokens WHERE id = {id}");
        assert_eq!(server.db.number(&generation), i64::from(count));
        let pages = if server.db.is_postgres() {
            server.db.number("SELECT pg_total_relation_size('refresh_tokens') / 8192")
        } else {
            server.db.number("SELECT page_count FROM pragma_page_count()")
        };
        assert!(pages <= 40, "one session takes up {pages} pages");
    }
}
