//! An invitation through a mail server that others wrote, aiosmtpd, and read by a mail parser that others wrote,
//! Python's own. `tests/run` installs them; where they are not, the test says so and does not run.

use std::io::{BufRead as _, BufReader, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::letter::path_of;
use crate::process::Launch;
use crate::relay::Papers;
use crate::served::{activate, expect, found, invite, sign_in, until_seen};
use crate::wait;

const ANN: &str = "ann@haldenworks.example";
const PATIENCE: Duration = Duration::from_secs(20);
/// Debian's own first: it is the one that finds Debian's packages.
const PYTHONS: [&str; 2] = ["/usr/bin/python3", "python3"];

/// Keeps what it takes in a maildir; takes mail only after STARTTLS and this login. Prints its port.
const SERVER: &str = r#"
import asyncio, ssl, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult

def known(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"portal", b"s@cret"))

async def main(folder):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder + "/certificate.pem", folder + "/key.pem")
    mailbox = Mailbox(folder + "/mail")
    make = lambda: SMTP(mailbox, tls_context=tls, require_starttls=True, authenticator=known, auth_required=True)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main(sys.argv[1]))
"#;

/// Prints what a strict mail program makes of a message.
const READER: &str = r#"
import email, email.policy, json, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default.clone(raise_on_defect=True))
body = lambda kind: message.get_body((kind,)).get_content()
parts = list(message.walk())
print(json.dumps({"headers": [[name.lower(), str(value)] for name, value in message.items()],
    "to": [address.addr_spec for address in message["To"].addresses],
    "from": [[address.display_name, address.addr_spec] for address in message["From"].addresses],
    "date": message["Date"].datetime.timestamp(), "text": body("plain"), "html": body("html"),
    "kinds": [part.get_content_type() for part in parts],
    "defects": [str(defect) for part in parts for defect in part.defects]}))
"#;

/// The Python that has the server; none where it is not installed.
fn python() -> Option<&'static str> {
    PYTHONS.into_iter().find(|python| {
        let asked = Command::new(python)
            .args(["-c", "import aiosmtpd.smtp"])
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    })
}

/// The foreign server; ends when dropped.
struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(python: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let papers = Papers::new(&folder.path().display().to_string());
        for (name, text) in [
            ("authority.pem", papers.authority),
            ("certificate.pem", papers.certificate),
            ("key.pem", papers.key),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut child = Command::new(python)
            .args(["-W", "ignore", "-c", SERVER])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self {
            child,
            port,
            folder,
        }
    }

    fn url(&self) -> String {
        let authority = self.folder.path().join("authority.pem");
        format!(
            "smtp://portal:s%40cret@localhost:{}?tls=starttls&ca={}",
            self.port,
            authority.display()
        )
    }

    /// The files of all messages.
    fn messages(&self) -> Vec<PathBuf> {
        let new = std::fs::read_dir(self.folder.path().join("mail/new"));
        let entries = new.into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What the foreign parser makes of a message.
fn read(python: &str, message: &Path) -> Value {
    let read = Command::new(python)
        .args(["-c", READER])
        .arg(message)
        .output()
        .unwrap();
    assert!(read.status.success(), "{read:?}");
    serde_json::from_slice(&read.stdout).unwrap()
}

fn header<'m>(message: &'m Value, name: &str) -> Vec<&'m str> {
    let headers = message["headers"].as_array().unwrap();
    let named = headers.iter().filter(|header| header[0] == name);
    named.map(|header| header[1].as_str().unwrap()).collect()
}

#[test]
fn an_invitation_passes_a_server_and_a_parser_that_others_wrote() {
    let Some(python) = python() else {
        writeln!(
            stderr(),
            "Not run: an_invitation_passes_a_server_and_a_parser_that_others_wrote needs aiosmtpd; tests/run brings it."
        )
        .ok();
        return;
    };
    let server = Server::start(python);
    let process = Launch::serve()
        .env("DOORWARD_SMTP_URL", server.url())
        .env(
            "DOORWARD_MAIL_FROM",
            "Grüße vom Portal <portal@halden.example>",
        )
        .start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    let file = wait::until(PATIENCE, || server.messages().pop()).unwrap();
    let message = read(python, &file);

    assert_eq!(message["defects"], serde_json::json!([]), "{message}");
    assert_eq!(message["to"], serde_json::json!([ANN]));
    assert_eq!(
        message["from"],
        serde_json::json!([["Grüße vom Portal", "portal@halden.example"]])
    );
    assert_eq!(
        message["kinds"],
        serde_json::json!(["multipart/alternative", "text/plain", "text/html"])
    );
    assert_eq!(header(&message, "x-rcptto"), [ANN]);
    assert_eq!(
        header(&message, "subject"),
        ["Activate your account at Halden Works"]
    );
    assert_eq!(header(&message, "auto-submitted"), ["auto-generated"]);
    assert!(header(&message, "message-id")[0].ends_with("@halden.example>"));
    assert!(message["date"].as_f64().unwrap() > 1_700_000_000.0);
    let text = message["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.starts_with("http")).unwrap();
    assert!(message["html"].as_str().unwrap().contains(link));

    until_seen(&mut owner, "/mail", "Sent 1");
    assert_eq!(server.messages().len(), 1);
    let mut ann = Client::new(process.address());
    expect(activate(&mut ann, &path_of(link), "Ann Vik"), 303);
    sign_in(&mut ann, ANN);
    // How tests/run knows that this ran.
    let ran = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/foreign");
    std::fs::create_dir_all(&ran).unwrap();
    std::fs::copy(&file, ran.join("invitation.eml")).unwrap();
}
