//! Forward-auth behind real proxies, which run the configurations of `examples/` as they are.

mod app;
pub mod proxy;

/// Defines each function as two tests, `name::nginx` and `name::caddy`.
macro_rules! behind_each_proxy {
    ($($(#[$meta:meta])* fn $name:ident($site:ident) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                #[allow(unused_imports, reason = "not every test needs all of its file's")]
                use super::*;

                #[allow(unused_mut, reason = "not every test stops a part of it")]
                fn run(mut $site: $crate::proxies::Site) $body

                #[test]
                fn nginx() {
                    run($crate::proxies::Site::behind($crate::proxies::proxy::nginx));
                }

                #[test]
                fn caddy() {
                    run($crate::proxies::Site::behind($crate::proxies::proxy::caddy));
                }
            }
        )*
    };
}

mod away;
mod holder;
mod one_origin;
mod refused;

use crate::support::process::free_port;
use crate::support::{Answer, Call, Client, Db, TestServer};
use app::App;
use proxy::{Ports, Proxy};

/// Symbolon and an app behind a proxy, under one origin.
struct Site {
    client: Client,
    server: Option<TestServer>,
    app: App,
    proxy: Proxy,
}

impl Site {
    fn behind(start: fn(Ports) -> Proxy) -> Self {
        let app = App::start();
        let port = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let flags = [("--public-url", &*origin), ("--trusted-proxies", "127.0.0.1")];
        let server = TestServer::with(Db::sqlite(), &flags);
        let symbolon = server.base.rsplit_once(':').unwrap().1.parse().unwrap();
        let proxy = start(Ports { symbolon, app: app.port, proxy: port });
        Self { client: Client::of_others(origin), server: Some(server), app, proxy }
    }

    fn server(&self) -> &TestServer {
        self.server.as_ref().expect("it runs")
    }

    fn get(&self, path: &str) -> Call<'_> {
        self.client.get(path)
    }
}

impl Answer {
    /// This answer, which has to be a refusal that has a challenge with `said` in it.
    #[track_caller]
    fn refused(self, status: u16, said: &str) -> Self {
        let challenge = self.header("www-authenticate").unwrap_or_default();
        assert_eq!(self.status, status, "{}", self.text);
        assert!(challenge.starts_with("Bearer") && challenge.contains(said), "{challenge:?}");
        assert_eq!(self.headers.get_all("www-authenticate").iter().count(), 1);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        self
    }
}
