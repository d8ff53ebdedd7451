//! Roles that a handler requires by its signature.

use super::{Service, with_secret};
use crate::support::TestServer;

on_both_databases! {
    /// Security: I1, I5.
    fn a_handler_is_for_the_role_that_it_names(db) {
        let server = TestServer::start(db);
        let service = Service::start(with_secret(&server));
        let ada = server.register("ada@example.com");
        for (role, statuses) in
            [("user", [200, 403, 403]), ("moderator", [200, 200, 403]), ("admin", [200, 200, 200])]
        {
            server.db.set_user(&ada.user, &format!("role = '{role}'"));
            let token = server.login("ada@example.com").access;
            for (path, status) in ["/", "/moderators", "/admins"].iter().zip(statuses) {
                let answer = service.client.get(path).bearer(&token).send().expect(status);
                if status == 403 {
                    assert_eq!(answer.code(), "FORBIDDEN");
                    assert_eq!(
                        answer.header("www-authenticate"),
                        Some(r#"Bearer realm="symbolon", error="insufficient_scope""#)
                    );
                } else {
                    assert!(answer.text.starts_with(&ada.user), "{}", answer.text);
                }
            }
        }
        service.client.get("/admins").send().expect(401);
    }

    fn the_claims_that_were_asked_for_arrive(db) {
        let server = TestServer::with(db, &[("--access-token-claims", "email,name")]);
        let service = Service::start(with_secret(&server));
        let ada = server.register("ada@example.com");
        let said = service.ask(&ada.access).expect(200).text;
        assert!(said.ends_with(r#"Some("ada@example.com") None"#), "{said}");
    }
}
