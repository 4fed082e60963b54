//! A mail relay for tests: speaks enough SMTP to take mail, keeps what it took, and misbehaves on command. It is
//! written from RFC 5321 alone and shares no code with what it tests.
//!
//! ```ignore
//! let relay = Relay::start(Security::StartTls);
//! relay.ask_for_login("ann", "secret");
//! relay.at(Step::Dot, Twist::Say("451 4.3.0 later"));
//! // … point the portal at relay.url("ann:secret@") …
//! let messages = relay.wait_for(1);
//! ```

mod conversation;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;

use self::conversation::Conversation;

/// How connections are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// Not at all; STARTTLS is neither offered nor known.
    Plain,
    /// By STARTTLS; mail before it is refused.
    StartTls,
    /// By TLS from the first byte.
    Implicit,
}

/// Where in the conversation something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Before the first word.
    Greeting,
    /// EHLO.
    Hello,
    /// STARTTLS, before the handshake.
    StartTls,
    /// The end of AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The dot after the message, which has been kept by then unless the answer is a refusal.
    Dot,
    /// RSET.
    Reset,
}

/// What goes wrong there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Twist {
    /// This answer instead of the usual one. After 421 the connection is closed; after another refusal the
    /// conversation goes on.
    Say(&'static str),
    /// The usual answer, but late.
    Pause(Duration),
    /// No answer at all.
    Mute,
    /// The connection is closed without an answer.
    HangUp,
}

/// A message as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The envelope's sender.
    pub(crate) from: String,
    /// The envelope's recipients.
    pub(crate) to: Vec<String>,
    /// The text, doubled dots single again, without the last line end.
    pub(crate) data: String,
    /// Whether it came under TLS.
    pub(crate) protected: bool,
    /// Who had logged in.
    pub(crate) user: Option<String>,
}

#[derive(Default)]
struct State {
    twists: BTreeMap<Step, Twist>,
    refused: BTreeMap<String, String>,
    login: Option<(String, String)>,
    received: Vec<Received>,
    open: Vec<TcpStream>,
    connections: usize,
    lost_answers: usize,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    security: Security,
    tls: Arc<ServerConfig>,
}

/// The relay itself; stops when dropped.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
    /// Holds the authority's certificate.
    folder: tempfile::TempDir,
}

impl Relay {
    /// A relay on a port of 127.0.0.1 that was free, with an authority of its own for `localhost`.
    pub(crate) fn start(security: Security) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        let (tls, authority) = certificate(&name);
        std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut relay = Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
                security,
                tls,
            }),
            address: listener.local_addr().unwrap(),
            acceptor: None,
            folder,
        };
        relay.listen(listener);
        relay
    }

    /// The `smtp_url` that fits this relay; `login` is `user:password@` or nothing.
    pub(crate) fn url(&self, login: &str) -> String {
        let (port, ca) = (self.address.port(), self.authority());
        match self.shared.security {
            Security::Plain => format!("smtp://{login}127.0.0.1:{port}"),
            Security::StartTls => format!("smtp://{login}localhost:{port}?tls=starttls&ca={ca}"),
            Security::Implicit => format!("smtps://{login}localhost:{port}?ca={ca}"),
        }
    }

    /// The port, which stays the same over `stop` and `start_again`.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The file with the certificate of the relay's own authority.
    pub(crate) fn authority(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// From now on this goes wrong at this step.
    pub(crate) fn at(&self, step: Step, twist: Twist) {
        self.state().twists.insert(step, twist);
    }

    /// From now on this recipient gets this answer at RCPT TO.
    pub(crate) fn refuse(&self, recipient: &str, answer: &str) {
        let mut state = self.state();
        state
            .refused
            .insert(recipient.to_owned(), answer.to_owned());
    }

    /// From now on mail is taken only after this login.
    pub(crate) fn ask_for_login(&self, user: &str, password: &str) {
        self.state().login = Some((user.to_owned(), password.to_owned()));
    }

    /// Nothing goes wrong any more, and nobody is refused.
    pub(crate) fn behave(&self) {
        let mut state = self.state();
        state.twists.clear();
        state.refused.clear();
    }

    /// What has been taken so far, oldest first.
    pub(crate) fn messages(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    /// The newest of what has been taken that is wanted.
    pub(crate) fn newest(&self, is_wanted: impl Fn(&Received) -> bool) -> Option<Received> {
        let state = self.state();
        state
            .received
            .iter()
            .rev()
            .find(|mail| is_wanted(mail))
            .cloned()
    }

    /// What has been taken, once it is `count` messages or more; fails after ten seconds.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let limit = Duration::from_secs(10);
        let (state, late) = self
            .shared
            .changed
            .wait_timeout_while(self.state(), limit, |state| state.received.len() < count)
            .unwrap();
        assert!(
            !late.timed_out(),
            "{} of {count} messages came",
            state.received.len()
        );
        state.received.clone()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    /// How often a message was kept and the connection closed without saying so.
    pub(crate) fn lost_answers(&self) -> usize {
        self.state().lost_answers
    }

    /// Closes all connections, saying these words first (on plain ones; under TLS nothing can be said from here).
    pub(crate) fn hang_up(&self, words: &str) {
        for mut stream in self.state().open.drain(..) {
            stream.write_all(words.as_bytes()).ok();
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// Is down: connections are closed, and new ones refused by the system.
    pub(crate) fn stop(&mut self) {
        self.state().stopped = true;
        self.shared.changed.notify_all();
        if let Some(acceptor) = self.acceptor.take() {
            // Wakes the thread that waits for connections.
            drop(TcpStream::connect(self.address));
            acceptor.join().unwrap();
        }
        self.hang_up("");
    }

    /// Is up again, on the same port, with what it had taken.
    pub(crate) fn start_again(&mut self) {
        self.state().stopped = false;
        self.listen(TcpListener::bind(self.address).unwrap());
    }

    fn listen(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut state = shared.state();
                if state.stopped {
                    return;
                }
                state.connections += 1;
                state.open.push(stream.try_clone().unwrap());
                drop(state);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || Conversation::new(&shared, stream).run());
            }
        }));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// What a TLS server on this machine shows, all in PEM.
pub(crate) struct Papers {
    /// The certificate of the authority behind it.
    pub(crate) authority: String,
    /// Its own certificate, for `localhost`.
    pub(crate) certificate: String,
    /// Its private key.
    pub(crate) key: String,
}

impl Papers {
    /// Fresh ones, from an authority of this name.
    pub(crate) fn new(authority_name: &str) -> Self {
        let (authority, leaf, key) = issue(authority_name);
        Self {
            authority: authority.pem(),
            certificate: leaf.pem(),
            key: key.serialize_pem(),
        }
    }
}

fn issue(authority_name: &str) -> (CertifiedIssuer<'static, KeyPair>, Certificate, KeyPair) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, authority_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let leaf = CertificateParams::new(names).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    (authority, leaf, key)
}

/// A server's TLS settings with a fresh certificate for this machine, and the PEM of the authority behind it.
fn certificate(authority_name: &str) -> (Arc<ServerConfig>, String) {
    let (authority, leaf, key) = issue(authority_name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (Arc::new(config), authority.pem())
}
