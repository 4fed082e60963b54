//! What must hold at the end of every test, whatever it was about.

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
        for line in log::since(self.0.log_place) {
            for secret in secrets
                .iter()
                .chain(&noted.private)
                .filter(|secret| secret.len() >= 8)
            {
                if line.text.contains(secret.as_str()) {
                    leaks.push(format!("{secret:?} stands in the log: {}", line.text));
                }
            }
        }
        for name in ["doorward.db", "doorward.db-wal"] {
            let bytes = std::fs::read(self.0.folder().join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
                if text.contains(secret.as_str()) {
                    leaks.push(format!("{secret:?} stands in {name}"));
                }
            }
        }
        leaks
    }
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
