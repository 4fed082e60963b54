//! One conversation with the relay, from the greeting to the last answer, and what each failure in it means.
//! Does not decide when to connect, to try again or to stop.

use std::fmt;
use std::time::{Duration, Instant};

use mail_send::{Credentials, SmtpClient};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::kit::mail::smtp::line::{Channel, Line, Reply};
use crate::kit::mail::smtp::relay::{Relay, Security};
use crate::kit::mail::smtp::tls;
use crate::kit::mail::{Cause, Failure, Said, Speaker};
use crate::kit::names;
use crate::kit::time::instant;

/// mail-send's own time limit, per command: out of the way of ours, which know what is being waited for.
const NEVER_FIRST: Duration = Duration::from_secs(3_600);

/// What a session is opened with.
pub(super) struct Way<'a> {
    pub(super) relay: &'a Relay,
    pub(super) helo: &'a str,
    pub(super) connector: Option<&'a TlsConnector>,
    pub(super) limit: Duration,
}

/// What is handed over in it.
pub(super) struct Parcel<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) bytes: &'a [u8],
}

/// What was said, and what is being waited for; outlives a conversation that was cut off.
pub(super) struct Trace {
    pub(super) lines: Vec<Said>,
    began: Instant,
    awaited: Awaited,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            began: instant(),
            awaited: Awaited::Connection,
        }
    }
}

/// What comes next in a conversation.
#[derive(Clone, Copy, Debug)]
enum Awaited {
    Connection,
    Handshake,
    Greeting,
    /// The answer to this.
    Answer(&'static str),
    /// The answer to the login.
    Login,
    /// The answer to MAIL FROM.
    Sender,
}

impl Awaited {
    /// Whose trouble it is when it does not come, or is a refusal.
    const fn cause(self) -> Cause {
        match self {
            Self::Connection => Cause::Connection,
            Self::Handshake => Cause::Tls,
            Self::Greeting | Self::Answer(_) => Cause::Service,
            Self::Login => Cause::Login,
            Self::Sender => Cause::Sender,
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => f.write_str("connection"),
            Self::Handshake => f.write_str("TLS handshake"),
            Self::Greeting => f.write_str("greeting"),
            Self::Answer(command) => write!(f, "answer to {command}"),
            Self::Login => f.write_str("answer to the login"),
            Self::Sender => f.write_str("answer to MAIL FROM"),
        }
    }
}

impl Trace {
    const fn awaits(&mut self, what: Awaited) {
        self.awaited = what;
    }

    fn line(&mut self, speaker: Speaker, words: impl Into<String>) {
        self.lines.push(Said {
            after: self.began.elapsed(),
            speaker,
            words: words.into(),
        });
    }

    fn said(&mut self, words: &str) {
        self.line(Speaker::Us, words);
    }

    fn heard(&mut self, words: &str) {
        self.line(Speaker::Relay, words);
    }

    /// What happened beside the conversation.
    pub(super) fn remark(&mut self, words: impl Into<String>) {
        self.line(Speaker::Remark, words);
    }

    /// The failure when time ran out.
    pub(super) fn silence(&self, limit: Duration) -> Failure {
        let seconds = limit.as_secs_f32();
        // Who is silent did not refuse: that is no matter of a login or a sender.
        let cause = match self.awaited.cause() {
            Cause::Login | Cause::Sender => Cause::Service,
            cause => cause,
        };
        Failure::Relay(cause, format!("No {} within {seconds} s.", self.awaited))
    }
}

/// What a refusal at this point means: 421 is a relay that closes, wherever it says so, and a 4xx passes.
const fn refusal(awaited: Awaited, code: u16) -> Cause {
    match (awaited, code) {
        // RFC 4954: the password is too weak, has to be changed, or a login is required.
        (Awaited::Login, 432 | 534) => Cause::Login,
        (_, 400..=499) => Cause::Service,
        // A relay that wants a login says so here.
        (Awaited::Sender, 530) => Cause::Login,
        (awaited, _) => awaited.cause(),
    }
}

/// A greeted, protected, logged-in connection.
pub(super) struct Session {
    client: SmtpClient<Line>,
    /// A message was refused half way; the next one begins with RSET.
    unfinished: bool,
}

impl Session {
    /// Connects, and goes on until the relay is ready for mail.
    pub(super) async fn open(way: &Way<'_>, trace: &mut Trace) -> Result<Self, Failure> {
        let relay = way.relay;
        trace.awaits(Awaited::Connection);
        let stream = dial(way, trace).await?;
        let mut session = Self::on(Channel::Plain(stream));
        if relay.security == Security::Implicit {
            session = session.protect(way, trace).await?;
        }
        trace.awaits(Awaited::Greeting);
        let outcome = session.client.read().await.map(|_| ());
        session.expect(outcome, 220, trace)?;
        session.hello(way, trace).await?;
        if relay.security == Security::StartTls {
            trace.awaits(Awaited::Answer("STARTTLS"));
            let reply = session.say("STARTTLS", trace).await?;
            if reply.code != 220 {
                return Err(Failure::Relay(
                    Cause::Tls,
                    format!(
                        "The relay does not offer STARTTLS ({}); smtps:// is TLS from the start.",
                        reply.words
                    ),
                ));
            }
            // Answers that came before the TLS handshake were thrown away with the old client.
            session = session.protect(way, trace).await?;
            session.hello(way, trace).await?;
        }
        Ok(session)
    }

    fn on(channel: Channel) -> Self {
        Self {
            client: SmtpClient {
                stream: Line::new(channel),
                timeout: NEVER_FIRST,
            },
            unfinished: false,
        }
    }

    /// The same connection under TLS, the certificate checked for the relay's name.
    async fn protect(self, way: &Way<'_>, trace: &mut Trace) -> Result<Self, Failure> {
        trace.awaits(Awaited::Handshake);
        let name = ServerName::try_from(way.relay.host.clone());
        let (Some(connector), Ok(name), Channel::Plain(stream)) =
            (way.connector, name, self.client.stream.into_channel())
        else {
            return Err(Failure::Relay(
                Cause::Tls,
                "The relay's host cannot stand in a certificate.".to_owned(),
            ));
        };
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|error| Failure::Relay(Cause::Tls, tls::explain(&error, &way.relay.host)))?;
        let (_, line) = stream.get_ref();
        trace.remark(tls::described(line));
        Ok(Self::on(Channel::Tls(Box::new(stream))))
    }

    /// EHLO, and the login where it is due: never before TLS where there is to be TLS.
    async fn hello(&mut self, way: &Way<'_>, trace: &mut Trace) -> Result<(), Failure> {
        trace.awaits(Awaited::Answer("EHLO"));
        trace.said(&format!("EHLO {}", way.helo));
        let outcome = self.client.ehlo(way.helo).await;
        let (outcome, capabilities) = match outcome {
            Ok(capabilities) => (Ok(()), Some(capabilities)),
            Err(error) => (Err(error), None),
        };
        self.expect(outcome, 250, trace)?;
        let ready = matches!(
            (way.relay.security, self.is_protected()),
            (Security::Plain, _) | (_, true)
        );
        let (Some(login), Some(capabilities), true) = (&way.relay.login, capabilities, ready)
        else {
            return Ok(());
        };
        trace.awaits(Awaited::Login);
        trace.said("AUTH (user and password not shown)");
        let credentials = Credentials::Plain {
            username: login.user.as_str(),
            secret: login.password.reveal().as_str(),
        };
        let outcome = self.client.authenticate(&credentials, &capabilities).await;
        let outcome = outcome.map(|_| ());
        self.expect(outcome, 235, trace)
    }

    const fn is_protected(&self) -> bool {
        self.client.stream.is_protected()
    }

    /// MAIL FROM, after RSET if the message before was refused.
    pub(super) async fn begin(&mut self, from: &str, trace: &mut Trace) -> Result<(), Failure> {
        if self.unfinished {
            trace.awaits(Awaited::Answer("RSET"));
            let reply = self.say("RSET", trace).await?;
            accepted(&reply, 200..=299)?;
            self.unfinished = false;
        }
        trace.awaits(Awaited::Sender);
        let reply = self.say(&format!("MAIL FROM:<{from}>"), trace).await?;
        // Whatever the relay says here is about us, not about this message.
        match reply.code {
            200..=299 => Ok(()),
            code => Err(Failure::Relay(refusal(trace.awaited, code), reply.words)),
        }
    }

    /// RCPT TO, DATA and the message; answers with the relay's words.
    pub(super) async fn hand_over(
        &mut self,
        parcel: &Parcel<'_>,
        trace: &mut Trace,
    ) -> Result<String, Failure> {
        self.unfinished = true;
        trace.awaits(Awaited::Answer("RCPT TO"));
        let reply = self.say(&format!("RCPT TO:<{}>", parcel.to), trace).await?;
        accepted(&reply, 200..=299)?;
        trace.awaits(Awaited::Answer("DATA"));
        let reply = self.say("DATA", trace).await?;
        accepted(&reply, 354..=354)?;
        trace.awaits(Awaited::Answer("the message"));
        trace.said(&format!("(the message, {} bytes)", parcel.bytes.len()));
        let outcome = match self.client.write_message(parcel.bytes).await {
            Ok(()) => self.client.read().await.map(|_| ()),
            Err(error) => Err(error.into()),
        };
        let reply = self.answer(outcome, trace)?;
        accepted(&reply, 200..=299)?;
        self.unfinished = false;
        Ok(reply.words)
    }

    /// Takes leave; nothing depends on the answer.
    pub(super) async fn quit(mut self) {
        let mut trace = Trace::default();
        self.say("QUIT", &mut trace).await.ok();
    }

    async fn say(&mut self, command: &str, trace: &mut Trace) -> Result<Reply, Failure> {
        trace.said(command);
        let outcome = self.client.cmd(format!("{command}\r\n")).await.map(|_| ());
        self.answer(outcome, trace)
    }

    /// The answer behind an outcome of mail-send, in the server's own words.
    fn answer(&self, outcome: mail_send::Result<()>, trace: &mut Trace) -> Result<Reply, Failure> {
        use mail_send::Error::{AuthenticationFailed, UnexpectedReply};
        match (outcome, self.client.stream.reply()) {
            (Ok(()) | Err(UnexpectedReply(_) | AuthenticationFailed(_)), Some(reply)) => {
                trace.heard(&reply.words);
                Ok(reply)
            }
            (Err(error), _) => {
                let cause = match (&error, trace.awaited.cause()) {
                    (mail_send::Error::UnsupportedAuthMechanism, _) => Cause::Login,
                    // A line that broke is no refusal.
                    (_, Cause::Login | Cause::Sender) => Cause::Service,
                    (_, cause) => cause,
                };
                Err(Failure::Relay(cause, explain(&error, trace.awaited)))
            }
            (Ok(()), None) => Err(Failure::Relay(
                Cause::Service,
                "The relay's answer cannot be read.".to_owned(),
            )),
        }
    }

    fn expect(
        &self,
        outcome: mail_send::Result<()>,
        code: u16,
        trace: &mut Trace,
    ) -> Result<(), Failure> {
        let reply = self.answer(outcome, trace)?;
        if reply.code == code {
            Ok(())
        } else {
            let cause = refusal(trace.awaited, reply.code);
            Err(Failure::Relay(cause, reply.words))
        }
    }
}

/// What an answer to RCPT or DATA means for the message.
fn accepted(reply: &Reply, good: std::ops::RangeInclusive<u16>) -> Result<(), Failure> {
    let words = reply.words.clone();
    match reply.code {
        code if good.contains(&code) => Ok(()),
        421 => Err(Failure::Relay(Cause::Service, words)),
        400..=499 => Err(Failure::Later(words)),
        500..=599 => Err(Failure::Never(words)),
        _ => Err(Failure::Relay(Cause::Service, words)),
    }
}

/// A connection to the first of the relay's addresses that takes one.
async fn dial(way: &Way<'_>, trace: &mut Trace) -> Result<TcpStream, Failure> {
    let place = way.relay.place();
    let trouble = |error: &dyn fmt::Display| {
        Failure::Relay(
            Cause::Connection,
            format!("Cannot connect to {place}: {error}."),
        )
    };
    let (host, port) = (way.relay.host.clone(), way.relay.port);
    let addresses = spawn_blocking(move || names::addresses(&host, port))
        .await
        .map_err(|error| trouble(&error))?
        .map_err(|error| trouble(&error))?;
    // An address that swallows packets must not use up the time of the others.
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let share = way.limit / count;
    let mut last = trouble(&"the name has no address");
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                trace.remark(format!("Connected to {place} ({address})."));
                // Otherwise every message waits 40 ms for an acknowledgement.
                stream.set_nodelay(true).map_err(|error| trouble(&error))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = trouble(&error),
            Err(_) => last = trouble(&"no answer"),
        }
    }
    Err(last)
}

/// What went wrong below SMTP, as a sentence.
fn explain(error: &mail_send::Error, awaited: Awaited) -> String {
    use mail_send::Error;
    match error {
        Error::UnparseableReply => {
            format!("No {awaited}: the relay closed the connection, or its words cannot be read.")
        }
        Error::UnsupportedAuthMechanism => {
            "The relay offers no login by PLAIN or LOGIN here; without user and password in its URL none is \
             tried."
                .to_owned()
        }
        Error::Timeout => format!("No {awaited} in time."),
        Error::Io(error) => format!("No {awaited}: the connection broke ({error})."),
        Error::UnexpectedReply(_) | Error::AuthenticationFailed(_) => "The relay refused.".to_owned(),
        other => format!("{other}."),
    }
}
