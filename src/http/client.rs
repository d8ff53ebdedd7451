//! Who is calling, as far as a connection can tell.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use ipnet::IpNet;

use crate::client::Client;

/// RFC-draft Fetch Metadata: only browsers send it, and scripts cannot forge it.
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const MAX_USER_AGENT: usize = 256;

/// The client of `request`, seen through the proxies that are trusted.
pub fn client_of(request: &HttpRequest, trusted: &[IpNet]) -> Client {
    let user_agent = request.headers().get(header::USER_AGENT).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect()
    });
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    let forwarded = request.headers().get_all(X_FORWARDED_FOR);
    let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
    let ip = peer.map(|peer| client_ip(peer, &forwarded, trusted).to_string());
    Client { ip, user_agent }
}

/// Whether a browser sent this request.
pub fn is_browser(request: &HttpRequest) -> bool {
    request.headers().contains_key(SEC_FETCH_SITE)
}

/// The peer, or behind trusted proxies the rightmost hop that is none of them: everything left of
/// that hop is the client's own claim.
fn client_ip(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut client = peer;
    let mut hops = forwarded.iter().flat_map(|line| line.split(',')).rev();
    while is_trusted(&client) {
        match hops.next().and_then(|hop| parse_hop(hop.trim())) {
            Some(hop) => client = hop,
            None => break,
        }
    }
    client
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse().map(|address: std::net::SocketAddr| address.ip());
    let ip: IpAddr = hop.trim_matches(['[', ']']).parse().or_else(|_| with_port()).ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security: G4.
    #[test]
    fn the_client_is_the_rightmost_hop_that_is_no_trusted_proxy() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let cases: [(&str, &[&str], &str); 8] = [
            ("192.0.2.1", &["203.0.113.9"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9, 10.2.3.4"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["[2001:db9::1]:4711"], "2001:db9::1"),
            ("2001:db8::1", &["::ffff:203.0.113.9"], "203.0.113.9"),
        ];
        for (peer, forwarded, client) in cases {
            let found = client_ip(peer.parse().unwrap(), forwarded, &trusted);
            assert_eq!(found.to_string(), client, "{peer} {forwarded:?}");
        }
    }
}
