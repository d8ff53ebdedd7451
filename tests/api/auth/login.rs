//! `POST /auth/login`.

use crate::support::TestServer;

on_both_databases! {
    fn signs_in(db) {
        let server = TestServer::start(db);
        let registered = server.register("ada@example.com");
        let ada = server.login("ADA@example.com");
        assert_eq!(ada.user, registered.user);
        assert_ne!(ada.session, registered.session);
        server.me(&ada.access).expect(200);
    }
}
