//! Signing in, for the tokens to measure with.

use crate::connection::Connection;

pub const PASSWORD: &str = "correct horse battery";

/// What a sign-in gives.
pub struct Session {
    pub access: String,
    pub cookie: String,
}

/// The one user signs in.
pub fn login_request() -> Vec<u8> {
    post("/auth/login", &format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#))
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Registers one user and signs it in so many times.
pub fn sessions(address: &str, count: usize) -> Vec<Session> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::open(address).await;
        let body = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#);
        let registered = connection.send(&post("/auth/register", &body)).await;
        assert_eq!(registered.status, 201);
        let mut sessions = Vec::new();
        while sessions.len() < count {
            let answer = connection.send(&login_request()).await;
            assert_eq!(answer.status, 200);
            let cookie = answer.cookie().unwrap().to_owned();
            sessions.push(Session { access: answer.access_token(), cookie });
        }
        sessions
    })
}
