//! `GET /admin/users/{id}/sessions`.

use serde_json::{Value, json};

use super::{admin, get};
use crate::support::{SignedIn, TestServer};

fn list(server: &TestServer, by: &SignedIn, user: &str) -> Vec<Value> {
    let answer = get(server, by, &format!("/admin/users/{user}/sessions")).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(answer.as_object().unwrap().len(), 1);
    answer["sessions"].as_array().unwrap().clone()
}

fn ids(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["id"].as_str().unwrap()).collect()
}

on_both_databases! {
    /// They are those that the user sees, of that user alone.
    fn the_live_sessions_of_a_user_are_shown(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        server.clock.step(1.0);
        let phone = server.login("grace@example.com");
        server.clock.step(1.0);
        let gone = server.login("grace@example.com");
        server.logout(&gone.access, &gone.refresh).expect(204);
        let shown = list(&server, &ada, &grace.user);
        assert_eq!(ids(&shown), [&*phone.session, &*grace.session], "the newest comes first");
        let mut own = server.get("/auth/sessions").bearer(&phone.access).send().json();
        for session in own["sessions"].as_array_mut().unwrap() {
            session["current"] = json!(false);
        }
        assert_eq!(json!(shown), own["sessions"]);
        // Somebody who looks at the own account.
        let second = server.login("ada@example.com");
        let own = list(&server, &ada, &ada.user);
        assert_eq!(ids(&own), [&*second.session, &*ada.session]);
        let current: Vec<_> = own.iter().map(|session| &session["current"]).collect();
        assert_eq!(current, [false, true]);
    }

    fn a_user_without_sessions_has_none(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        server.logout(&grace.access, &grace.refresh).expect(204);
        assert_eq!(list(&server, &ada, &grace.user), Vec::<Value>::new());
    }

    fn who_is_not_there_has_no_list(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let grace = server.register("grace@example.com");
        server.delete(&format!("/admin/users/{}", grace.user)).bearer(&ada.access).send().expect(204);
        for id in [&*grace.user, "nope", "%00", "01890a5d-ac96-774b-bcce-b302099a8057", &ada.session] {
            let answer = get(&server, &ada, &format!("/admin/users/{id}/sessions"));
            answer.expect_failure(404, "NOT_FOUND");
        }
    }
}
