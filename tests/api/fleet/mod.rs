//! Three instances on one PostgreSQL and one Redis, behind nginx with the configuration of
//! `deploy/nginx`.

mod clocks;
mod crash;
mod failover;
mod limits;
mod restart;

use std::time::Duration;

use crate::proxies::proxy::{Proxy, nginx_with, placed};
use crate::support::process::{Process, free_port};
use crate::support::redis::Redis;
use crate::support::{Client, Db};

/// How many instances there are.
const INSTANCES: usize = 3;
/// For longer than nginx leaves an instance alone that has failed.
const NOTICED: Duration = Duration::from_millis(1_200);

/// Variables of one instance.
type Variables = Vec<(String, String)>;

/// The instances, and what they need.
struct Fleet {
    /// By way of nginx.
    client: Client,
    instances: Vec<Option<Process>>,
    ports: Vec<u16>,
    variables: Vec<Variables>,
    proxy: Proxy,
    db: Db,
    _redis: Redis,
}

impl Fleet {
    fn start() -> Self {
        Self::with(Db::postgres(), |_| Vec::new())
    }

    /// Instances that each find more in their environment.
    fn with(db: Db, more: impl Fn(usize) -> Variables) -> Self {
        let redis = Redis::start();
        let port = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let ports: Vec<u16> = (0..INSTANCES).map(|_| free_port()).collect();
        let proxy = proxy(port, &ports);
        let shared =
            [("PUBLIC_URL", &*origin), ("TRUSTED_PROXIES", "127.0.0.1"), ("REDIS_URL", &redis.url)];
        let shared = shared.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables: Vec<Variables> =
            (0..INSTANCES).map(|number| [&shared[..], &more(number)].concat()).collect();
        let instances = (0..INSTANCES).map(|_| None).collect();
        let client = Client::of_others(origin);
        let mut fleet = Self { client, instances, ports, variables, proxy, db, _redis: redis };
        (0..INSTANCES).for_each(|number| fleet.start_one(number));
        fleet
    }

    /// Starts an instance.
    fn start_one(&mut self, number: usize) {
        let variables: Vec<(&str, &str)> =
            self.variables[number].iter().map(|(name, value)| (&**name, &**value)).collect();
        let process = Process::start(&self.db, self.ports[number], &variables);
        self.instances[number] = Some(process);
    }

    /// Starts an instance again, and waits until nginx asks it.
    fn start_again(&mut self, number: usize) {
        self.start_one(number);
        std::thread::sleep(NOTICED);
    }

    fn instance(&self, number: usize) -> &Process {
        self.instances[number].as_ref().expect("it runs")
    }

    /// `kill -9`.
    fn kill(&mut self, number: usize) {
        self.instances[number].take().expect("it runs").kill();
    }

    /// Tells an instance to stop and waits for its end.
    fn stop(&mut self, number: usize) {
        let process = self.instances[number].take().expect("it runs");
        process.terminate();
        assert!(process.wait().success());
    }

    /// What nginx has logged of requests, a line each.
    fn requests(&self) -> Vec<String> {
        let logged = self.proxy.logged();
        logged.lines().filter(|line| line.contains(" from 127.0.0.1:")).map(str::to_owned).collect()
    }

    /// How many requests with `words` in their line each instance has answered.
    fn answered(&self, words: &str) -> Vec<usize> {
        let requests = self.requests();
        let of = |port: &u16| {
            let last = format!("127.0.0.1:{port} with ");
            let mine = requests.iter().filter(|line| line.contains(words) && line.contains(&last));
            mine.count()
        };
        self.ports.iter().map(of).collect()
    }

    /// nginx never lost an answer: an instance took a connection and gave it, or took none.
    #[track_caller]
    fn expect_no_answer_lost(&self) {
        let logged = self.proxy.logged();
        let lost = [
            "reset by peer",
            "prematurely closed",
            "no live upstreams",
            // Not while connecting: then another instance is asked, whatever it is about.
            "timed out) while reading",
        ];
        let lost: Vec<&str> =
            logged.lines().filter(|line| lost.iter().any(|words| line.contains(words))).collect();
        assert!(lost.is_empty(), "{lost:#?}");
    }
}

/// nginx as it is deployed: the files of `deploy/nginx`, on a test's ports.
fn proxy(port: u16, instances: &[u16]) -> Proxy {
    let site = include_str!("../../../deploy/nginx/symbolon.conf");
    let site =
        placed("symbolon.conf", site, &[("listen 80;", format!("listen 127.0.0.1:{port};"))]);
    let upstream = include_str!("../../../deploy/nginx/instances.conf");
    let samples = ["127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083"];
    let places = instances.iter().map(|port| format!("127.0.0.1:{port}"));
    let places: Vec<(&str, String)> = samples.into_iter().zip(places).collect();
    let upstream = placed("instances.conf", upstream, &places);
    nginx_with(&[("instances.conf", upstream), ("symbolon.conf", site)], port)
}
