//! The line to the relay: a TCP stream, plain or under TLS, that remembers what was last heard on it, so that an
//! answer can be shown word for word. Does not know SMTP but for the shape of an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Twice what mail-send accepts as one answer.
const HEARD_MAX: usize = 8_192;
/// How much of an answer is kept.
const WORDS_MAX: usize = 300;

/// The stream below.
pub(super) enum Channel {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A stream, and what came in on it since something was last said.
pub(super) struct Line {
    channel: Channel,
    heard: Vec<u8>,
}

impl Line {
    pub(super) const fn new(channel: Channel) -> Self {
        Self {
            channel,
            heard: Vec::new(),
        }
    }

    pub(super) fn into_channel(self) -> Channel {
        self.channel
    }

    pub(super) const fn is_protected(&self) -> bool {
        matches!(self.channel, Channel::Tls(_))
    }

    /// The answer last heard, if it was whole.
    pub(super) fn reply(&self) -> Option<Reply> {
        Reply::parse(&self.heard)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = match &mut this.channel {
            Channel::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Channel::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        if let Some(new) = buf.filled().get(before..)
            && this.heard.len() + new.len() <= HEARD_MAX
        {
            this.heard.extend_from_slice(new);
        }
        polled
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.heard.clear();
        match &mut this.channel {
            Channel::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Channel::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().channel {
            Channel::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Channel::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().channel {
            Channel::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Channel::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A server's answer: its code, and the whole as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) words: String,
}

impl Reply {
    /// Reads one answer, of one line or more; what follows it is not part of it.
    fn parse(heard: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(heard);
        let mut code = None;
        let mut enhanced = "";
        let mut words = String::new();
        for line in text.lines() {
            let (digits, rest) = line.split_at_checked(3)?;
            let number: u16 = digits.parse().ok()?;
            let said = rest.get(1..).unwrap_or_default().trim();
            if code.is_none() {
                code = Some(number);
                enhanced = said.split(' ').next().unwrap_or_default();
                words.push_str(digits);
                words.push(' ');
                words.push_str(said);
            } else {
                let repeated = said.strip_prefix(enhanced);
                words.push(' ');
                words.push_str(repeated.filter(|_| is_enhanced(enhanced)).unwrap_or(said));
            }
            if !rest.starts_with('-') {
                let words = one_line(&words);
                return code.map(|code| Self { code, words });
            }
        }
        None
    }
}

/// An enhanced status code of RFC 3463, like `5.1.1`.
fn is_enhanced(word: &str) -> bool {
    let mut numbers = 0;
    word.split('.').all(|part| {
        numbers += 1;
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
    }) && numbers == 3
}

/// Foreign words as one line of bounded length, without control characters.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(heard: &str) -> Option<(u16, String)> {
        Reply::parse(heard.as_bytes()).map(|reply| (reply.code, reply.words))
    }

    #[test]
    fn an_answer_is_kept_word_for_word_on_one_line() {
        let cases = [
            ("250 ok\r\n", 250, "250 ok"),
            ("550 5.1.1 no such user\r\n", 550, "550 5.1.1 no such user"),
            // Numbers above 255 are what big providers use.
            ("550 5.7.708 refused\r\n", 550, "550 5.7.708 refused"),
            (
                "550-5.1.1 no such user,\r\n550-5.1.1 really\r\n550 5.1.1 not\r\n",
                550,
                "550 5.1.1 no such user, really not",
            ),
            (
                "250-mail.example.com\r\n250 SIZE 100\r\n",
                250,
                "250 mail.example.com SIZE 100",
            ),
            ("354\r\n", 354, "354"),
            ("421 bye\r\n250 injected\r\n", 421, "421 bye"),
            ("550 a\x1b[31mb\tc\r\n", 550, "550 a [31mb c"),
        ];
        for (heard, code, expected) in cases {
            assert_eq!(words(heard), Some((code, expected.to_owned())), "{heard:?}");
        }
    }

    #[test]
    fn an_answer_that_is_not_whole_is_none() {
        for heard in ["", "25", "250-more\r\n", "hello\r\n", "äöü\r\n"] {
            assert_eq!(words(heard), None, "{heard:?}");
        }
    }

    #[test]
    fn a_long_answer_is_cut_at_300_characters() {
        let (_, words) = words(&format!("550 {}\r\n", "ä".repeat(2_000))).unwrap();
        assert_eq!(words.chars().count(), 300);
    }
}
