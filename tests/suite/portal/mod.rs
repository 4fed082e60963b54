//! The whole Portal in this process, on a folder of its own: a clock that stands still, randomness that repeats, a
//! mailbox in place of a relay. No thread and no socket: requests go to `door::handle`, the worker's rounds are ours.
//!
//! When a `Portal` goes, it checks what nobody asserts: mail that cannot be delivered, answers of 500 and more, a
//! damaged file, a broken audit chain, badly formed pages, and secrets in the log or in the file.

mod builder;
mod faults;
mod house;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use doorward::app::{App, Settings};
use doorward::audit;
use doorward::backups::{self, IfTaken, Order};
use doorward::domain::id::{AccountId, OrganisationId};
use doorward::domain::role::Role;
use doorward::invitations::{self, Link};
use doorward::kit::hasher::Cost;
use doorward::kit::keys::Keys;
use doorward::kit::mail::{Mailbox, Message};
use doorward::kit::time::{DAY, Timestamp};
use doorward::migrations::VERSION;
use doorward::organisations;
use doorward::passwords::PasswordHash;
use doorward::routes::Route;
use doorward::scope::By;
use doorward::setup;

use crate::visitor::Visitor;
use crate::wait;
use builder::Builder;
pub(crate) use house::House;

/// When every test begins: Tuesday, 24 November 2026, 14:20 in Oslo.
pub(crate) const START: Timestamp = Timestamp(1_795_526_400);
/// The password of everybody whom the portal makes.
pub(crate) const PASSWORD: &str = "Correct-Horse-7!";
/// The root of the install's keys.
pub(crate) const KEY: [u8; 32] = [42; 32];
/// The first organisation, and its owner.
pub(crate) const ORGANISATION: &str = "Fjord Supply";
pub(crate) const OWNER: &str = "olivia@fjord.example";
const OWNER_NAME: &str = "Olivia Berg";
/// More rounds of the worker than any test needs.
const ROUNDS_MAX: usize = 10_000;

/// The whole Portal.
pub(crate) struct Portal(Arc<House>);

impl Portal {
    /// `https://portal.example.com`, with mail, and nobody in it.
    pub(crate) fn start() -> Self {
        Self::build().start()
    }

    /// The same, to be changed before it begins.
    pub(crate) fn build() -> Builder {
        Builder::new()
    }

    /// The application as it runs now.
    pub(crate) fn app(&self) -> Arc<App> {
        self.0.app()
    }

    /// The database file.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.file()
    }

    /// The keys of the install.
    pub(crate) fn keys(&self) -> Keys {
        self.0.keys()
    }

    /// Time goes by, or back.
    pub(crate) fn travel(&self, seconds: i64) {
        self.0.clock.travel(seconds);
    }

    /// Somebody sets the clock, on or back; no time goes by.
    pub(crate) fn step(&self, seconds: i64) {
        self.0.clock.step(seconds);
    }

    /// The worker does everything that is to be done now.
    #[track_caller]
    pub(crate) fn work(&self) {
        let mut running = self.0.running();
        let running = running.as_mut().unwrap();
        for _ in 0..ROUNDS_MAX {
            if !running.worker.tick(&running.app) {
                return;
            }
        }
        panic!("the worker never comes to an end");
    }

    /// The worker does one round, and says whether there is more to do at once.
    pub(crate) fn round(&self) -> bool {
        let mut running = self.0.running();
        let running = running.as_mut().unwrap();
        running.worker.tick(&running.app)
    }

    /// The process ends and begins anew, on the same folder; this may change what the operator decided.
    pub(crate) fn restart(&self, change: impl FnOnce(&mut Settings, &mut Cost)) {
        let before = self.0.running().take().unwrap();
        let (mut settings, mut cost) = (before.app.settings.clone(), before.cost);
        drop(before);
        change(&mut settings, &mut cost);
        self.0.run(settings, cost);
    }

    /// The key is lost: the process ends, another key takes over the file, and the process begins anew with that.
    pub(crate) fn take_over(&self, root: [u8; 32]) {
        let before = self.0.running().take().unwrap();
        let (settings, cost) = (before.app.settings.clone(), before.cost);
        drop(before);
        self.0.take_over(Keys::new(root));
        self.0.run(settings, cost);
    }

    /// The worker does everything that is to be done now, and a backup that it began comes to its end.
    #[track_caller]
    pub(crate) fn work_through(&self) {
        self.work();
        let ended = wait::until(Duration::from_secs(30), || {
            self.work();
            let running = self.0.running();
            (!running.as_ref().unwrap().worker.is_copying()).then_some(())
        });
        ended.expect("the backup never came to an end");
    }

    /// Makes a backup as the command does.
    #[track_caller]
    pub(crate) fn back_up(&self, name: &str) -> PathBuf {
        let app = self.app();
        let target = app.settings.backups.folder.join(name);
        let order = Order {
            database: self.file(),
            target: target.clone(),
            if_taken: IfTaken::Refuse,
            patience: Duration::from_secs(10),
            keys: self.keys(),
            version: VERSION,
            now: app.now(),
        };
        backups::make(&order).unwrap();
        target
    }

    /// The process ends, the file is put back from this backup, and the process begins anew.
    pub(crate) fn restore(&self, backup: &Path) {
        let before = self.0.running().take().unwrap();
        let (settings, cost) = (before.app.settings.clone(), before.cost);
        drop(before);
        self.0.restore(backup);
        self.0.run(settings, cost);
    }

    /// Somebody who was never here.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.0)
    }

    /// The owner of the first organisation, signed in; it is founded when it does not exist yet.
    #[track_caller]
    pub(crate) fn owner(&self) -> Visitor {
        self.found();
        self.signed_in(OWNER)
    }

    /// The first organisation.
    #[track_caller]
    pub(crate) fn first(&self) -> OrganisationId {
        self.named(ORGANISATION)
    }

    /// The id of the organisation of this name.
    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> OrganisationId {
        let app = self.app();
        let all = app
            .read(app.now(), |read| Ok(organisations::list(read)?))
            .unwrap();
        all.into_iter()
            .find(|one| one.name.as_str() == name)
            .expect("there is no such organisation")
            .id
    }

    /// Founds another organisation beside the first; its owner, signed in.
    #[track_caller]
    pub(crate) fn organisation(&self, name: &str) -> Visitor {
        self.found();
        let email = format!("owner@{}.example", name.to_lowercase().replace(' ', "-"));
        let app = self.app();
        let (_, link) = app
            .write(app.now(), |tx| {
                setup::found_by_invitation(
                    tx,
                    &name.parse().unwrap(),
                    "Europe/Oslo",
                    &email.parse().unwrap(),
                    app.settings.terms,
                )
            })
            .unwrap();
        self.accept(&link, "Otto Lund");
        self.signed_in(&email)
    }

    /// An Active account of the first organisation, invited by its owner; signed in.
    #[track_caller]
    pub(crate) fn member(&self, role: Role, email: &str) -> Visitor {
        self.member_of(&self.owner(), role, email)
    }

    /// An Active account, invited by this person into their organisation; signed in.
    #[track_caller]
    pub(crate) fn member_of(&self, by: &Visitor, role: Role, email: &str) -> Visitor {
        let id = self.invite(by, role, email);
        let link = self.link_of(by, id);
        let name = email.split('@').next().unwrap().to_uppercase();
        self.accept(&link, &format!("{name} Vik"));
        self.signed_in(email)
    }

    /// A Pending account, invited by this person into their organisation.
    #[track_caller]
    pub(crate) fn invite(&self, by: &Visitor, role: Role, email: &str) -> AccountId {
        let fields = [("email", email), ("role", role.key())];
        by.clone().post("/iam/accounts", &fields).answers(303);
        self.0.account(email).id
    }

    /// The activation link of a Pending account, copied by this person.
    #[track_caller]
    pub(crate) fn link_of(&self, by: &Visitor, id: AccountId) -> Link {
        let app = self.app();
        app.write(app.now(), |tx| {
            invitations::copy_link(tx, &by.allowed(), id)
        })
        .unwrap()
    }

    /// Uses an activation link, with everybody's password.
    #[track_caller]
    pub(crate) fn accept(&self, link: &Link, name: &str) {
        let fields = [
            ("name", name),
            ("phone", ""),
            ("password", PASSWORD),
            ("password_confirmation", PASSWORD),
        ];
        let path = Route::Activate(link.token.reveal());
        self.visitor().post(path, &fields).answers(303);
    }

    /// A browser in which the person of this address is signed in.
    #[track_caller]
    pub(crate) fn signed_in(&self, email: &str) -> Visitor {
        let mut visitor = self.visitor();
        visitor.email = email.to_owned();
        visitor.password = PASSWORD.to_owned();
        visitor.sign_in();
        visitor
    }

    /// Another browser of somebody with a second factor, in which the password is given and the code is owed.
    #[track_caller]
    pub(crate) fn half(&self, person: &Visitor) -> Visitor {
        let mut half = person.elsewhere();
        half.give_password();
        half
    }

    /// This account was to set up a second factor long ago: it became Active, got its role, and the policy was made
    /// what it is, two months before everything began.
    pub(crate) fn end_grace(&self, email: &str) {
        let account = self.0.account(email);
        let long_ago = START.minus(60 * DAY).0;
        self.tamper(&format!(
            "UPDATE policies SET level = 'required', stricter_at = {long_ago} WHERE organisation_id = {};
             UPDATE accounts SET activated_at = {long_ago}, role_at = {long_ago}, factor_reset_at = NULL WHERE id = {};",
            account.organisation.number(),
            account.id.number()
        ));
    }

    /// A password's hash, at today's cost.
    pub(crate) fn hash(&self, password: &str) -> PasswordHash {
        let app = self.app();
        PasswordHash::new(app.hasher.hash(password.as_bytes(), app.random()).unwrap())
    }

    /// All mails so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<Message> {
        self.0.mailbox.messages()
    }

    /// The mailbox, to make it fail.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.0.mailbox
    }

    /// The path of the newest link that was mailed to this address.
    #[track_caller]
    pub(crate) fn link_for(&self, email: &str) -> String {
        let mails = self.mails();
        let link = mails
            .iter()
            .rev()
            .filter(|mail| mail.to == email)
            .find_map(|mail| {
                let (_, after) = mail.text.split_once(&self.app().settings.public_url)?;
                let path: String = after.chars().take_while(|c| !c.is_whitespace()).collect();
                Some(path)
            });
        link.unwrap_or_else(|| panic!("no link was mailed to {email}\n\n{}", self.0.report()))
    }

    /// A link that opens the first set-up.
    #[track_caller]
    pub(crate) fn setup_link(&self) -> String {
        let app = self.app();
        let token = app
            .write(app.now(), |tx| setup::make_link(tx, &By::operator()))
            .unwrap();
        format!("/setup/{}", token.reveal())
    }

    /// Asks the file whatever a test wants to know. Only questions: the connection cannot write.
    pub(crate) fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let conn = rusqlite::Connection::open_with_flags(
            self.file(),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .unwrap();
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Does to the file what no code of ours would: for broken pasts.
    pub(crate) fn tamper(&self, script: &str) {
        let conn = rusqlite::Connection::open(self.file()).unwrap();
        conn.execute_batch(script).unwrap();
    }

    /// The newest events of an organisation, or of the system: each as its action.
    pub(crate) fn audit(&self, organisation: Option<OrganisationId>) -> Vec<audit::Entry> {
        let app = self.app();
        app.read(app.now(), |read| {
            Ok(audit::latest(read, organisation, 1_000)?)
        })
        .unwrap()
    }

    /// This test ends with mail that was not delivered.
    pub(crate) fn leave_mail(&self) {
        self.0.leaves_mail.store(true, Ordering::SeqCst);
    }

    /// In this test things break: answers of 500 and more are meant.
    pub(crate) fn expect_failures(&self) {
        self.0.expects_failures.store(true, Ordering::SeqCst);
    }

    /// Founds the first organisation, where it does not exist yet.
    fn found(&self) {
        let app = self.app();
        if app
            .read(app.now(), |read| Ok(organisations::any_exists(read)?))
            .unwrap()
        {
            return;
        }
        let fields = [
            ("organisation", ORGANISATION),
            ("name", OWNER_NAME),
            ("email", OWNER),
            ("timezone", "Europe/Oslo"),
            ("password", PASSWORD),
            ("password_confirmation", PASSWORD),
        ];
        let path = self.setup_link();
        self.visitor().post(path, &fields).answers(303);
    }
}
