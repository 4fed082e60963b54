//! What must hold at the end of every test, whatever it was about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use doorward::audit;

use super::Portal;
use super::house::{MailIs, Noted, unpoisoned};
use crate::{answer, log};

impl Portal {
    /// Everything that is not as it must be at the end of every test.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !matches!(self.0.mail, MailIs::Off) && !self.0.leaves_mail.load(Ordering::SeqCst) {
            self.work();
            let owed: Vec<String> = self.ask(
                "SELECT kind || ' to ' || coalesce(recipient, 'nobody') || ': ' || state || ' ' || coalesce(answer, '')
                   FROM errands WHERE state IN ('waiting', 'sending', 'failed')",
            );
            faults.extend(
                owed.into_iter()
                    .map(|mail| format!("a mail was not delivered: {mail}")),
            );
        }
        let app = self.app();
        faults.extend(app.db().complaints().unwrap());
        let verdict = app
            .read(app.now(), |read| audit::verify(read, app.keys()))
            .unwrap();
        faults.extend(
            verdict
                .faults
                .iter()
                .map(|fault| format!("the audit log is broken: {fault:?}")),
        );
        let noted = unpoisoned(&self.0.noted);
        if !self.0.expects_failures.load(Ordering::SeqCst) {
            faults.extend(
                noted
                    .failures
                    .iter()
                    .map(|failure| format!("it broke: {failure}")),
            );
        }
        faults.extend(
            noted
                .malformed
                .iter()
                .map(|one| format!("a page is badly formed: {one}")),
        );
        faults.extend(self.leaks(&noted));
        faults
    }

    /// Secrets where they must not be.
    fn leaks(&self, noted: &Noted) -> Vec<String> {
        let mut secrets = noted.secrets.clone();
        for mail in self.mails() {
            secrets.extend(answer::tokens(&mail.text));
        }
        let mut leaks = Vec::new();
        let told = Needles::new(secrets.iter().chain(&noted.private));
        for line in log::since(self.0.log_place) {
            for secret in told.in_text(line.text.as_bytes()) {
                leaks.push(format!("{secret:?} stands in the log: {}", line.text));
            }
        }
        let kept = Needles::new(&secrets);
        let mut files = ["doorward.db", "doorward.db-wal"]
            .map(|name| self.0.folder().join(name))
            .to_vec();
        let backups = std::fs::read_dir(self.0.folder().join("backups"));
        files.extend(
            backups
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().path()),
        );
        for path in files {
            let bytes = std::fs::read(&path).unwrap_or_default();
            for secret in kept.in_text(&bytes) {
                let path = path.strip_prefix(self.0.folder()).unwrap_or(&path);
                leaks.push(format!("{secret:?} stands in {}", path.display()));
            }
        }
        leaks
    }
}

/// Words of eight bytes and more that must not stand in a text: looked for all at once, since a test may have thousands
/// of them.
struct Needles<'n> {
    /// By their first three bytes, whether there is one.
    marks: Vec<bool>,
    by_head: BTreeMap<usize, Vec<&'n str>>,
}

impl<'n> Needles<'n> {
    fn new(words: impl IntoIterator<Item = &'n String>) -> Self {
        let mut needles = Self {
            marks: vec![false; 1 << 24],
            by_head: BTreeMap::new(),
        };
        for word in words.into_iter().filter(|word| word.len() >= 8) {
            let bytes = word.as_bytes();
            let head = head(bytes[0], bytes[1], bytes[2]);
            needles.marks[head] = true;
            needles.by_head.entry(head).or_default().push(word);
        }
        needles
    }

    fn in_text(&self, text: &[u8]) -> BTreeSet<&'n str> {
        let mut found = BTreeSet::new();
        let mut at = 0;
        while at + 8 <= text.len() {
            let head = head(text[at], text[at + 1], text[at + 2]);
            if self.marks[head] {
                let here = self.by_head[&head].iter();
                found.extend(here.filter(|word| text[at..].starts_with(word.as_bytes())));
            }
            at += 1;
        }
        found
    }
}

fn head(one: u8, two: u8, three: u8) -> usize {
    usize::from(one) << 16 | usize::from(two) << 8 | usize::from(three)
}

#[test]
fn every_needle_is_found_wherever_it_stands() {
    let words = ["abcdefgh", "abcdefghi", "bcdefghij", "short", "søkeord å"].map(str::to_owned);
    let needles = Needles::new(&words);
    let found =
        |text: &str| -> Vec<&str> { needles.in_text(text.as_bytes()).into_iter().collect() };
    assert_eq!(found("abcdefghij"), ["abcdefgh", "abcdefghi", "bcdefghij"]);
    assert_eq!(found("xxabcdefgh"), ["abcdefgh"]);
    assert_eq!(found("abcdefg short"), Vec::<&str>::new());
    assert_eq!(found("et søkeord å"), ["søkeord å"]);
    assert_eq!(found(""), Vec::<&str>::new());
}

impl Drop for Portal {
    fn drop(&mut self) {
        if std::thread::panicking() || self.0.running().is_none() {
            return;
        }
        let faults = self.faults();
        assert!(
            faults.is_empty(),
            "{}\n\n{}",
            faults.join("\n"),
            self.0.report()
        );
    }
}
