//! `symbolon healthcheck`: for containers, which have no curl.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::{Failure, print};

const PATIENCE: Duration = Duration::from_secs(3);

/// Ask a running service for its health.
#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// Where the service listens
    #[arg(long, env = "BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    bind: SocketAddr,
}

/// Fails unless `/healthz` answers 200.
pub(super) fn run(args: &HealthcheckArgs) -> Result<(), Failure> {
    let address = reachable(args.bind);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .map_err(|error| format!("nothing answers on {address}: {error}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    let status = answer.lines().next().unwrap_or_default();
    if status.starts_with("HTTP/1.1 200") {
        print("healthy")?;
        Ok(())
    } else {
        Err(format!("{address} answered: {status}").into())
    }
}

/// A service that listens everywhere is asked on the loopback interface.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}
