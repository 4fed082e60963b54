//! What the sign-in page weighs for a browser that was never here: every answer it waits for, heads and all.

use crate::Result;
use crate::client::Client;
use crate::server::Server;
use crate::table::{Aim, Row};

const KB: f64 = 1_000.0;

/// What browsers say.
const HEADERS: [&str; 2] = [
    "Accept-Encoding: gzip, deflate, br",
    "Accept: text/html,*/*;q=0.8",
];

/// Without and with fonts.
pub(crate) fn rows(server: &Server) -> Result<Vec<Row>> {
    let mut load = PageLoad::of("/sign-in", server.client()?)?;
    load.follow()?;
    let before = load.before_fonts / KB;
    let all = (load.before_fonts + load.fonts) / KB;
    let count = f64::from(load.requests - load.font_requests);
    let parts = load.parts.join(", ");
    Ok(vec![
        Row::new(
            "sign-in page, cold, before fonts",
            format!("{before:.1} KB"),
        )
        .beside_words("published: Glewlwyd 316 KB, Rauthy 181 KB")
        .judged(before, Aim::AtMost(15.0), "KB"),
        Row::new("requests of it", format!("{count:.0}"))
            .beside_words("published: Glewlwyd 16, Rauthy 64")
            .judged(count, Aim::AtMost(5.0), ""),
        Row::new("sign-in page, cold, all", format!("{all:.1} KB")).judged(
            all,
            Aim::AtMost(80.0),
            "KB",
        ),
        Row::new("its parts in KB", parts),
    ])
}

struct PageLoad {
    client: Client,
    page: String,
    /// Addresses that are still to be fetched.
    wanted: Vec<String>,
    seen: Vec<String>,
    parts: Vec<String>,
    before_fonts: f64,
    fonts: f64,
    requests: u32,
    font_requests: u32,
}

impl PageLoad {
    fn of(path: &str, client: Client) -> Result<Self> {
        let mut load = Self {
            client,
            page: String::new(),
            wanted: Vec::new(),
            seen: Vec::new(),
            parts: Vec::new(),
            before_fonts: 0.0,
            fonts: 0.0,
            requests: 0,
            font_requests: 0,
        };
        load.page = load.fetch(path)?;
        // Icons, preloads, style sheets; scripts and images; icons out of a file of theirs.
        let links = tags(&load.page, "<link ", "href");
        let scripts = tags(&load.page, "<script ", "src");
        let images = tags(&load.page, "<img ", "src");
        let uses = tags(&load.page, "<use ", "href");
        load.wanted = [links, scripts, images, uses].concat();
        load.wanted.reverse();
        Ok(load)
    }

    fn follow(&mut self) -> Result<()> {
        while let Some(address) = self.wanted.pop() {
            let address = address.split('#').next().unwrap_or_default().to_owned();
            if address.is_empty() || self.seen.contains(&address) {
                continue;
            }
            self.seen.push(address.clone());
            let text = self.fetch(&address)?;
            if address.ends_with(".css") {
                // Compressed as it came, so once more as it is to be read.
                let sheet = self.client.get(&address, &[])?.expect(200)?;
                drop(text);
                self.wanted.extend(images_of(sheet.text()?, &self.page));
            }
        }
        Ok(())
    }

    /// Fetches one, and counts what came over the wire.
    fn fetch(&mut self, address: &str) -> Result<String> {
        let answer = self.client.get(address, &HEADERS)?.expect(200)?;
        let bytes = u32::try_from(answer.head.len() + answer.body.len())?;
        let bytes = f64::from(bytes);
        self.requests += 1;
        if address.ends_with(".woff2") {
            self.fonts += bytes;
            self.font_requests += 1;
        } else {
            self.before_fonts += bytes;
        }
        let name = address.rsplit('/').next().unwrap_or(address);
        self.parts.push(format!("{name} {:.1}", bytes / KB));
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

/// The attribute of every such tag.
fn tags(page: &str, tag: &str, attribute: &str) -> Vec<String> {
    let start = format!("{attribute}=\"");
    page.split(tag)
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .filter_map(|(tag, _)| tag.split_once(start.as_str()))
        .filter_map(|(_, rest)| rest.split_once('"'))
        .map(|(address, _)| address.to_owned())
        .collect()
}

/// The images of those rules that match something on the page; fonts come by the page's own preload.
fn images_of(sheet: &str, page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = String::new();
    for part in sheet.split("url(") {
        if let (Some((name, _)), false) = (part.split_once(')'), before.is_empty()) {
            let is_font = name.ends_with(".woff2");
            let rule = before.rsplit_once('{').map_or("", |(rule, _)| rule);
            let selector = rule.rsplit(['{', '}', ';']).next().unwrap_or_default();
            let is_here = selector.split(',').any(|one| is_on(page, one));
            if !is_font && is_here {
                found.push(format!("/assets/{name}"));
            }
        }
        before.push_str(part);
    }
    found
}

/// Whether the last class or element of a selector stands on the page.
fn is_on(page: &str, selector: &str) -> bool {
    let last = selector.split([' ', '>']).next_back().unwrap_or_default();
    let plain = last.split([':', '[']).next().unwrap_or_default();
    match plain.rsplit_once('.') {
        Some((_, class)) => page.contains(class),
        None => page.contains(&format!("<{plain}")),
    }
}
