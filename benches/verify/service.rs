//! Another service, which greets whoever it is: what Symbolon's tokens are checked by.

use std::time::Duration;

use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use clap::Args;
use symbolon::verifier::{Caller, Verifier};

use crate::issuer::{Algorithm, Issuer};
use crate::process::Process;

pub const ISSUER: &str = "https://auth.example.com";
pub const SECRET: &str = "shared by the processes of this benchmark and by nothing else";
/// Who may introspect.
pub const CLIENT: (&str, &str) = ("greeter", "known to the greeter of this benchmark alone");

/// What the service does, as the benchmark tells itself on the command line.
#[derive(Args, Clone, Default)]
pub struct Service {
    /// Where to listen
    #[arg(long, hide = true)]
    serve: Option<String>,
    /// The URL of the Symbolon whose tokens are checked
    #[arg(long, hide = true)]
    auth: Option<String>,
    /// They are signed by the secret
    #[arg(long, hide = true)]
    shared: bool,
    /// They are introspected, and answers kept for so many seconds
    #[arg(long, hide = true)]
    keep: Option<u64>,
}

impl Service {
    /// One that checks nothing.
    pub fn open() -> Self {
        Self::default()
    }

    /// One for the tokens of `issuer`, which introspects them where an answer is to be kept.
    pub fn checking(issuer: &Issuer, keep: Option<u64>) -> Self {
        let shared = issuer.algorithm == Algorithm::Hs256;
        Self { serve: None, auth: Some(issuer.url.clone()), shared, keep }
    }

    /// Runs it in a process of its own.
    pub fn start(&self) -> Process {
        Process::own(|address| {
            let mut arguments = vec![format!("--serve={address}")];
            arguments.extend(self.auth.as_ref().map(|url| format!("--auth={url}")));
            arguments.extend(self.shared.then(|| "--shared".to_owned()));
            arguments.extend(self.keep.map(|seconds| format!("--keep={seconds}")));
            arguments
        })
    }

    /// Serves until killed, if that is what was asked for.
    pub fn serves(&self) -> bool {
        let Some(address) = &self.serve else { return false };
        let verifier = self.verifier().map(Data::new);
        let serving = async {
            let app = move || {
                let app = App::new().route("/", get().to(hello));
                match verifier.clone() {
                    Some(verifier) => app.app_data(verifier).route("/caller", get().to(caller)),
                    None => app,
                }
            };
            HttpServer::new(app).bind(address)?.run().await
        };
        actix_web::rt::System::new().block_on(serving).unwrap();
        true
    }

    /// What checks the tokens.
    pub fn verifier(&self) -> Option<Verifier> {
        let mut builder = Verifier::builder(self.auth.as_deref()?);
        if self.shared {
            builder = builder.secret(SECRET).issuer(ISSUER);
        }
        if let Some(seconds) = self.keep {
            let (id, secret) = CLIENT;
            builder = builder.introspection(id, secret, Duration::from_secs(seconds));
        }
        Some(builder.build().unwrap())
    }
}

async fn hello() -> HttpResponse {
    HttpResponse::Ok().body("hello, world")
}

/// Says the same, so that only the check is added.
async fn caller(_: Caller) -> HttpResponse {
    hello().await
}
