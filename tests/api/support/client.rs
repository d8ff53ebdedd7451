//! A client that keeps no cookies and follows nothing: each test says what it sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::{HeaderMap, Method, Request};

use super::{PASSWORD, documented};

/// Calls one server.
#[derive(Clone)]
pub struct Client {
    /// Its URL, without a slash at the end.
    pub base: String,
    agent: ureq::Agent,
    /// Whether its answers have to be as the API's document says.
    is_documented: bool,
}

/// A call that is being put together.
pub struct Call<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub access: String,
    /// From the cookie or the body, by the session's transport.
    pub refresh: String,
    pub user: String,
    pub session: String,
    pub email: String,
}

impl Client {
    /// Calls Symbolon: whatever it answers has to be documented.
    pub fn new(base: String) -> Self {
        Self { is_documented: true, ..Self::of_others(base) }
    }

    /// Calls something else, of which the document says nothing.
    pub fn of_others(base: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .allow_non_standard_methods(true)
            .build();
        Self { base, agent: config.into(), is_documented: false }
    }

    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        let method = method.parse().unwrap();
        Call { client: self, method, path: path.into(), headers: Vec::new(), body: None }
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    /// Registers `email` with [`PASSWORD`], by cookie.
    pub fn register(&self, email: &str) -> SignedIn {
        let answer =
            self.post("/auth/register").json(&json!({"email": email, "password": PASSWORD})).send();
        answer.expect(201).signed_in()
    }

    /// Registers `email` with [`PASSWORD`], with the refresh token in the body.
    pub fn register_in_body(&self, email: &str) -> SignedIn {
        let body = json!({"email": email, "password": PASSWORD, "refreshTransport": "body"});
        self.post("/auth/register").json(&body).send().expect(201).signed_in()
    }

    /// Signs in with [`PASSWORD`], by cookie.
    pub fn login(&self, email: &str) -> SignedIn {
        let answer =
            self.post("/auth/login").json(&json!({"email": email, "password": PASSWORD})).send();
        answer.expect(200).signed_in()
    }

    /// Refreshes by cookie, as a client that is no browser.
    pub fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh-token").cookie(token).send()
    }

    /// Refreshes by cookie, as a browser's page of the same origin.
    pub fn refresh_in_browser(&self, token: &str) -> Answer {
        self.post("/auth/refresh-token")
            .cookie(token)
            .header("sec-fetch-site", "same-origin")
            .send()
    }

    /// Refreshes by cookie with an `Idempotency-Key`.
    pub fn refresh_with_key(&self, token: &str, key: &str) -> Answer {
        self.post("/auth/refresh-token").cookie(token).header("idempotency-key", key).send()
    }

    /// Refreshes by body.
    pub fn refresh_in_body(&self, token: &str) -> Answer {
        self.post("/auth/refresh-token").json(&json!({"refreshToken": token})).send()
    }

    /// Who an access token says is calling.
    pub fn me(&self, access: &str) -> Answer {
        self.get("/auth/me").bearer(access).send()
    }

    /// Logs out by cookie.
    pub fn logout(&self, access: &str, refresh: &str) -> Answer {
        self.post("/auth/logout").bearer(access).cookie(refresh).send()
    }

    /// Sends bytes as they are and reads until the server closes or is silent for two seconds.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.base.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            answer.extend_from_slice(&chunk[..count]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The refresh cookie under its default name.
    pub fn cookie(self, token: &str) -> Self {
        self.header("cookie", &format!("refreshToken={token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string().as_bytes())
    }

    /// A body as it is, without any `Content-Type`.
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// Sends; panics where no answer comes.
    pub fn send(self) -> Answer {
        self.try_send().expect("an answer")
    }

    /// Sends; `None` where no answer comes.
    pub fn try_send(self) -> Option<Answer> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(format!("{}{}", self.client.base, self.path));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let agent = &self.client.agent;
        let response = match self.body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut response = response.ok()?;
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string().ok()?,
        };
        if self.client.is_documented {
            let faults = documented::faults(self.method.as_str(), &self.path, &answer);
            let (method, path) = (self.method, self.path);
            assert!(
                faults.is_empty(),
                "{method} {path} is not as documented: {faults:?}: {answer:?}"
            );
        }
        Some(answer)
    }
}

impl Answer {
    /// This answer, which has to have `status`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// This answer, which has to be the failure `code` in every respect of the contract.
    #[track_caller]
    pub fn expect_failure(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, &*self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["title"], problem["error"]);
        assert!(problem["type"].is_string() && problem["detail"].is_string());
        assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"));
        let is_challenged = status == 401 || code == "FORBIDDEN";
        assert_eq!(self.header("www-authenticate").is_some(), is_challenged);
        assert_eq!(self.header("retry-after").is_some(), matches!(status, 429 | 503));
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {:?}", self.text))
    }

    /// A failure's `code`; empty where there is none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The refresh token that this answer sets as a cookie.
    pub fn cookie(&self) -> Option<String> {
        let cookie = self.header("set-cookie")?;
        let value = cookie.strip_prefix("refreshToken=")?.split(';').next()?;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    }

    /// The refresh token of this answer, by cookie or body.
    pub fn refresh_token(&self) -> String {
        let in_body = || self.json()["refreshToken"].as_str().map(str::to_owned);
        self.cookie().or_else(in_body).expect("a refresh token")
    }

    pub fn access_token(&self) -> String {
        self.json()["accessToken"].as_str().expect("an access token").to_owned()
    }

    pub fn signed_in(&self) -> SignedIn {
        let access = self.access_token();
        let user = &self.json()["user"];
        SignedIn {
            session: claims(&access)["sid"].as_str().unwrap().to_owned(),
            refresh: self.refresh_token(),
            user: user["id"].as_str().unwrap().to_owned(),
            email: user["email"].as_str().unwrap().to_owned(),
            access,
        }
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}
