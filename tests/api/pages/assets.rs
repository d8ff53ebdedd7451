//! `/account/assets/*`: what pages load.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use symbolon::pages::assets::ASSETS;
use url::Url;

use super::{NO_PAGE, both};
use crate::support::{Db, TestServer};

#[test]
fn they_are_what_they_are() {
    let server = TestServer::start(Db::sqlite());
    for asset in ASSETS {
        let path = format!("/account/assets/{}", asset.name);
        let answer = both(&server, &path, |call| call).expect(200);
        assert!(!answer.text.is_empty() && answer.text.as_bytes() == asset.bytes, "{path}");
        let kind = match asset.name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}: what is its media type?"),
        };
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("content-security-policy"), Some(NO_PAGE), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

/// Each use asks whether it is still the same: after an update nobody runs half of the old pages.
#[test]
fn copies_are_kept_and_compared() {
    let server = TestServer::start(Db::sqlite());
    let mut tags = BTreeSet::new();
    for name in ["style.css", "icon.svg", "account.js", "client.js"] {
        let path = format!("/account/assets/{name}");
        let answer = server.get(&path).send().expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let tag = answer.header("etag").unwrap().to_owned();
        assert!(tag.starts_with('"'), "a strong one: {tag}");
        for known in [&*tag, &format!("W/{tag}"), &format!("\"other\", {tag}"), "*"] {
            let same = both(&server, &path, |call| call.header("if-none-match", known)).expect(304);
            assert_eq!((same.header("etag"), &*same.text), (Some(&*tag), ""), "{known}");
            assert_eq!(same.header("cache-control"), Some("no-cache"));
            assert!(same.header("content-type").is_none());
        }
        for other in ["\"other\"", "other", &tag.replace('"', ""), ""] {
            server.get(&path).header("if-none-match", other).send().expect(200);
        }
        tags.insert(tag);
    }
    assert_eq!(tags.len(), 4);
}

#[test]
fn nothing_else_is_served() {
    let server = TestServer::start(Db::sqlite());
    for name in [
        "",
        "nope.js",
        "account.html",
        "admin.html",
        "facts.html",
        "package.json",
        "STYLE.CSS",
        "style.css/",
        "/style.css",
        "./style.css",
        "x/../style.css",
        "..%2fassets%2fstyle.css",
        "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "vendor",
        "vendor/",
        "vendor%5clit-html.js",
        "style.css%00.js",
        "style%2ecss%20",
    ] {
        let request =
            format!("GET /account/assets/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = server.raw(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 "), "{name}: {answer}");
        assert!(answer.contains(r#""code":"NOT_FOUND""#), "{name}: {answer}");
    }
    // The same file under another spelling of its address.
    server.get("/account/assets/style%2ecss?v=1").send().expect(200);
}

/// Pages of allowed origins can import the client, and no others can.
#[test]
fn the_client_can_be_loaded_from_here() {
    let app = "https://app.example.com";
    let server = TestServer::with(Db::sqlite(), &[("--allowed-origins", app)]);
    for (origin, allowed) in [(app, Some(app)), ("https://evil.example", None)] {
        let call = server.get("/account/assets/client.js").header("origin", origin);
        let answer = call.send().expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("Origin")));
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `web/` that end so, by their path there.
fn files(folder: &Path, endings: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("node_modules") {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            let name = path.strip_prefix(root().join("web")).unwrap();
            found.insert(name.to_string_lossy().replace('\\', "/"));
        }
    }
    found
}

/// What `text`, the file `name`, loads, types in its comments included.
fn loaded(name: &str, text: &str) -> Vec<String> {
    const ASSETS: &str = "/account/assets/";
    let base = Url::parse("http://x").and_then(|root| root.join(ASSETS)?.join(name)).unwrap();
    let is_path = |text: &&str| ["./", "../", ASSETS].iter().any(|start| text.starts_with(start));
    let paths = text.split(['"', '\'']).filter(is_path).map(|path| base.join(path).unwrap());
    paths.map(|url| url.path().strip_prefix(ASSETS).expect(name).to_owned()).collect()
}

/// Whatever a page loads is served, and whatever is served is loaded: a file that was forgotten in
/// the table is found here, and not by somebody who wants to sign in.
#[test]
fn every_file_is_in_the_table_and_used() {
    let web = root().join("web");
    let served: BTreeSet<String> = ASSETS.iter().map(|asset| asset.name.to_owned()).collect();
    assert_eq!(served.len(), ASSETS.len(), "an asset is listed twice");
    let mut there = files(&web, &[".js", ".css", ".svg"]);
    there.insert("client.js".to_owned());
    assert_eq!(served, there, "the table of src/pages/assets.rs, and what is in web/");
    let mut used = BTreeSet::new();
    for name in files(&web, &[".js", ".css", ".html"]) {
        for path in loaded(&name, &fs::read_to_string(web.join(&name)).unwrap()) {
            assert!(served.contains(&path), "{name} loads {path}, which is not served");
            used.insert(path);
        }
    }
    assert_eq!(served, used, "what is served, and what pages load");
}

/// No third party learns who signs in where.
#[test]
fn nothing_is_loaded_from_elsewhere() {
    let web = root().join("web");
    for name in files(&web, &[".html", ".css"]) {
        let text = fs::read_to_string(web.join(&name)).unwrap();
        for place in ["http:", "https:", "src=\"//", "href=\"//", "url(", "@import"] {
            assert!(!text.contains(place), "{name}: {place}");
        }
    }
    for name in files(&web, &[".html"]) {
        let text = fs::read_to_string(web.join(&name)).unwrap();
        // The policy would refuse these.
        for inline in ["<style", "style=", "<script>", " onclick", " onload", "<base"] {
            assert!(!text.contains(inline), "{name}: {inline}");
        }
    }
}
