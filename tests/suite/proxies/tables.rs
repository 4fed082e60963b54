//! The doubtful requests: each with its name, and with what differs from the others of its table. `/own`, SMUGGLED
//! and HOST stand for what `requests` puts there.

/// Names, and texts.
pub(super) type Table = &'static [(&'static str, &'static str)];

/// Lengths that may well be three.
pub(super) const SHORT: Table = &[
    (
        "two equal lengths",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
    ),
    ("two equal lengths in a line", "Content-Length: 3, 3\r\n"),
    ("a length with zeros", "Content-Length: 0000000003\r\n"),
    ("a length after blanks", "Content-Length: \t 3 \t\r\n"),
    ("no length", ""),
    (
        "an awaited 100 and nothing sent",
        "Expect: 100-continue\r\nContent-Length: 9\r\n",
    ),
    ("a body cut off", "Content-Length: 100\r\n"),
];

/// Lengths that are not three: ALL is what is sent.
pub(super) const LONG: Table = &[
    (
        "two lengths, the short first",
        "Content-Length: 3\r\nContent-Length: ALL\r\n",
    ),
    (
        "two lengths, the long first",
        "Content-Length: ALL\r\nContent-Length: 3\r\n",
    ),
    ("two lengths in a line", "Content-Length: 3, ALL\r\n"),
    ("a length with a comma", "Content-Length: 3,\r\n"),
    ("a length with plus", "Content-Length: +3\r\n"),
    ("a negative length", "Content-Length: -1\r\n"),
    ("a negative zero", "Content-Length: -0\r\n"),
    ("a hexadecimal length", "Content-Length: 0x3\r\n"),
    ("a length with an exponent", "Content-Length: 3e0\r\n"),
    ("a length with a fraction", "Content-Length: 3.0\r\n"),
    ("a length with a word", "Content-Length: 3 bytes\r\n"),
    ("a length with a parameter", "Content-Length: 3;a=b\r\n"),
    ("a quoted length", "Content-Length: \"3\"\r\n"),
    ("a length with an underscore", "Content-Length: 0_3\r\n"),
    ("an empty length", "Content-Length:\r\n"),
    ("an endless length", "Content-Length: 99999999999\r\n"),
    ("a length past 32 bits", "Content-Length: 4294967299\r\n"),
    ("a length with a vertical tab", "Content-Length: \u{b}3\r\n"),
    ("a length with NUL", "Content-Length: 3\0\r\n"),
    ("a folded length", "Content-Length:\r\n ALL\r\n"),
    (
        "a length and a blank before its colon",
        "Content-Length : 3\r\n",
    ),
    ("an underscored length", "Content_Length: 3\r\n"),
    (
        "a length of this connection",
        "Connection: Content-Length\r\nContent-Length: ALL\r\n",
    ),
];

/// HAProxy 2.6 reads three here, and so sees another request; the server must not see what it does not.
pub(super) const OVERFLOWING: Table = &[(
    "a length past 64 bits",
    "Content-Length: 18446744073709551619\r\n",
)];

/// Beside a length that covers all: to who sees chunks, there are none, and a request follows.
pub(super) const CODED: Table = &[
    ("an unknown coding", "Transfer-Encoding: xchunked\r\n"),
    ("no coding by name", "Transfer-Encoding: identity\r\n"),
    (
        "a coding before chunks",
        "Transfer-Encoding: gzip, chunked\r\n",
    ),
    (
        "a coding after chunks",
        "Transfer-Encoding: chunked, identity\r\n",
    ),
    ("a quoted coding", "Transfer-Encoding: \"chunked\"\r\n"),
    ("an empty coding", "Transfer-Encoding:\r\n"),
    (
        "a coding with a parameter",
        "Transfer-Encoding: chunked;q=1\r\n",
    ),
    (
        "a coding with a vertical tab",
        "Transfer-Encoding: \u{b}chunked\r\n",
    ),
    ("a coding with NUL", "Transfer-Encoding: chunked\0\r\n"),
    (
        "a coding and a blank before its colon",
        "Transfer-Encoding : chunked\r\n",
    ),
    ("an underscored coding", "Transfer_Encoding: chunked\r\n"),
    (
        "a coding after a bare CR",
        "X: y\rTransfer-Encoding: chunked\r\n",
    ),
    (
        "a coding in a folded line",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
    ),
];

/// The same, and RFC 9112 lets a proxy see the chunks.
pub(super) const CODED_TO_NEXT: Table = &[
    ("a coding and a length", "Transfer-Encoding: chunked\r\n"),
    ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n"),
    (
        "a coding after a bare LF",
        "X: y\nTransfer-Encoding: chunked\r\n",
    ),
];

/// With a whole body in chunks, without a length and with one.
pub(super) const CHUNKED: Table = &[
    ("a request in a chunk", "Transfer-Encoding: chunked\r\n"),
    (
        "two codings",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ),
    (
        "chunked twice",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        "chunked twice in a line",
        "Transfer-Encoding: chunked, chunked\r\n",
    ),
    ("a coding in capitals", "TRANSFER-ENCODING: CHUNKED\r\n"),
    ("a coding after a tab", "Transfer-Encoding:\tchunked\r\n"),
    (
        "a coding of this connection",
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        "a short length as well",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ),
];

/// Bodies said to be in chunks.
pub(super) const CHUNKS: Table = &[
    ("chunks", "3\r\na=b\r\n0\r\n\r\n"),
    ("an extension", "3;a=b\r\na=b\r\n0\r\n\r\n"),
    ("an extension with a bare LF", "3;a\nb\r\na=b\r\n0\r\n\r\n"),
    ("a chunk with plus", "+3\r\na=b\r\n0\r\n\r\n"),
    ("a negative chunk", "-3\r\na=b\r\n0\r\n\r\n"),
    ("a chunk with 0x", "0x3\r\na=b\r\n0\r\n\r\n"),
    ("a chunk with a blank", "3 \r\na=b\r\n0\r\n\r\n"),
    ("a chunk after a blank", " 3\r\na=b\r\n0\r\n\r\n"),
    ("a chunk past 32 bits", "100000003\r\na=b\r\n0\r\n\r\n"),
    (
        "a chunk past 64 bits",
        "10000000000000003\r\na=b\r\n0\r\n\r\n",
    ),
    ("a chunk that is no number", "x\r\na=b\r\n0\r\n\r\n"),
    ("an empty size", "\r\na=b\r\n0\r\n\r\n"),
    ("chunks ended by bare LF", "3\na=b\n0\n\n"),
    (
        "a chunk longer than its size",
        "3\r\na=bSMUGGLED\r\n0\r\n\r\n",
    ),
    ("a chunk without its end", "3\r\na=b0\r\n\r\n"),
    (
        "trailers",
        "3\r\na=b\r\n0\r\nContent-Length: 50\r\nHost: b\r\n\r\n",
    ),
    ("a request as a trailer", "3\r\na=b\r\n0\r\nSMUGGLED"),
    ("many zeros", "3\r\na=b\r\n0000000000\r\n\r\n"),
    (
        "a page after chunks",
        "0\r\n\r\nGET /own?2 HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("chunks without an end", "3\r\na=b\r\n"),
];

/// Header lines of a page.
pub(super) const LINES: Table = &[
    ("a folded line", "X: y\r\n z\r\n"),
    (
        "a request in a folded line",
        "X: y\r\n GET /smuggled HTTP/1.1\r\n",
    ),
    ("a bare LF", "X: y\nZ: z\r\n"),
    (
        "a head that ends in LF LF",
        "X: y\n\nGET /own?2 HTTP/1.1\r\nHost: a\r\n",
    ),
    ("a bare CR", "X: y\rZ: z\r\n"),
    ("NUL in a value", "X: y\0z\r\n"),
    ("a control in a name", "X\u{1}: y\r\n"),
    ("bytes outside ASCII", "X: \u{e9}\r\n"),
    ("a line without a colon", "X\r\n"),
    ("a line without a name", ": y\r\n"),
    ("a blank before the colon", "X : y\r\n"),
    ("our own mark", "gate-client: x 6.6.6.6\r\ngate-ping: x\r\n"),
    (
        "a length of a page",
        "Content-Length: 9\r\n\r\na=b&c=d&e\r\n",
    ),
    ("an expectation of a page", "Expect: 100-continue\r\n"),
    (
        "a coding of a page",
        "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n",
    ),
    (
        "a page after the last",
        "Connection: close\r\n\r\nGET /own?2 HTTP/1.1\r\nHost: a\r\n",
    ),
    (
        "an address of this connection",
        "Connection: close, X-Forwarded-For, Host\r\n",
    ),
    (
        "an upgrade to WebSocket",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nGET /own?2 HTTP/1.1\r\nHost: a\r\n",
    ),
];

/// First lines.
pub(super) const REQUEST_LINES: Table = &[
    ("a URL", "GET http://portal.example/own HTTP/1.1"),
    (
        "a URL of another host",
        "GET http://other.example/own HTTP/1.1",
    ),
    (
        "a URL without a path",
        "GET http://portal.example?/own HTTP/1.1",
    ),
    (
        "a URL with a user",
        "GET http://a@portal.example/own HTTP/1.1",
    ),
    ("a URL of another scheme", "GET file:///own HTTP/1.1"),
    ("a target without a slash", "GET own HTTP/1.1"),
    ("two targets", "GET /own /smuggled HTTP/1.1"),
    ("two blanks", "GET  /own HTTP/1.1"),
    ("tabs", "GET\t/own\tHTTP/1.1"),
    ("a blank at the end", "GET /own HTTP/1.1 "),
    ("an empty line before", "\r\nGET /own HTTP/1.1"),
    ("an LF before", "\nGET /own HTTP/1.1"),
    ("a folded first line", "GET /own HTTP/1.1\r\n X: y"),
    ("a first line that ends in LF", "GET /own HTTP/1.1\nX: y"),
    ("a bare CR in the first line", "GET /own\r HTTP/1.1"),
    ("NUL in the target", "GET /own\0 HTTP/1.1"),
    ("a fragment", "GET /own#a HTTP/1.1"),
    ("dots", "GET /own/../own/./%2e%2e/own HTTP/1.1"),
    (
        "bytes outside ASCII in the target",
        "GET /own\u{e9} HTTP/1.1",
    ),
    ("a broken escape", "GET /own%zz%1 HTTP/1.1"),
    ("HTTP/0.9", "GET /own"),
    ("HTTP/1.2", "GET /own HTTP/1.2"),
    ("HTTP/1.10", "GET /own HTTP/1.10"),
    ("HTTP/01.1", "GET /own HTTP/01.1"),
    ("HTTP/2.0", "GET /own HTTP/2.0"),
    ("http in small letters", "GET /own http/1.1"),
    (
        "HTTP/1.0 kept",
        "GET /own HTTP/1.0\r\nConnection: keep-alive",
    ),
    ("OPTIONS of all", "OPTIONS * HTTP/1.1"),
    ("CONNECT", "CONNECT portal.example:443 HTTP/1.1"),
];

/// Instead of the one Host.
pub(super) const HOSTS: Table = &[
    ("no host", ""),
    ("an empty host", "Host:\r\n"),
    (
        "two hosts",
        "Host: portal.example\r\nHost: other.example\r\n",
    ),
    (
        "two equal hosts",
        "Host: portal.example\r\nHost: portal.example\r\n",
    ),
    (
        "two hosts in a line",
        "Host: portal.example, other.example\r\n",
    ),
    ("a host with a user", "Host: a@portal.example\r\n"),
    ("a host with a path", "Host: portal.example/smuggled\r\n"),
    ("a host with a blank", "Host: portal example\r\n"),
];

/// Without a body and with one.
pub(super) const METHODS: Table = &[
    ("HEAD", "HEAD"),
    ("PUT", "PUT"),
    ("DELETE", "DELETE"),
    ("OPTIONS", "OPTIONS"),
    ("TRACE", "TRACE"),
    ("an unknown method", "FOO"),
    ("a method in small letters", "get"),
    ("a method with markup", "G<script>"),
];

/// Of a form that is sent at once.
pub(super) const EXPECTATIONS: Table = &[
    ("an unknown expectation", "Expect: x\r\n"),
    ("two expectations", "Expect: 100-continue\r\nExpect: x\r\n"),
];

/// All of it.
pub(super) const WHOLE: Table = &[
    ("bare LF everywhere", "GET /own HTTP/1.1\nHost: a\n\n"),
    (
        "a coding of HTTP/1.0",
        "POST /own HTTP/1.0\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n",
    ),
    ("HTTP/1.0 without a host", "GET /own HTTP/1.0\r\n\r\n"),
    ("HTTP/2 by preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("a head cut off", "GET /own HTTP/1.1\r\nHost: por"),
    (
        "a TLS greeting",
        "\u{16}\u{3}\u{1}\0\u{5}\u{1}\0\0\u{1}\u{3}",
    ),
];
