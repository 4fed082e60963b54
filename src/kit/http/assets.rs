//! The files inside the binary: one constant for each address, and the answer to a request for one.
//! Served from the table that `build.rs` writes, under names that hold the content's hash, so that a browser may
//! keep them for ever and no path is ever looked up.

use std::borrow::Cow;

use rust_embed::Embed;

use super::response::{Body, Response};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file loads nothing, wherever it is opened; shorter, too, than what pages say.
const ALONE: &str = "default-src 'none'; frame-ancestors 'none'";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    /// Whether a compressed copy stands beside it.
    gzip: bool,
}

#[derive(Embed)]
#[folder = "$OUT_DIR/assets"]
struct Files;

/// The answer to `/assets/{name}`; `None` when there is no such file.
/// `accept_encoding` is the request's header of that name.
#[must_use]
pub fn answer(name: &str, accept_encoding: Option<&str>) -> Option<Response> {
    let asset = TABLE.iter().find(|asset| asset.name == name)?;
    let zipped = asset.gzip && accept_encoding.is_some_and(accepts_gzip);
    let bytes = if zipped {
        embedded(&format!("{}.gz", asset.name))?
    } else {
        embedded(asset.name)?
    };
    let mut response = Response::new(200)
        .typed(asset.content_type, Body::Embedded(bytes))
        .with("Cache-Control", "public, max-age=31536000, immutable")
        .with("Content-Security-Policy", ALONE);
    if asset.gzip {
        response = response.with("Vary", "Accept-Encoding");
    }
    if zipped {
        response = response.with("Content-Encoding", "gzip");
    }
    Some(response)
}

fn embedded(name: &str) -> Option<&'static [u8]> {
    match Files::get(name)?.data {
        Cow::Borrowed(bytes) => Some(bytes),
        // Only a build that reads the disk owns its bytes, and ours embeds in every profile.
        Cow::Owned(_) => None,
    }
}

/// Whether the header allows gzip: named, and not with a quality of nought (RFC 9110, 12.5.3).
fn accepts_gzip(header: &str) -> bool {
    header.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused =
            parts
                .filter_map(|parameter| parameter.split_once('='))
                .any(|(key, value)| {
                    key.trim().eq_ignore_ascii_case("q")
                        && value
                            .trim()
                            .parse::<f32>()
                            .is_ok_and(|quality| quality <= 0.0)
                });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(url: &str) -> &str {
        url.strip_prefix("/assets/").unwrap()
    }

    #[test]
    fn every_file_of_the_table_is_in_the_binary() {
        for asset in TABLE {
            let plain = answer(asset.name, None).unwrap();
            assert_eq!(plain.header("Content-Type"), Some(asset.content_type));
            assert_eq!(
                plain.header("Cache-Control"),
                Some("public, max-age=31536000, immutable")
            );
            assert_eq!(plain.header("Content-Encoding"), None);
            assert!(!plain.body.bytes().is_empty());
            assert!(matches!(plain.body, Body::Embedded(_)));
        }
    }

    #[test]
    fn the_name_holds_the_hash_of_what_is_sent() {
        use sha2::{Digest, Sha256};
        for asset in TABLE {
            let sent = answer(asset.name, None).unwrap();
            let hash: String = Sha256::digest(sent.body.bytes())
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(asset.name.contains(&format!(".{hash}.")), "{}", asset.name);
        }
    }

    #[test]
    fn a_compressed_copy_is_sent_to_those_who_take_it() {
        let zipped = answer(bare(PORTAL_CSS), Some("br, gzip")).unwrap();
        assert_eq!(zipped.header("Content-Encoding"), Some("gzip"));
        assert_eq!(zipped.header("Vary"), Some("Accept-Encoding"));
        assert_eq!(zipped.body.bytes().first_chunk(), Some(&[0x1f, 0x8b]));
        let plain = answer(bare(PORTAL_CSS), None).unwrap();
        assert_eq!(plain.header("Vary"), Some("Accept-Encoding"));
        assert!(zipped.body.bytes().len() < plain.body.bytes().len());
    }

    #[test]
    fn fonts_are_compressed_already() {
        let font = answer(bare(PLEX_SANS_LATIN_WOFF2), Some("gzip")).unwrap();
        assert_eq!(font.header("Content-Encoding"), None);
        assert_eq!(font.header("Vary"), None);
    }

    #[test]
    fn other_names_are_not_there() {
        for name in [
            "",
            "portal.css",
            "../portal.css",
            "fonts/plex-sans-latin.woff2",
            "/etc/passwd",
        ] {
            assert!(answer(name, None).is_none(), "{name}");
        }
        assert!(answer(&format!("{}.gz", bare(PORTAL_CSS)), None).is_none());
    }

    #[test]
    fn the_style_sheet_refers_to_hashed_names_only() {
        let sheet = answer(bare(PORTAL_CSS), None).unwrap();
        let css = str::from_utf8(sheet.body.bytes()).unwrap();
        let targets: Vec<&str> = css
            .split("url(")
            .skip(1)
            .filter_map(|part| part.split_once(')').map(|(target, _)| target))
            .collect();
        assert!(targets.len() >= 6, "{targets:?}");
        for target in targets {
            assert!(answer(target, None).is_some(), "{target}");
        }
        assert!(!css.contains("/*"));
    }

    #[test]
    fn qualities_are_heard() {
        for yes in ["gzip", "GZIP", "deflate, gzip;q=0.5", "*", "gzip; q=1"] {
            assert!(accepts_gzip(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip-x", "identity"] {
            assert!(!accepts_gzip(no), "{no}");
        }
    }
}
