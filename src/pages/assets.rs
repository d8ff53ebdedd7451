//! What the pages are made of beside their HTML, by the name under `/account/assets/`.

/// A file that pages load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its path below `web/`, and below `/account/assets/`.
    pub name: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
}

/// The file of this name in `web/`.
macro_rules! web {
    ($name:literal) => {
        Asset { name: $name, bytes: include_bytes!(concat!("../../web/", $name)) }
    };
}

/// Every file: what is not here is not served.
pub const ASSETS: &[Asset] = &[
    web!("account.js"),
    web!("admin.js"),
    web!("admin/api.js"),
    web!("admin/chart.js"),
    web!("admin/event-table.js"),
    web!("admin/event-words.js"),
    web!("admin/events.js"),
    web!("admin/overview.js"),
    web!("admin/pages.js"),
    web!("admin/table.js"),
    web!("admin/user.js"),
    web!("admin/users.js"),
    web!("device.js"),
    web!("dialog.js"),
    web!("facts.js"),
    web!("fields.js"),
    web!("form.js"),
    web!("frame.js"),
    web!("icon.svg"),
    web!("session.js"),
    web!("style.css"),
    web!("task.js"),
    web!("times.js"),
    web!("vendor/lit-html.js"),
    web!("views/change-email.js"),
    web!("views/delete-account.js"),
    web!("views/devices.js"),
    web!("views/forgot.js"),
    web!("views/no-admin.js"),
    web!("views/password.js"),
    web!("views/profile.js"),
    web!("views/register.js"),
    web!("views/reset.js"),
    web!("views/sent-on.js"),
    web!("views/sign-in.js"),
    web!("views/unverified.js"),
    web!("views/verify.js"),
    web!("words.js"),
    // The client for browsers, which pages of other services can load from here too.
    Asset { name: "client.js", bytes: include_bytes!("../../clients/javascript/symbolon.js") },
];

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

impl Asset {
    /// Its media type, by the ending of its name.
    pub fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            // A browser does nothing with it.
            _ => "application/octet-stream",
        }
    }
}
