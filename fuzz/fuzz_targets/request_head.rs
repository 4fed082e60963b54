//! Any bytes from a client, split anywhere: no panic, the same requests as in one piece, and nothing passes that
//! could be read in two ways.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use doorward::kit::http::gate::Limits;
use doorward::kit::http::gate::body::{Inbound, Rules, Step};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    limits: Limits::default(),
    wide_body_paths: vec!["/iam/import".to_owned()],
    trusted: "127.0.0.0/8".parse().into_iter().collect(),
    secret: "5ec3e7".to_owned(),
});

/// What comes out of these pieces, without `Continue`, which depends on what has arrived.
fn steps<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Step> {
    let mut inbound = Inbound::default();
    let mut steps = Vec::new();
    for piece in pieces {
        inbound.feed(piece);
        loop {
            match inbound.step(&RULES, IpAddr::V4(Ipv4Addr::LOCALHOST)) {
                Step::Continue => {}
                Step::More(_) => break,
                Step::Whole(whole) => steps.push(Step::Whole(whole)),
                Step::Refuse(refusal) => {
                    steps.push(Step::Refuse(refusal));
                    return steps;
                }
            }
        }
    }
    steps
}

fuzz_target!(|data: (u8, &[u8])| {
    let (size, bytes) = data;
    let whole = steps([bytes]);
    let split = steps(bytes.chunks(usize::from(size).max(1)));
    assert_eq!(split, whole);

    for step in whole {
        let Step::Whole(whole) = step else { continue };
        let end = whole.bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let head = &whole.bytes[..end.expect("a blank line") + 2];
        let head = std::str::from_utf8(head).expect("ASCII").to_ascii_lowercase();
        assert_eq!(head.matches("\r\ngate-client: 5ec3e7 ").count(), 1);
        assert!(head.matches("\r\nhost:").count() <= 1);
        assert!(head.matches("\r\ncontent-length:").count() <= 1);
        for absent in ["transfer-encoding:", "connection:", "x-forwarded-for:", "upgrade:"] {
            assert!(!head.contains(&format!("\r\n{absent}")), "{absent}");
        }
    }
});
