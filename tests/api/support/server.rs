//! The real server, in this process, on a port of its own.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use clap::Parser;
use symbolon::app::App;
use symbolon::db::{Database, migrate};
use symbolon::random::SystemRandom;
use symbolon::server;
use symbolon::settings::ServeArgs;

use super::{Client, Db, TestClock};

/// The same service that `symbolon serve` runs, but with a clock that the test moves.
pub struct TestServer {
    pub client: Client,
    pub clock: Arc<TestClock>,
    pub app: Arc<App>,
    pub db: Arc<Db>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    serve: ServeArgs,
}

impl TestServer {
    /// A server with the settings of development, but the cheapest password hash.
    pub fn start(db: Db) -> Self {
        Self::with(db, &[])
    }

    /// A server with flags such as `("--refresh-grace", "0s")`.
    pub fn with(db: Db, flags: &[(&str, &str)]) -> Self {
        Self::on(Arc::new(db), Arc::default(), flags)
    }

    /// A server on a database and a clock that others may use too.
    pub fn on(db: Arc<Db>, clock: Arc<TestClock>, flags: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let data_dir = db.dir.path().to_string_lossy().into_owned();
        let defaults = [
            ("--bind", &*address),
            // One issuer for all instances on one database.
            ("--jwt-issuer", "https://auth.test"),
            ("--data-dir", &data_dir),
            ("--database-url", &db.url),
            ("--bcrypt-cost", "10"),
            // Everybody in these tests has the same address.
            ("--login-rate-limit", "off"),
            ("--register-rate-limit", "off"),
            ("--forgot-rate-limit", "off"),
        ];
        let mut args = vec!["symbolon".to_owned()];
        for (name, value) in defaults {
            if !flags.iter().any(|(flag, _)| *flag == name) {
                args.push(format!("{name}={value}"));
            }
        }
        args.extend(flags.iter().map(|(name, value)| format!("{name}={value}")));
        let settings = Args::parse_from(args).serve.check().expect("the settings are valid");
        let database = Database::open(&settings.database).unwrap();
        migrate::run(&database).unwrap();
        let app = App::build(settings, database, clock.clone(), Arc::new(SystemRandom)).unwrap();
        let (handle, thread) = run(&app, listener);
        let client = Client::new(format!("http://{address}"));
        Self { client, clock, app, db, handle, thread: Some(thread) }
    }
}

fn run(app: &Arc<App>, listener: TcpListener) -> (ServerHandle, JoinHandle<()>) {
    let app = Arc::clone(app);
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let (server, _) = server::start(&app, listener).unwrap();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    (told.recv().unwrap(), thread)
}

impl Deref for TestServer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let stopping = self.handle.stop(false);
        actix_web::rt::System::new().block_on(stopping);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
