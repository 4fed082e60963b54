//! What holds, and who said so: for people who ask. Never a secret.

use super::Config;
use super::keys::Key;
use super::sources::Origin;
use crate::kit::key_file;

/// A setting as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Which.
    pub key: Key,
    /// Its value; of a secret only that it is `set`. None where there is none.
    pub value: Option<String>,
    /// Who said so, in one word.
    pub source: &'static str,
    /// Where: a flag, a variable, a file, or a file and its line; none for a default.
    pub place: Option<String>,
}

impl Config {
    /// All settings, as they hold.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        Key::ALL.map(|key| self.shown_one(key)).to_vec()
    }

    fn shown_one(&self, key: Key) -> Shown {
        let (source, place) = match self.found.get(&key).map(|found| &found.origin) {
            None => ("default", None),
            Some(Origin::Flag) => ("flag", Some(format!("--{}", key.flag()))),
            Some(Origin::Variable) => ("variable", Some(key.variable())),
            Some(Origin::File(path)) => ("file", Some(path.display().to_string())),
            Some(Origin::Credential(path)) => ("credential", Some(path.display().to_string())),
            Some(Origin::Toml { path, line }) => {
                ("configuration", Some(format!("{}:{line}", path.display())))
            }
        };
        Shown {
            key,
            value: self.value_of(key),
            source,
            place,
        }
    }

    /// The value in force, as it was written or worked out; none where there is none.
    fn value_of(&self, key: Key) -> Option<String> {
        let values = &self.values;
        let written = self.text(key);
        if key.is_secret() {
            return written.map(|_| "set".to_owned());
        }
        if let Some(text) = written {
            return Some(text.to_owned());
        }
        let worked_out = match key {
            Key::Data => values.data.display().to_string(),
            Key::SecretKeyFile => values.data.join(key_file::NAME).display().to_string(),
            Key::BackupDir => values.backups.folder.display().to_string(),
            // A free port is known only once it is taken.
            Key::PublicUrl if values.listen.port() != 0 => {
                self.public_url(values.listen).to_string()
            }
            Key::MailFrom => self.settings_beside(None).mail_from,
            _ => return None,
        };
        Some(worked_out)
    }

    /// What was said about a key, or its default; none where nothing holds.
    #[must_use]
    pub fn text(&self, key: Key) -> Option<&str> {
        let said = self.found.get(&key).map(|found| found.text.trim());
        said.filter(|text| !text.is_empty()).or(key.spec().default)
    }
}
