//! Listening, origins, cookies.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use ipnet::IpNet;
use url::Url;

use super::Environment;
use super::faults::{self, Faults, given, list};
use crate::http::same_site::{AllowedOrigins, Origin};

/// What the refresh cookie is called unless `COOKIE_NAME` says otherwise.
pub const DEFAULT_COOKIE_NAME: &str = "refreshToken";

/// What the command line and the environment say about HTTP.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    bind: String,
    /// How browsers reach this service, as in `https://auth.example.com` [default: http://BIND]
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Origins whose pages may call this service, separated by commas, beside that of PUBLIC_URL
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "ORIGINS")]
    allowed_origins: Option<String>,
    /// Proxies whose X-Forwarded-For is believed, as addresses or networks separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "NETWORKS")]
    trusted_proxies: Option<String>,
    /// Name of the refresh token's cookie
    #[arg(long, env = "COOKIE_NAME", default_value = DEFAULT_COOKIE_NAME, value_name = "NAME")]
    cookie_name: String,
    /// Path of the refresh token's cookie
    #[arg(long, env = "COOKIE_PATH", default_value = "/auth", value_name = "PATH")]
    cookie_path: String,
    /// `true`, `false` or `auto`: whether the cookie goes over https only (auto: in production)
    #[arg(long, env = "COOKIE_SECURE", default_value = "auto", value_name = "WHEN")]
    cookie_secure: String,
    /// `on` or `off`: whether pages to sign in by and to look after accounts are served
    #[arg(long, env = "HOSTED_PAGES", default_value = "on", value_name = "STATE")]
    hosted_pages: String,
}

/// Valid settings of HTTP.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// How browsers reach this service, without a slash at the end.
    pub public_url: String,
    /// Whose pages may call this service.
    pub allowed_origins: AllowedOrigins,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The refresh token's cookie.
    pub cookie: CookieSettings,
    /// Whether the hosted pages are served.
    pub hosted_pages: bool,
}

/// The attributes of the refresh token's cookie.
#[derive(Debug, Clone)]
pub struct CookieSettings {
    /// Its name.
    pub name: String,
    /// Its `Path`.
    pub path: String,
    /// Whether it is `Secure`.
    pub secure: bool,
}

const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

impl HttpArgs {
    /// Checks these settings.
    pub fn check(&self, environment: Environment, faults: &mut Faults) -> HttpSettings {
        let bind = faults.read("BIND", &self.bind, DEFAULT_BIND, |text| {
            text.parse().map_err(|_| format!("`{text}` is no ADDRESS:PORT"))
        });
        let public = given(self.public_url.as_deref()).map_or(format!("http://{bind}"), Into::into);
        let public_url = faults.read("PUBLIC_URL", &public, public.clone(), |text| {
            let url = Url::parse(text).map_err(|error| format!("`{text}`: {error}"))?;
            if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
                return Err(format!("`{text}` is no http(s) URL"));
            }
            if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some()
            {
                return Err(format!("`{text}` has a path; this service is served from the root"));
            }
            Ok(text.trim_end_matches('/').to_owned())
        });
        if environment.is_production() && !public_url.starts_with("https://") {
            faults.note("PUBLIC_URL", "must be an https:// URL in production");
        }
        HttpSettings {
            bind,
            allowed_origins: self.check_origins(environment, &public_url, faults),
            public_url,
            trusted_proxies: self.check_proxies(faults),
            cookie: self.check_cookie(environment, faults),
            hosted_pages: faults.read(
                "HOSTED_PAGES",
                &self.hosted_pages,
                false,
                |text| match text {
                    "on" => Ok(true),
                    "off" => Ok(false),
                    other => Err(format!("`{other}` is neither on nor off")),
                },
            ),
        }
    }

    fn check_origins(
        &self,
        environment: Environment,
        public_url: &str,
        faults: &mut Faults,
    ) -> AllowedOrigins {
        let mut origins = Vec::new();
        let mut any = false;
        for text in list(self.allowed_origins.as_deref()) {
            if text == "*" {
                any = true;
                if environment.is_production() {
                    faults.note("ALLOWED_ORIGINS", "`*` lets every site act for your users");
                }
            } else if let Some(origin) = Origin::parse(text) {
                origins.push(origin);
            } else {
                faults.note(
                    "ALLOWED_ORIGINS",
                    format_args!("`{text}` is no origin; write it like https://app.example.com"),
                );
            }
        }
        origins.extend(Origin::parse(public_url));
        AllowedOrigins { any, origins, own_host: !environment.is_production() }
    }

    fn check_proxies(&self, faults: &mut Faults) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in list(self.trusted_proxies.as_deref()) {
            match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => faults.note(
                    "TRUSTED_PROXIES",
                    format_args!("`{text}` is neither an address nor a network like 10.0.0.0/8"),
                ),
            }
        }
        networks
    }

    fn check_cookie(&self, environment: Environment, faults: &mut Faults) -> CookieSettings {
        let production = environment.is_production();
        let secure = faults.read("COOKIE_SECURE", &self.cookie_secure, true, |text| match text {
            "auto" => Ok(production),
            other => faults::flag(other).map_err(|_| format!("`{other}`: true, false or auto")),
        });
        if production && !secure {
            faults.note("COOKIE_SECURE", "production sends the cookie over https only");
        }
        let (name, path) = (self.cookie_name.trim(), self.cookie_path.trim());
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_token) {
            faults.note("COOKIE_NAME", format_args!("`{name}` is no cookie name (RFC 6265)"));
        }
        let is_path = |c: char| c.is_ascii_graphic() && c != ';' && c != ',';
        if !path.starts_with('/') || path.len() > 256 || !path.chars().all(is_path) {
            faults.note("COOKIE_PATH", format_args!("`{path}` is no path"));
        } else if !covers_auth(path) {
            faults.note(
                "COOKIE_PATH",
                format_args!("`{path}` would keep the cookie from /auth/refresh-token"),
            );
        }
        // RFC 6265bis, 4.1.3: browsers drop a prefixed cookie whose attributes do not match.
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("__host-") && (path != "/" || !secure) {
            faults.note("COOKIE_NAME", "`__Host-` needs COOKIE_PATH=/ and COOKIE_SECURE=true");
        }
        if lower.starts_with("__secure-") && !secure {
            faults.note("COOKIE_NAME", "`__Secure-` needs COOKIE_SECURE=true");
        }
        CookieSettings { name: name.to_owned(), path: path.to_owned(), secure }
    }
}

/// Whether a cookie of `path` comes back to everything under `/auth` (RFC 6265, 5.1.4).
fn covers_auth(path: &str) -> bool {
    matches!(path, "/" | "/auth" | "/auth/")
}

impl HttpSettings {
    /// What will bite somebody who runs these settings, a sentence each.
    pub fn warnings(&self, environment: Environment) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.cookie.secure && self.public_url.starts_with("http://") {
            warnings.push(
                "the cookie is Secure but PUBLIC_URL is http: Safari drops it even on localhost"
                    .to_owned(),
            );
        }
        if self.allowed_origins.any {
            warnings.push("ALLOWED_ORIGINS=* lets every site call this service".to_owned());
        }
        let hosts = || self.allowed_origins.origins.iter().map(Origin::host);
        if hosts().any(|host| host == "localhost") && hosts().any(|host| host == "127.0.0.1") {
            warnings.push(
                "127.0.0.1 and localhost are different sites to a browser: the cookie set on one \
                 is not sent from the other; use one name in PUBLIC_URL and ALLOWED_ORIGINS"
                    .to_owned(),
            );
        }
        if environment.is_production()
            && !self.bind.ip().is_loopback()
            && self.trusted_proxies.is_empty()
        {
            warnings.push(
                "TRUSTED_PROXIES is not set: behind a proxy every client has the proxy's address"
                    .to_owned(),
            );
        }
        warnings
    }
}
