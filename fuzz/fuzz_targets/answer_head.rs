//! Any bytes from the server, split anywhere: no panic, and the client is sent the same.

#![no_main]

use doorward::kit::http::gate::answer::{Answer, Asked, Broken};
use doorward::kit::http::request::Method;
use libfuzzer_sys::fuzz_target;

fn relayed<'a>(
    method: Method,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, bool), Broken> {
    // HTTP/1.0, so that the chunks of the client do not show how the bytes came.
    let mut answer = Answer::new(Asked {
        method,
        minor: 0,
        keep_alive: true,
    });
    let mut out = Vec::new();
    for piece in pieces {
        answer.feed(piece, "Sun, 06 Nov 1994 08:49:37 GMT", &mut out)?;
    }
    Ok((out, answer.is_done()))
}

fuzz_target!(|data: (bool, u8, &[u8])| {
    let (is_head, size, bytes) = data;
    let method = if is_head { Method::Head } else { Method::Get };
    let split = relayed(method, bytes.chunks(usize::from(size).max(1)));
    assert_eq!(split, relayed(method, [bytes]));
});
