//! A Portal with a few people, brought to the moment before a deed and kept as files: every fault meets the same.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use doorward::kit::time::instant;

use crate::client::{Client, Page};
use crate::crash::file::File;
use crate::letter::{Letter, path_of};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::served::{self, PASSWORD, activate, expect, found_by, sign_in};
use crate::wait;

/// Who it is done to, or who does it to themselves.
pub(super) const SUBJECT: &str = "pia@haldenworks.example";
/// Somebody who is there from the beginning, and whom nothing happens to.
const WITNESS: &str = "will@haldenworks.example";
const OTHER: &str = "Louder-Harbour-10";
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest that a stage is used: links and halves of sign-ins on it live ten minutes.
const STAGE_TIME: Duration = Duration::from_secs(240);

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Somebody is invited.
    Invite,
    /// They use their link.
    Activate,
    /// Member becomes Admin.
    ChangeRole,
    /// The password is taken away, a link is mailed.
    Reset,
    /// They use that link.
    SetPassword,
    /// Switched off.
    Disable,
    /// Two-factor is set up.
    Enrol,
    /// A recovery code is used.
    Recover,
}

impl Deed {
    /// All of them.
    pub(super) const ALL: [Self; 8] = [
        Self::Invite,
        Self::Activate,
        Self::ChangeRole,
        Self::Reset,
        Self::SetPassword,
        Self::Disable,
        Self::Enrol,
        Self::Recover,
    ];

    /// Gives 1 once it was done, and 0 before.
    const fn proof(self) -> &'static str {
        match self {
            Self::Invite => "SELECT count(*) FROM accounts WHERE email = 'pia@haldenworks.example'",
            Self::Activate => {
                "SELECT count(*) FROM accounts WHERE email = 'pia@haldenworks.example' AND status = 'active'"
            }
            Self::ChangeRole => {
                "SELECT count(*) FROM accounts WHERE email = 'pia@haldenworks.example' AND role = 'admin'"
            }
            Self::Reset => "SELECT count(*) FROM resets WHERE reset_by IS NOT NULL",
            Self::SetPassword => "SELECT count(*) FROM resets WHERE state = 'used'",
            Self::Disable => {
                "SELECT count(*) FROM accounts WHERE email = 'pia@haldenworks.example' AND status = 'disabled'"
            }
            Self::Enrol => "SELECT count(*) FROM factors",
            Self::Recover => "SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL",
        }
    }

    /// How many mails it owes.
    pub(super) const fn mails(self) -> usize {
        match self {
            Self::Activate => 0,
            Self::Reset => 2,
            _ => 1,
        }
    }

    /// Whether what it takes is good for once.
    const fn is_single(self) -> bool {
        matches!(self, Self::Activate | Self::SetPassword | Self::Recover)
    }

    const fn answer(self) -> u16 {
        match self {
            // The recovery codes are shown.
            Self::Enrol => 200,
            _ => 303,
        }
    }
}

/// The files, and whoever does the deed.
pub(super) struct Stage {
    deed: Deed,
    /// Takes the mail of all lives.
    pub(super) relay: Relay,
    folder: tempfile::TempDir,
    actor: Client,
    owner: Client,
    page: String,
    action: String,
    fields: Vec<(&'static str, String)>,
    phone: Option<crate::phone::Phone>,
    made: std::time::Instant,
}

fn launch(relay: &Relay) -> Launch {
    served::launch(relay, "")
        .arg("--public-url")
        .arg("http://localhost")
}

fn browser(process: &Doorward) -> Client {
    Client::new(process.address()).behind("http://localhost", &[])
}

/// Makes an account on the command line; its link.
fn create(process: &Doorward, email: &str) -> String {
    let made = process.run(&["account", "create", "--email", email, "--role", "member"]);
    assert!(made.status.success(), "{made:?}");
    path_of(String::from_utf8_lossy(&made.stdout).trim())
}

impl Stage {
    /// Everything before this deed has been done, and its mail sent; the server is down.
    pub(super) fn before(deed: Deed) -> Self {
        let relay = Relay::start(Security::Plain);
        let mut process = launch(&relay).start();
        let owner = found_by(&process, browser(&process));
        let witness = create(&process, WITNESS);
        expect(activate(&mut browser(&process), &witness, "Will Vik"), 303);
        let mut pia = browser(&process);
        let mut link = String::new();
        if deed != Deed::Invite {
            link = create(&process, SUBJECT);
        }
        if !matches!(deed, Deed::Invite | Deed::Activate) {
            expect(activate(&mut pia, &link, "Pia Person"), 303);
            sign_in(&mut pia, SUBJECT);
        }
        let mut stage = Self {
            deed,
            folder: tempfile::tempdir().unwrap(),
            actor: owner.clone(),
            owner,
            page: String::new(),
            action: String::new(),
            fields: Vec::new(),
            phone: None,
            made: instant(),
            relay,
        };
        stage.set(&process, pia, &link);
        until_nothing_is_owed(process.data(), &process);
        assert_eq!(process.terminate().code(), Some(0), "{}", process.output());
        copy_files(process.data(), stage.folder.path());
        stage
    }

    /// Brings it to the page whose form is the deed.
    fn set(&mut self, process: &Doorward, mut pia: Client, link: &str) {
        let about_pia = |what: &str| {
            let file = File::copy(process.data());
            let sql = format!("SELECT id FROM accounts WHERE email = '{SUBJECT}'");
            let id: doorward::domain::id::AccountId = file.ask(&sql)[0];
            format!("/iam/accounts/{id}/{what}")
        };
        let twice = |password: &str| {
            vec![
                ("password", password.to_owned()),
                ("password_confirmation", password.to_owned()),
            ]
        };
        match self.deed {
            Deed::Invite => {
                self.page = "/iam/accounts/new".to_owned();
                self.action = "/iam/accounts".to_owned();
                self.fields = vec![("email", SUBJECT.to_owned()), ("role", "member".to_owned())];
                return;
            }
            Deed::Activate => {
                link.clone_into(&mut self.page);
                self.actor = pia;
                self.fields = twice(PASSWORD);
                self.fields.push(("name", "Pia Person".to_owned()));
            }
            Deed::ChangeRole => {
                self.page = about_pia("role");
                self.fields = vec![("role", "admin".to_owned())];
            }
            Deed::Reset => {
                self.page = about_pia("reset-password");
                self.fields = vec![("handover", "mail".to_owned())];
            }
            Deed::Disable => self.page = about_pia("disable"),
            Deed::SetPassword => {
                let mut anybody = browser(process);
                expect(anybody.get("/forgot-password"), 200);
                let asked = anybody.post_form("/forgot-password", &[("email", SUBJECT)]);
                expect(asked, 303);
                let mail = wait::until(PATIENCE, || {
                    let is_it =
                        |mail: &crate::relay::Received| mail.data.contains("/reset-password/");
                    self.relay.newest(is_it)
                });
                self.page = path_of(&Letter::read(&mail.unwrap().data).link());
                self.actor = anybody;
                self.fields = twice(OTHER);
            }
            Deed::Enrol => {
                self.phone = Some(served::begin_to_enrol(&mut pia));
                self.actor = pia;
                self.page = "/account/two-factor".to_owned();
                self.action = "/account/two-factor/confirm".to_owned();
                return;
            }
            Deed::Recover => {
                let phone = served::enrol(&mut pia);
                let mut half = browser(process);
                expect(served::try_password(&mut half, SUBJECT, PASSWORD), 303);
                self.actor = half;
                self.page = "/sign-in/code".to_owned();
                self.fields = vec![("code", phone.recovery[0].clone())];
            }
        }
        self.action = self.page.clone();
    }

    /// The owner, who is signed in, in front of this server.
    pub(super) fn owner_at(&self, process: &Doorward) -> Client {
        let mut owner = self.owner.clone();
        owner.move_to(process.address());
        owner
    }

    /// The folder of its files.
    pub(super) fn files(&self) -> &Path {
        self.folder.path()
    }

    /// Whether what lies on it may be over soon.
    pub(super) fn is_old(&self) -> bool {
        self.made.elapsed() > STAGE_TIME
    }

    /// Begins a life of its own on a copy of the files.
    pub(super) fn life(&self) -> Life<'_> {
        let launch = self.launch();
        let files = launch.data().to_owned();
        copy_files(self.folder.path(), &files);
        self.life_of(launch.start(), files)
    }

    /// What starts a life.
    pub(super) fn launch(&self) -> Launch {
        launch(&self.relay)
    }

    /// The life that has begun as this process, whose files are seen there.
    pub(super) fn life_of(&self, process: Doorward, files: PathBuf) -> Life<'_> {
        let mut actor = self.actor.clone();
        let mut owner = self.owner.clone();
        actor.move_to(process.address());
        owner.move_to(process.address());
        expect(actor.get(&self.page), 200);
        Life {
            stage: self,
            process,
            files,
            actor,
            owner,
            answer: None,
        }
    }
}

/// One life of the server after the stage was set.
pub(super) struct Life<'s> {
    stage: &'s Stage,
    /// The server.
    pub(super) process: Doorward,
    /// Its data folder.
    pub(super) files: PathBuf,
    actor: Client,
    owner: Client,
    answer: Option<Page>,
}

/// What a dead server left of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    Done,
    Undone,
}

impl From<bool> for Became {
    fn from(is_done: bool) -> Self {
        if is_done { Self::Done } else { Self::Undone }
    }
}

impl Life<'_> {
    /// Does the deed, with the form that lies open; what was answered, if a whole head came.
    pub(super) fn act(&mut self) -> Option<Page> {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &self.stage.fields {
            fields.push((name, value));
        }
        let code = self
            .stage
            .phone
            .as_ref()
            .map(|phone| phone.code_at(served::now()));
        if let Some(code) = &code {
            fields.push(("code", code));
        }
        self.answer = self.actor.try_post_form(&self.stage.action, &fields);
        self.answer.clone()
    }

    /// The owner, in a browser of their own.
    pub(super) fn owner(&self) -> Client {
        self.owner.clone()
    }

    /// Opens the form anew, and does it.
    pub(super) fn again(&mut self) -> Option<Page> {
        let page = self.actor.try_get(&self.stage.page)?;
        assert_eq!(page.status, 200, "{page:#?}");
        self.act()
    }

    /// Whether it says that it is ready.
    pub(super) fn is_ready(&mut self) -> bool {
        self.owner.get("/readyz").status == 200
    }

    /// What the owner cannot read any more.
    pub(super) fn reads_on(&mut self) -> Vec<String> {
        let mut faults = Vec::new();
        for path in [
            "/",
            "/iam/accounts",
            "/mail",
            "/settings",
            "/account",
            "/healthz",
        ] {
            let page = self.owner.get(path);
            if page.status != 200 {
                faults.push(format!("{page:#?}"));
            }
        }
        faults
    }

    /// Whether the answer was yes.
    pub(super) fn is_acknowledged(&self) -> bool {
        let answer = self.answer.as_ref();
        answer.is_some_and(|page| page.status == self.stage.deed.answer())
    }

    /// Whether all mail has left, the deed's too.
    pub(super) fn is_quiet(&self) -> bool {
        let file = File::copy(&self.files);
        file.ask::<String>("SELECT message_id FROM errands WHERE state IN ('waiting', 'sending')")
            .is_empty()
    }

    /// What is wrong with the files that a dead server left, and whether the deed is in them.
    pub(super) fn look(&self) -> (bool, Vec<String>) {
        let file = File::copy(&self.files);
        let mut faults = file.faults();
        let proofs: i64 = file.ask(self.stage.deed.proof())[0];
        if proofs > 1 || self.is_acknowledged() && proofs == 0 {
            faults.push(format!(
                "it was done {proofs} times; answered {:?}",
                self.answer
            ));
        }
        (proofs == 1, faults)
    }

    /// Starts again on what is left: everybody who was signed in is, what was not done can be done now, what was done
    /// is not done again, and all mail that is owed arrives. Answers with what is wrong, and how many mails came twice.
    pub(super) fn come_back(&mut self, became: Became) -> (Vec<String>, usize) {
        let is_done = became == Became::Done;
        self.process.restart();
        self.actor.move_to(self.process.address());
        self.owner.move_to(self.process.address());
        let mut faults = Vec::new();
        let verified = self.process.run(&["audit", "verify"]);
        if !verified.status.success() {
            faults.push(format!("{verified:?}"));
        }
        if self.owner.get("/").status != 200 {
            faults.push("the owner's session is lost".to_owned());
        }
        let deed = self.stage.deed;
        if is_done && self.is_acknowledged() && matches!(deed, Deed::Enrol | Deed::Recover) {
            if self.actor.get("/").status != 200 {
                faults.push("the actor's session is lost".to_owned());
            }
        } else if !is_done {
            let page = self.actor.get(&self.stage.page);
            let again = (page.status == 200).then(|| self.act());
            if !self.is_acknowledged() {
                faults.push(format!(
                    "it cannot be done afterwards: {page:#?} {again:#?}"
                ));
            }
        } else if deed.is_single() {
            self.actor.get(&self.stage.page);
            self.act();
            if self.is_acknowledged() {
                faults.push("it was done once more".to_owned());
            }
        }
        until_nothing_is_owed(&self.files, &self.process);
        let (lost, doubles) = self.mails();
        faults.extend(lost);
        (faults, doubles)
    }

    /// What never came, and how many came twice.
    fn mails(&self) -> (Vec<String>, usize) {
        let file = File::copy(&self.files);
        let mut faults = Vec::new();
        let mut doubles = 0;
        let came = self.stage.relay.messages();
        let came: Vec<Letter> = came.iter().map(|mail| Letter::read(&mail.data)).collect();
        for id in file.ask::<String>("SELECT message_id FROM errands WHERE state = 'sent'") {
            let id = format!("<{id}>");
            let letters: Vec<&Letter> = came
                .iter()
                .filter(|one| one.header("message-id") == id)
                .collect();
            let Some(first) = letters.first() else {
                faults.push(format!("the mail {id} never came"));
                continue;
            };
            if letters.iter().any(|letter| letter.text != first.text) {
                faults.push(format!("two mails are called {id}"));
            }
            doubles += letters.len() - 1;
        }
        for words in
            file.ask::<String>("SELECT kind || ' ' || answer FROM errands WHERE state = 'failed'")
        {
            faults.push(format!("a mail failed: {words}"));
        }
        (faults, doubles)
    }
}

/// Waits until all mail has left.
pub(super) fn until_nothing_is_owed(data: &Path, process: &Doorward) {
    let owed = "SELECT message_id FROM errands WHERE state IN ('waiting', 'sending')";
    let is_quiet = || {
        File::copy(data)
            .ask::<String>(owed)
            .is_empty()
            .then_some(())
    };
    let quiet = wait::until(PATIENCE, is_quiet);
    quiet.unwrap_or_else(|| panic!("mail is still owed:\n{}", process.output()));
}

/// Copies the files of a folder, not the folders in it, to one that is private from then on.
pub(super) fn copy_files(from: &Path, to: &Path) {
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
