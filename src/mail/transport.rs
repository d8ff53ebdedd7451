//! Handing a letter over: to an SMTP server, or into a file.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message, SmtpTransport, Transport as _};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use thiserror::Error;

use super::letter::Letter;
use super::store::Waiting;
use crate::accounts::email::EmailAddress;
use crate::db::Moment;
use crate::private_files;
use crate::settings::mail::{MailSettings, MailWay};
use crate::traces;

/// How long a server may take for each of its answers. RFC 5321, 4.5.3.2 would have more patience, up
/// to ten minutes for the last: who gives up before that sends what was taken once more. But many
/// servers that scan mail answer within a minute, and one that hangs holds all mail up for so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Answers about the server or our login, and not about the mail (RFC 5321, 4.2.3; RFC 4954, 6): it is
/// closing or too busy, the login failed or is needed.
const GENERAL: [u16; 6] = [421, 454, 530, 534, 535, 538];

/// Why a letter was not handed over.
#[derive(Debug, Error)]
pub enum NotSent {
    /// The server could not be reached, or spoke nonsense: the same would happen to other letters.
    #[error("the mail server is not available: {0}")]
    Unreachable(#[source] lettre::transport::smtp::Error),
    /// The server refused this letter, for now or for good.
    #[error("the mail server refused it: {0}")]
    Refused(#[source] lettre::transport::smtp::Error),
    /// The file could not be written.
    #[error("cannot write it to {0}: {1}")]
    File(String, #[source] std::io::Error),
    /// No letter could be made of it.
    #[error("it cannot be put into a message: {0}")]
    Unwritable(String),
}

impl NotSent {
    /// What lettre's failure means.
    fn by_server(error: lettre::transport::smtp::Error) -> Self {
        let is_general = error.status().is_some_and(|code| GENERAL.contains(&u16::from(code)));
        // A client's error is a letter that this server cannot take, such as to letters beyond ASCII.
        let is_refusal = error.is_permanent() || error.is_transient() || error.is_client();
        if is_refusal && !is_general { Self::Refused(error) } else { Self::Unreachable(error) }
    }

    /// What kind of failure it is, in a word.
    fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::File(..) => "file",
            Self::Unwritable(_) => "unwritable",
        }
    }

    /// Whether other letters would not get through either.
    pub fn is_general(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::File(..))
    }

    /// Whether this letter will most likely never get through.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(error) => !error.is_transient(),
            Self::Unwritable(_) => true,
            Self::Unreachable(_) | Self::File(..) => false,
        }
    }
}

/// Where letters are handed over.
pub enum Transport {
    /// An SMTP server, its connections kept for the next letter.
    Smtp(Box<SmtpTransport>),
    /// A folder.
    Files(PathBuf),
}

impl Transport {
    /// The way that `settings` name.
    pub fn new(settings: &MailSettings) -> Result<Self, lettre::transport::smtp::Error> {
        Ok(match &settings.way {
            MailWay::Smtp(url) => {
                let transport = SmtpTransport::from_url(url.expose())?
                    .timeout(Some(PATIENCE))
                    .hello_name(hello_name(&settings.site));
                Self::Smtp(Box::new(transport.build()))
            }
            MailWay::Files(folder) => Self::Files(folder.clone()),
        })
    }

    /// Hands `message` over. A file is named after `waiting`, so that twice is once.
    pub fn send(&self, message: &Message, waiting: &Waiting) -> Result<(), NotSent> {
        match self {
            Self::Smtp(server) => {
                let _span = traces::span("smtp", SpanKind::Client, || {
                    [KeyValue::new("network.protocol.name", "smtp")]
                });
                let sent = server.send(message).map(drop).map_err(NotSent::by_server);
                sent.inspect_err(|failure| traces::failed(failure.kind()))
            }
            Self::Files(folder) => {
                let name = format!("{}.eml", waiting.id);
                write_file(folder, &name, &message.formatted())
                    .map_err(|error| NotSent::File(folder.display().to_string(), error))
            }
        }
    }
}

/// Who we say we are (RFC 5321, 4.1.1.1): servers distrust those that call themselves localhost.
fn hello_name(site: &str) -> ClientId {
    match site.parse() {
        Ok(IpAddr::V4(ip)) => ClientId::Ipv4(ip),
        Ok(IpAddr::V6(ip)) => ClientId::Ipv6(ip),
        Err(_) => ClientId::Domain(site.to_owned()),
    }
}

/// Writes a file that is there whole or not at all, for its owner alone: it may hold a token.
fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    private_files::make_dir(folder)?;
    let unfinished = folder.join(format!("{name}.part"));
    let mut file = private_files::write_options().create(true).truncate(true).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(name))
}

/// The message (RFC 5322) that `letter` is sent as.
pub fn message(
    settings: &MailSettings,
    waiting: &Waiting,
    letter: Letter,
    now: Moment,
) -> Result<Message, NotSent> {
    let unwritable = |error: &dyn std::fmt::Display| NotSent::Unwritable(error.to_string());
    // RFC 3834: no answer, and above all no automatic one, is wanted.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(settings.from.clone())
        .to(recipient(&waiting.mail.email).ok_or_else(|| unwritable(&"it goes to no address"))?)
        .subject(letter.subject)
        .date(now.into())
        // The same however often it is tried, so that mail programs can tell a second copy.
        .message_id(Some(format!("<{}@{}>", waiting.id, settings.site)))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
        .map_err(|error| unwritable(&error))
}

/// The address in the form that mail servers take: its domain in ASCII (RFC 5890).
fn recipient(typed: &str) -> Option<Mailbox> {
    let canonical = EmailAddress::parse(typed)?;
    let (_, domain) = canonical.canonical().rsplit_once('@')?;
    let (local, _) = typed.rsplit_once('@')?;
    Some(Mailbox::new(None, Address::new(local, domain).ok()?))
}
