//! The relay's side of one connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use data_encoding::BASE64;
use rustls::{ServerConnection, StreamOwned};

use super::{Received, Security, Shared, Step, Twist};

/// The conversation is over: the client left, or was left.
struct Over;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Gone,
}

/// One connection, from greeting to farewell.
pub(super) struct Conversation<'a> {
    shared: &'a Shared,
    stream: Stream,
    unread: Vec<u8>,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(shared: &'a Shared, stream: TcpStream) -> Self {
        stream.set_nodelay(true).ok();
        Self {
            shared,
            stream: Stream::Plain(stream),
            unread: Vec::new(),
            user: None,
            from: None,
            to: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        // Over is the only way out.
        self.talk().unwrap_or(());
        if let Stream::Plain(stream) = &self.stream {
            stream.shutdown(Shutdown::Both).ok();
        } else if let Stream::Tls(stream) = &self.stream {
            stream.sock.shutdown(Shutdown::Both).ok();
        }
    }

    fn talk(&mut self) -> Result<(), Over> {
        if self.shared.security == Security::Implicit {
            self.protect();
        }
        if !self.answer(Step::Greeting, "220 relay.test ESMTP")? {
            return Ok(());
        }
        loop {
            let line = self.line()?;
            let upper = line.to_ascii_uppercase();
            match upper.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => self.hello()?,
                "STARTTLS" if self.shared.security == Security::StartTls && !self.protected() => {
                    if self.answer(Step::StartTls, "220 2.0.0 go ahead")? {
                        self.protect();
                    }
                }
                "AUTH" => self.auth(&line)?,
                "MAIL" => self.mail(&line)?,
                "RCPT" => self.rcpt(&line)?,
                "DATA" => self.data()?,
                "RSET" => {
                    self.from = None;
                    self.answer(Step::Reset, "250 2.0.0 forgotten")?;
                }
                "QUIT" => {
                    self.say("221 2.0.0 bye")?;
                    return Err(Over);
                }
                _ => self.say("502 5.5.1 not known here")?,
            }
        }
    }

    fn hello(&mut self) -> Result<(), Over> {
        let mut words = "250-relay.test\r\n250-8BITMIME\r\n".to_owned();
        if self.shared.security == Security::StartTls && !self.protected() {
            words.push_str("250-STARTTLS\r\n");
        } else if self.shared.state().login.is_some() {
            words.push_str("250-AUTH PLAIN LOGIN\r\n");
        }
        words.push_str("250 ENHANCEDSTATUSCODES");
        self.answer(Step::Hello, &words).map(|_| ())
    }

    fn auth(&mut self, line: &str) -> Result<(), Over> {
        let decode = |text: &str| {
            let bytes = BASE64.decode(text.as_bytes()).unwrap_or_default();
            String::from_utf8(bytes).unwrap_or_default()
        };
        let (user, password) = if let Some(initial) = line.strip_prefix("AUTH PLAIN ") {
            let plain = decode(initial);
            let mut parts = plain.split('\0').skip(1).map(str::to_owned);
            (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            )
        } else {
            self.say("334 VXNlcm5hbWU6")?;
            let user = decode(&self.line()?);
            self.say("334 UGFzc3dvcmQ6")?;
            (user, decode(&self.line()?))
        };
        let right = self.shared.state().login == Some((user.clone(), password));
        if !right {
            return self.say("535 5.7.8 user or password is wrong");
        }
        if self.answer(Step::Auth, "235 2.7.0 welcome")? {
            self.user = Some(user);
        }
        Ok(())
    }

    fn mail(&mut self, line: &str) -> Result<(), Over> {
        if self.shared.security == Security::StartTls && !self.protected() {
            return self.say("530 5.7.0 STARTTLS first");
        }
        if self.shared.state().login.is_some() && self.user.is_none() {
            return self.say("530 5.7.0 log in first");
        }
        if self.from.is_some() {
            return self.say("503 5.5.1 another message is under way");
        }
        if self.answer(Step::Mail, "250 2.1.0 sender taken")? {
            self.from = Some(path(line));
            self.to.clear();
        }
        Ok(())
    }

    fn rcpt(&mut self, line: &str) -> Result<(), Over> {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first");
        }
        let recipient = path(line);
        let refusal = self.shared.state().refused.get(&recipient).cloned();
        if let Some(refusal) = refusal {
            return self.say(&refusal);
        }
        if self.answer(Step::Rcpt, "250 2.1.5 recipient taken")? {
            self.to.push(recipient);
        }
        Ok(())
    }

    fn data(&mut self) -> Result<(), Over> {
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first");
        }
        if !self.answer(Step::Data, "354 end with a dot")? {
            return Ok(());
        }
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            if line == "." {
                break;
            }
            lines.push(line.strip_prefix('.').map_or(line.clone(), str::to_owned));
        }
        let received = Received {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            data: lines.join("\r\n"),
            protected: self.protected(),
            user: self.user.clone(),
        };
        let mut state = self.shared.state();
        let refusal = matches!(state.twists.get(&Step::Dot), Some(Twist::Say(words)) if !words.starts_with('2'));
        if !refusal {
            state.received.push(received);
            self.shared.changed.notify_all();
        }
        drop(state);
        self.answer(Step::Dot, "250 2.0.0 taken").map(|_| ())
    }

    /// The usual answer, or what a twist makes of it; whether things go on as usual.
    fn answer(&mut self, step: Step, usual: &str) -> Result<bool, Over> {
        let twist = self.shared.state().twists.get(&step).copied();
        match twist {
            None => self.say(usual).map(|()| true),
            Some(Twist::HangUp) => {
                self.shared.state().lost_answers += usize::from(step == Step::Dot);
                Err(Over)
            }
            Some(Twist::Mute) => {
                while self.line().is_ok() {}
                Err(Over)
            }
            Some(Twist::Pause(time)) => {
                let state = self.shared.state();
                let late = self
                    .shared
                    .changed
                    .wait_timeout_while(state, time, |state| !state.stopped);
                drop(late);
                self.say(usual).map(|()| true)
            }
            Some(Twist::Say(words)) => {
                self.say(words)?;
                if words.starts_with("421") {
                    Err(Over)
                } else {
                    Ok(words.starts_with(['2', '3']))
                }
            }
        }
    }

    fn protected(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    fn protect(&mut self) {
        if let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Gone) {
            let server = ServerConnection::new(Arc::clone(&self.shared.tls)).unwrap();
            self.stream = Stream::Tls(Box::new(StreamOwned::new(server, stream)));
            self.unread.clear();
        }
    }

    fn say(&mut self, words: &str) -> Result<(), Over> {
        let words = format!("{words}\r\n");
        let done = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(words.as_bytes()),
            Stream::Tls(stream) => stream
                .write_all(words.as_bytes())
                .and_then(|()| stream.flush()),
            Stream::Gone => return Err(Over),
        };
        done.map_err(|_| Over)
    }

    /// The next line, without its CR LF; a lone LF does not end one.
    fn line(&mut self) -> Result<String, Over> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).map_err(|_| Over);
            }
            let mut chunk = [0; 4_096];
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut chunk),
                Stream::Tls(stream) => stream.read(&mut chunk),
                Stream::Gone => return Err(Over),
            };
            match read {
                Ok(count) if count > 0 => self.unread.extend(chunk.iter().take(count)),
                _ => return Err(Over),
            }
        }
    }
}

/// The address between angle brackets.
fn path(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or("", |(address, _)| address).to_owned()
}
