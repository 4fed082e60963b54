//! How a portal is set up, where a test wants it otherwise.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorward::app::{Mode, Settings};
use doorward::backups::Plan;
use doorward::invitations::Terms;
use doorward::kit::hasher::Cost;
use doorward::kit::http::cookie::Transport;
use doorward::kit::keys::Keys;
use doorward::kit::mail::Mailer;
use doorward::kit::time::Timestamp;
use doorward::sessions::Lifetimes;

use super::Portal;
use super::house::{House, MailIs};

/// How a portal is set up.
pub(crate) struct Builder {
    settings: Settings,
    cost: Cost,
    mail: MailIs,
}

impl Builder {
    /// `https://portal.example.com`, with mail, and cheap hashes.
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                public_url: "https://portal.example.com".to_owned(),
                hosts: vec!["portal.example.com".to_owned()],
                transport: Transport::Https,
                brand: "Portal".to_owned(),
                mail_from: "Portal <portal@example.com>".to_owned(),
                relay: Some("smtp://mail.example.com:587".to_owned()),
                lifetimes: Lifetimes::default(),
                audit_keep_days: None,
                terms: Terms::default(),
                mode: Mode::Production,
                warning: None,
                data: PathBuf::new(),
                metrics_token: None,
                backups: Plan {
                    at: None,
                    keep: 7,
                    folder: PathBuf::new(),
                },
                billing: doorward::billing::Terms::default(),
            },
            cost: Cost::CHEAP,
            mail: MailIs::On,
        }
    }

    /// Mail is off: nothing leaves, links are copied.
    pub(crate) fn mail_off(mut self) -> Self {
        self.mail = MailIs::Off;
        self.settings.relay = None;
        self
    }

    /// Mail leaves by this instead of the mailbox.
    pub(crate) fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mail = MailIs::By(mailer);
        self
    }

    /// Over http, on loopback.
    pub(crate) fn http(mut self) -> Self {
        self.settings.public_url = "http://127.0.0.1:8080".to_owned();
        self.settings.hosts = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .to_vec();
        self.settings.transport = Transport::Http;
        self
    }

    /// The demonstration: its mail can be read.
    pub(crate) fn demo(mut self) -> Self {
        self.settings.mode = Mode::Demo;
        self
    }

    /// Passwords are hashed at this cost.
    pub(crate) fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Anything else that the operator may decide.
    pub(crate) fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Begins with a file that is there already: `lay` puts it into the folder, and says which keys it belongs to and
    /// what time it is.
    pub(crate) fn on(mut self, lay: impl FnOnce(&Path) -> (Keys, Timestamp)) -> Portal {
        let house = House::new(seed(), self.mail);
        house.folder().clone_into(&mut self.settings.data);
        let (keys, now) = lay(house.folder());
        house.is_of(keys, now);
        house.run(self.settings, self.cost);
        Portal(Arc::new(house))
    }

    /// Begins.
    pub(crate) fn start(mut self) -> Portal {
        let house = House::new(seed(), self.mail);
        house.folder().clone_into(&mut self.settings.data);
        self.settings.backups.folder = house.folder().join("backups");
        house.create();
        house.run(self.settings, self.cost);
        Portal(Arc::new(house))
    }
}

/// Made from the test's name: its secrets repeat, and no other test has the same.
fn seed() -> u64 {
    let mut hasher = DefaultHasher::new();
    std::thread::current().name().hash(&mut hasher);
    hasher.finish()
}
