//! The verifier in another service, as that service's callers see it.

mod introspection;
mod issuer;
mod keys;
mod refusals;
mod roles;

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, get};
use actix_web::{App, HttpServer};
use symbolon::verifier::{Admin, Builder, Caller, Moderator, Require, Verifier};

use super::support::{Answer, Client, TestServer};

/// Another service, whose routes say for whom they are.
struct Service {
    client: Client,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

async fn anybody(caller: Caller) -> String {
    let Caller { user, session, role, email, name, .. } = caller;
    format!("{user} {session} {} {email:?} {name:?}", role.name())
}

async fn moderators(by: Require<Moderator>) -> String {
    by.user.to_string()
}

async fn admins(by: Require<Admin>) -> String {
    by.into_caller().user.to_string()
}

impl Service {
    fn start(verifier: Builder) -> Self {
        Self::with(verifier.build().unwrap())
    }

    fn with(verifier: Verifier) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let verifier = Data::new(verifier);
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let app = move || {
                    App::new()
                        .app_data(verifier.clone())
                        .route("/", get().to(anybody))
                        .route("/moderators", get().to(moderators))
                        .route("/admins", get().to(admins))
                };
                let server = HttpServer::new(app).listen(listener).unwrap().workers(2).run();
                tell.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { client: Client::of_others(base), handle: told.recv().unwrap(), thread: Some(thread) }
    }

    fn ask(&self, token: &str) -> Answer {
        self.client.get("/").bearer(token).send()
    }

    /// The status and the code that `token` gets.
    fn judge(&self, token: &str) -> (u16, String) {
        let answer = self.ask(token);
        (answer.status, answer.code())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let stopping = self.handle.stop(false);
        actix_web::rt::System::new().block_on(stopping);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// A verifier of the tokens of `server`, on its clock.
fn verifier(server: &TestServer) -> Builder {
    Verifier::builder(&server.base).clock(server.clock.clone())
}

/// One that has the secret too.
fn with_secret(server: &TestServer) -> Builder {
    verifier(server).secret(server.app.settings.tokens.secret.expose())
}
