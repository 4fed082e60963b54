//! A client that costs little: one kept connection, whole answers, nothing clever.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(10);

/// One connection to the server.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    port: u16,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// All lines of the head, as they came.
    pub(crate) head: String,
    /// The body, as it came.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) fn to(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
            port,
        })
    }

    /// Asks for a page. `headers` are whole lines.
    pub(crate) fn get(&mut self, path: &str, headers: &[&str]) -> Result<Answer> {
        self.ask("GET", path, headers, "")
    }

    /// Sends a form.
    pub(crate) fn post(&mut self, path: &str, headers: &[&str], form: &str) -> Result<Answer> {
        self.ask("POST", path, headers, form)
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[&str], form: &str) -> Result<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n",
            self.port
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        if method == "POST" {
            request.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            ));
        }
        request.push_str("\r\n");
        request.push_str(form);
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut head = String::new();
        loop {
            let before = head.len();
            if self.stream.read_line(&mut head)? == 0 {
                return Err("the server closed the connection".into());
            }
            if head.get(before..) == Some("\r\n") {
                break;
            }
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer {
            status: status.ok_or("this is no HTTP")?,
            head,
            body: Vec::new(),
        };
        if answer.status != 204 && answer.status != 304 {
            let length = answer.header("content-length").ok_or("no Content-Length")?;
            answer.body = vec![0; length.parse()?];
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }
}

impl Answer {
    /// The value of the first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body, which must be text.
    pub(crate) fn text(&self) -> Result<&str> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// The answer, if it has this status.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let found = self.status;
        let text = String::from_utf8_lossy(&self.body);
        let start: String = text.chars().take(2_000).collect();
        Err(format!("{found} instead of {status}: {start}").into())
    }

    /// The hidden proof of the page's first form.
    pub(crate) fn csrf(&self) -> Result<String> {
        let page = self.text()?;
        let (_, rest) = page.split_once("name=\"csrf\"").ok_or("no form")?;
        let value = rest.split('"').nth(1).ok_or("no value")?;
        Ok(value.to_owned())
    }

    /// The value of a cookie that is set.
    pub(crate) fn cookie(&self, name: &str) -> Result<String> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(found, _)| found.eq_ignore_ascii_case("set-cookie"))
            .filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
            .ok_or_else(|| format!("no cookie {name}").into())
    }
}
