//! Sessions that end while their sockets are open.

use std::time::{Duration, Instant};

use serde_json::json;

use super::house::House;
use super::socket::Socket;

/// How late it may be noticed.
const SOON: Duration = Duration::from_secs(5);

#[track_caller]
fn closes_soon(socket: &mut Socket, began: Instant) {
    assert_eq!(socket.closed(), (4401, "Unauthorized".into()));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

on_both_databases! {
    /// Security: J6.
    fn what_ends_a_session_closes_its_sockets(db) {
        let house = House::on(db, &[], &[]);
        let boss = house.somebody_who_is("admin", "boss");
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| house.somebody(name));
        let phone = house.auth.login(&ada.email);
        let room = house.room(&boss);
        let connect = |token: &str| house.handshake(&room).bearer(token).connect();
        let mut logged_out = [connect(&ada.access), connect(&ada.access)];
        let mut other_session = connect(&phone.access);
        let mut disabled = connect(&bob.access);
        let mut deleted = connect(&eve.access);

        let began = Instant::now();
        house.auth.logout(&ada.access, &ada.refresh).expect(204);
        let change = |id: &str| house.auth.call("PATCH", &format!("/admin/users/{id}"));
        let disable = json!({"disabled": true});
        change(&bob.user).bearer(&boss.access).json(&disable).send().expect(200);
        let gone = house.auth.delete(&format!("/admin/users/{}", eve.user)).bearer(&boss.access);
        gone.send().expect(204);

        for socket in logged_out.iter_mut().chain([&mut disabled, &mut deleted]) {
            closes_soon(socket, began);
        }
        other_session.chat("another session goes on");
        assert_eq!(other_session.until("chat")["text"], "another session goes on");
        let refused = house.handshake(&room).bearer(&ada.access).refused();
        assert_eq!((refused.status, &*refused.code), (401, "TOKEN_INVALID"));
    }
}
