//! How mail is sent.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::path::{Path, PathBuf};

use clap::Args;
use lettre::message::Mailbox;
use lettre::{Address, SmtpTransport};
use url::Url;

use super::Environment;
use super::faults::{Faults, given};
use crate::secret::Secret;

/// What the command line and the environment say about mail.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailArgs {
    /// `smtps://USER:PASSWORD@HOST` (TLS), `smtp://USER:PASSWORD@HOST?tls=required` (STARTTLS) or `smtp://HOST:25` (plain) [default: none, mail is written to files in DATA_DIR/mail]
    #[arg(long, env = "SMTP_URL", hide_env_values = true, value_name = "URL")]
    smtp_url: Option<Secret>,
    /// File that holds SMTP_URL
    #[arg(long, env = "SMTP_URL_FILE", value_name = "FILE")]
    smtp_url_file: Option<String>,
    /// Whom mail is from, as in `Example <no-reply@example.com>` [default: no-reply at the host of PUBLIC_URL]
    #[arg(long, env = "MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
}

/// Valid settings of mail.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Where it goes.
    pub way: MailWay,
    /// Whom it is from.
    pub from: Mailbox,
    /// What links in it start with, without a slash at the end.
    pub public_url: String,
    /// What the service is called in it: the host of `PUBLIC_URL`.
    pub site: String,
    /// Whether its links are logged, for whoever develops without a mail server.
    pub log_links: bool,
}

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum MailWay {
    /// To the SMTP server of this URL, which may hold a password.
    Smtp(Secret),
    /// Into files in this folder.
    Files(PathBuf),
}

impl MailArgs {
    /// Checks these settings.
    pub fn check(
        &self,
        environment: Environment,
        public_url: &str,
        data_dir: &Path,
        faults: &mut Faults,
    ) -> MailSettings {
        let url = faults.secret("SMTP_URL", self.smtp_url.as_ref(), self.smtp_url_file.as_deref());
        let way = match url {
            None => MailWay::Files(data_dir.join("mail")),
            Some(url) => {
                faults.read("SMTP_URL", url.expose(), (), check_smtp_url);
                MailWay::Smtp(Secret::new(url.expose().trim()))
            }
        };
        let url = Url::parse(public_url).ok();
        let site = url.as_ref().and_then(Url::host_str).unwrap_or("localhost").to_owned();
        let is_name = url.as_ref().is_some_and(|url| url.domain().is_some());
        let from = format!("no-reply@{}", if is_name { &*site } else { "localhost" });
        let from = given(self.mail_from.as_deref()).unwrap_or(&from);
        let nobody = Mailbox::new(None, Address::new_dangerous("no-reply", "localhost"));
        MailSettings {
            log_links: !environment.is_production() && matches!(way, MailWay::Files(_)),
            way,
            from: faults.read("MAIL_FROM", from, nobody, |text| {
                text.parse()
                    .map_err(|_| format!("`{text}` is no address like Name <a@example.com>"))
            }),
            public_url: public_url.to_owned(),
            site,
        }
    }
}

/// The URL may hold a password, so no message repeats it.
fn check_smtp_url(url: &str) -> Result<(), String> {
    SmtpTransport::from_url(url).map(drop).map_err(|_| {
        "must look like smtps://user:password@host, smtp://user:password@host?tls=required or \
         smtp://host:25"
            .to_owned()
    })
}

impl MailSettings {
    /// What will bite somebody who runs these settings, a sentence each.
    pub fn warnings(&self, environment: Environment) -> Vec<String> {
        let mut warnings = Vec::new();
        match &self.way {
            MailWay::Files(folder) if environment.is_production() => warnings.push(format!(
                "SMTP_URL is not set: nobody gets mail, it is written to {}",
                folder.display()
            )),
            MailWay::Smtp(url) if goes_in_plain_text(url.expose()) => warnings.push(
                "SMTP_URL sends passwords and links unencrypted: use smtps:// or ?tls=required"
                    .to_owned(),
            ),
            _ => {}
        }
        warnings
    }
}

/// Whether mail crosses a network that others can listen to.
fn goes_in_plain_text(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let is_encrypted = url.query_pairs().any(|pair| pair == ("tls".into(), "required".into()));
        let is_far = !matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        url.scheme() == "smtp" && is_far && !is_encrypted
    })
}
