//! Writing a mail: its subject, and its text in two forms, from the templates beside this file.

use askama::Template;
use time::OffsetDateTime;
use time::macros::format_description;

use super::Kind;
use super::device;
use super::store::Waiting;
use crate::db::Moment;
use crate::settings::mail::MailSettings;

/// A mail that is ready to be sent.
pub struct Letter {
    /// What it is about.
    pub subject: &'static str,
    /// For mail programs that show text only.
    pub text: String,
    /// For all others.
    pub html: String,
}

/// Where in the hosted pages somebody who has the token of such a mail goes, and who has none.
fn page(kind: Kind) -> &'static str {
    match kind {
        Kind::VerifyEmail | Kind::ChangeEmail => "verify",
        Kind::ResetPassword => "reset",
        _ => "forgot",
    }
}

/// The link that holds `token`: in its fragment, which no server, log or `Referer` gets to see.
pub fn link(settings: &MailSettings, kind: Kind, token: &str) -> String {
    format!("{}/account/{}#token={token}", settings.public_url, page(kind))
}

fn subject(kind: Kind) -> &'static str {
    match kind {
        Kind::VerifyEmail | Kind::ChangeEmail => "Verify your e-mail address",
        Kind::EmailChangeAsked => "Your e-mail address is about to change",
        Kind::ResetPassword => "Reset your password",
        Kind::PasswordChanged => "Your password was changed",
        Kind::SessionEnded => "A session was ended",
        Kind::AlreadyRegistered => "You already have an account",
    }
}

/// What templates can say.
struct Words {
    subject: &'static str,
    /// What the service is called: its host.
    site: String,
    /// The link with the one-time token; empty where there is none.
    link: String,
    /// Where a new password can be asked for.
    forgot_url: String,
    /// When it happened that the mail is about, from where, by what.
    at: String,
    ip: String,
    device: String,
    detail: String,
}

/// Defines [`fill_in`] by the two templates of each kind of mail.
macro_rules! templates {
    ($($kind:ident $text:tt $html:tt)*) => {
        /// Fills in the templates of `kind`: the text, and the page.
        fn fill_in(kind: Kind, words: &Words) -> askama::Result<(String, String)> {
            match kind {
                $(Kind::$kind => {
                    #[derive(Template)]
                    #[template(path = $text)]
                    struct Text<'a> {
                        mail: &'a Words,
                    }

                    #[derive(Template)]
                    #[template(path = $html)]
                    struct Html<'a> {
                        mail: &'a Words,
                    }

                    Ok((Text { mail: words }.render()?, Html { mail: words }.render()?))
                })*
            }
        }
    };
}

templates! {
    VerifyEmail "verify_email/text.txt" "verify_email/html.html"
    ChangeEmail "change_email/text.txt" "change_email/html.html"
    EmailChangeAsked "email_change_asked/text.txt" "email_change_asked/html.html"
    ResetPassword "reset_password/text.txt" "reset_password/html.html"
    PasswordChanged "password_changed/text.txt" "password_changed/html.html"
    SessionEnded "session_ended/text.txt" "session_ended/html.html"
    AlreadyRegistered "already_registered/text.txt" "already_registered/html.html"
}

/// Writes the mail that `waiting` asks for, with the one-time token it carries, if it does.
pub fn write(
    settings: &MailSettings,
    waiting: &Waiting,
    token: Option<&str>,
) -> askama::Result<Letter> {
    let mail = &waiting.mail;
    let words = Words {
        subject: subject(mail.kind),
        site: settings.site.clone(),
        link: token.map(|token| link(settings, mail.kind, token)).unwrap_or_default(),
        forgot_url: format!("{}/account/forgot", settings.public_url),
        at: for_people(waiting.created_at),
        ip: mail.client.ip.clone().unwrap_or_else(|| "none".to_owned()),
        device: match mail.client.ip {
            Some(_) => device::describe(mail.client.user_agent.as_deref()),
            None => format!("the operator of {}", settings.site),
        },
        detail: mail.detail.clone().unwrap_or_default(),
    };
    let (text, html) = fill_in(mail.kind, &words)?;
    Ok(Letter { subject: words.subject, text, html })
}

/// A moment as people write it, to the minute.
fn for_people(moment: Moment) -> String {
    let format =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    let at = OffsetDateTime::from_unix_timestamp(moment.unix_seconds());
    at.ok().and_then(|at| at.format(format).ok()).unwrap_or_else(|| moment.to_string())
}
