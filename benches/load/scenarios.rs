//! What is measured.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use diesel::connection::Connection as _;
use diesel::prelude::{PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use diesel::sql_types::BigInt;

use crate::connection::Connection;
use crate::measure::{self, Figures, Report, gets};
use crate::servers::{Backend, Server, hello};
use crate::sign_in::{PASSWORD, Session, login_request, sessions};

/// The cost of hashes where passwords are not what is measured.
const CHEAP: u32 = 10;
/// The cost that the service is shipped with.
const USUAL: u32 = 12;
/// Connections, as a busy instance has them.
const MANY: usize = 64;

/// The same framework answering a constant.
pub fn ceiling(time: Duration) -> Figures {
    let server = hello();
    gets(&server.address, vec![b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(); MANY], time)
}

/// How soon it is there, and how little it needs.
pub fn start(backend: &Backend, report: &mut Report) {
    let server = Server::symbolon(backend, USUAL);
    let ready = format!("{} ms", server.process.ready_after.as_millis());
    report.note("first start to listening, migrations included", ready);
    std::thread::sleep(Duration::from_secs(1));
    report.note("idle memory (resident)", server.process.resident());
}

/// `GET /auth/me`, every connection with a session of its own.
pub fn me(backend: &Backend, time: Duration, report: &mut Report) {
    let server = Server::symbolon(backend, CHEAP);
    let requests: Vec<_> = sessions(&server.process.address, MANY).iter().map(me_request).collect();
    for connections in [1, 16, MANY] {
        let figures = gets(&server.process.address, requests[..connections].to_vec(), time);
        report.add(&format!("`/auth/me`, {connections} connections"), figures);
    }
}

/// `POST /auth/refresh-token`, every connection with its own chain of cookies.
pub fn refresh(backend: &Backend, time: Duration, report: &mut Report) {
    let server = Server::symbolon(backend, CHEAP);
    let mut cookies: Vec<String> =
        sessions(&server.process.address, MANY).into_iter().map(|session| session.cookie).collect();
    let rows_before = rows(backend, &server);
    for connections in [1, 16, MANY] {
        let (figures, after) = refreshes(&server.process.address, &cookies[..connections], time);
        cookies.splice(..connections, after);
        report.add(&format!("refresh, {connections} connections"), figures);
    }
    let grown = rows(backend, &server) - rows_before;
    report.note("rows added by refreshing", grown);
    report.note("memory afterwards (resident)", server.process.resident());
}

/// `POST /auth/login` at the usual cost, beside bare bcrypt, and `/auth/me` meanwhile.
pub fn login(backend: &Backend, time: Duration, report: &mut Report) {
    let time = time.max(Duration::from_secs(10));
    let bare = bare_bcrypt(time);
    report.note("bare bcrypt, a thread a core", format!("{bare:.2} /s"));
    let server = Server::symbolon(backend, USUAL);
    let session = sessions(&server.process.address, 1).remove(0);
    let login = login_request();
    let figures = gets(&server.process.address, vec![login.clone(); 8], time);
    report.add("login, 8 connections", figures);
    report.note("login of bare bcrypt", format!("{:.1} %", 100.0 * figures.per_second / bare));
    let flood = server.process.address.clone();
    let flooding = std::thread::spawn(move || gets(&flood, vec![login; 16], time));
    std::thread::sleep(Duration::from_millis(200));
    let calm = vec![me_request(&session); 16];
    let figures = gets(&server.process.address, calm, time.saturating_sub(Duration::from_secs(1)));
    report.add("`/auth/me`, 16 connections, during a login flood", figures);
    report.add("login, 16 connections, meanwhile", flooding.join().unwrap());
}

fn me_request(session: &Session) -> Vec<u8> {
    let access = &session.access;
    format!("GET /auth/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {access}\r\n\r\n")
        .into_bytes()
}

fn refresh_request(cookie: &str) -> Vec<u8> {
    format!(
        "POST /auth/refresh-token HTTP/1.1\r\nhost: x\r\ncookie: refreshToken={cookie}\r\n\
         content-length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Refreshes over and over, a chain of cookies a connection; returns the last cookies too.
fn refreshes(address: &str, cookies: &[String], time: Duration) -> (Figures, Vec<String>) {
    use std::cell::RefCell;
    use std::rc::Rc;
    let cookies: Vec<Rc<RefCell<String>>> =
        cookies.iter().map(|cookie| Rc::new(RefCell::new(cookie.clone()))).collect();
    let figures = measure::run(time, |window| {
        let load = |cookie: Rc<RefCell<String>>| {
            let address = address.to_owned();
            async move {
                let mut connection = Connection::open(&address).await;
                let once = async || {
                    let request = refresh_request(&cookie.borrow());
                    let answer = connection.send(&request).await;
                    assert_eq!(answer.status, 200);
                    answer.cookie().unwrap().clone_into(&mut cookie.borrow_mut());
                };
                window.repeat(once).await
            }
        };
        cookies.iter().cloned().map(load).collect()
    });
    (figures, cookies.into_iter().map(|cookie| cookie.borrow().clone()).collect())
}

/// Hashes per second that the machine's cores can do at all.
fn bare_bcrypt(time: Duration) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let started = Instant::now();
    let hashing = || {
        let mut count = 0_u32;
        while started.elapsed() < time {
            bcrypt::hash_with_salt(PASSWORD, USUAL, [7; 16]).unwrap();
            count += 1;
        }
        count
    };
    let hashes: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(hashing)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    f64::from(hashes) / started.elapsed().as_secs_f64()
}

/// Rows of `refresh_tokens`.
fn rows(backend: &Backend, server: &Server) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = diesel::sql_query("SELECT count(*) AS count FROM refresh_tokens");
    let count: Count = match backend {
        Backend::Postgres(_) => {
            query.get_result(&mut PgConnection::establish(&server.database_url).unwrap()).unwrap()
        }
        Backend::Sqlite => {
            let path = server.database_url.strip_prefix("sqlite://").unwrap();
            query.get_result(&mut SqliteConnection::establish(path).unwrap()).unwrap()
        }
    };
    count.count
}
