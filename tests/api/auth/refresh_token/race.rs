//! Many refreshes at once.

use std::collections::BTreeSet;

use crate::support::client::claims;
use crate::support::{Answer, TestServer, at_once};

/// The tokens of these answers, all of which have to be good.
fn tokens(answers: Vec<Answer>) -> BTreeSet<String> {
    answers.into_iter().map(|answer| answer.expect(200).refresh_token()).collect()
}

on_both_databases! {
    /// Security: B3.
    fn fifty_uses_of_one_token_are_one_rotation(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let tokens = tokens(at_once(50, |_| server.refresh(&ada.refresh)));
        assert_eq!(tokens.len(), 1);
        assert_eq!(claims(tokens.first().unwrap())["gen"], 1);
        assert_eq!(server.db.generation(&ada.session), 1);
        assert_eq!(server.db.sessions(), 1);
    }

    /// Security: B3.
    fn fifty_tabs_of_one_browser_are_one_rotation(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        // The first to come rotates; whoever then shows the new token gets it again.
        let first = tokens(at_once(50, |_| server.refresh_in_browser(&ada.refresh)));
        assert_eq!(first.len(), 1);
        let live = first.first().unwrap();
        let second = tokens(at_once(50, |number| {
            server.refresh_in_browser(if number % 2 == 0 { &ada.refresh } else { live })
        }));
        assert_eq!(first, second);
        assert_eq!(server.db.generation(&ada.session), 1);
    }

    /// Security: B3.
    fn instances_on_one_database_agree(db) {
        let one = TestServer::start(db);
        let other = TestServer::on(one.db.clone(), one.clock.clone(), &[]);
        let ada = one.register("ada@example.com");
        let tokens = tokens(at_once(50, |number| {
            if number % 2 == 0 { one.refresh(&ada.refresh) } else { other.refresh(&ada.refresh) }
        }));
        assert_eq!(tokens.len(), 1);
        assert_eq!(one.db.generation(&ada.session), 1);
    }

    fn one_key_in_many_hands_is_one_rotation(db) {
        let server = TestServer::with(db, &[("--refresh-grace", "0s")]);
        let ada = server.register("ada@example.com");
        let tokens = tokens(at_once(20, |_| server.refresh_with_key(&ada.refresh, "k")));
        assert_eq!(tokens.len(), 1);
        assert_eq!(server.db.generation(&ada.session), 1);
    }

    /// Security: B2, B3.
    fn without_grace_one_wins_and_the_session_ends(db) {
        let server = TestServer::with(db, &[("--refresh-grace", "0s")]);
        let ada = server.register("ada@example.com");
        let answers = at_once(20, |_| server.refresh(&ada.refresh));
        let count = |code| answers.iter().filter(|answer| answer.code() == code).count();
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(count("REFRESH_TOKEN_REUSED"), 1);
        assert_eq!(count("SESSION_REVOKED"), 18);
        assert!(server.db.is_revoked(&ada.session));
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 1);
    }

    /// Sessions of one group neither wait for nor disturb each other.
    fn many_sessions_refresh_at_once(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let mut sessions: Vec<_> = (0..12).map(|_| server.login("ada@example.com")).collect();
        sessions.push(ada);
        let answers = at_once(sessions.len() * 4, |number| {
            server.refresh(&sessions[number % sessions.len()].refresh)
        });
        assert_eq!(tokens(answers).len(), sessions.len());
        for session in &sessions {
            assert_eq!(server.db.generation(&session.session), 1);
        }
    }

    /// Whichever comes first, nothing of the session is good afterwards.
    ///
    /// Security: B17.
    fn a_logout_among_refreshes_ends_the_session(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let answers = at_once(16, |number| match number {
            8 => server.logout(&ada.access, &ada.refresh),
            _ => server.refresh(&ada.refresh),
        });
        for (number, answer) in answers.iter().enumerate() {
            match answer.status {
                204 => assert_eq!(number, 8),
                200 => {}
                _ => drop(answer.clone().expect_failure(401, "SESSION_REVOKED")),
            }
        }
        assert!(server.db.is_revoked(&ada.session));
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            server.refresh(&answer.refresh_token()).expect_failure(401, "SESSION_REVOKED");
            server.me(&answer.access_token()).expect_failure(401, "SESSION_REVOKED");
        }
    }
}
