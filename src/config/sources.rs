//! Where settings come from: flag over variable over the file that a variable names over a credential of systemd over
//! the configuration file. What is written is gathered here and understood elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::flags::Flags;
use super::keys::{Key, Kind, nearest};

/// Names that are ours and no setting.
const CONFIG: &str = "DOORWARD_CONFIG";
const PREFIX: &str = "DOORWARD_";
/// Where the configuration file is looked for when nobody names one.
const FILES: [&str; 2] = ["./doorward.toml", "/etc/doorward/doorward.toml"];

/// What surrounds the process: its environment, and where it looks for the file.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    files: Vec<PathBuf>,
}

impl Surroundings {
    /// The ones of this process.
    #[must_use]
    pub fn of_process() -> Self {
        // What is no text is no setting of ours: its bytes are not to be guessed at.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            variables,
            files: FILES.map(PathBuf::from).to_vec(),
        }
    }

    /// With this variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With this place for the configuration file, looked at after those before.
    #[must_use]
    pub fn with_file(mut self, file: &Path) -> Self {
        self.files.push(file.to_owned());
        self
    }

    /// A variable. An empty one is what compose files make of one that is not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The first of the folders that systemd lists in a variable.
    #[must_use]
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        let first = self.get(name)?.split(':').next()?;
        (!first.is_empty()).then(|| PathBuf::from(first))
    }
}

/// Who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// A variable.
    Variable,
    /// A file that a variable names.
    File(PathBuf),
    /// A credential of systemd.
    Credential(PathBuf),
    /// The configuration file.
    Toml {
        /// Which.
        path: PathBuf,
        /// In which line.
        line: usize,
    },
    /// Nobody: it is the default.
    Default,
}

/// What was said, and by whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// As it was written.
    pub text: String,
    /// By whom.
    pub origin: Origin,
}

impl fmt::Debug for Found {
    // It may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({:?})", self.origin)
    }
}

impl Found {
    /// Where to look for it, as the beginning of a sentence about it.
    #[must_use]
    pub fn place(&self, key: Key) -> String {
        match &self.origin {
            Origin::Flag => format!("--{}", key.flag()),
            Origin::Variable => key.variable(),
            Origin::File(path) => format!(
                "{} {}",
                key.file_variable().unwrap_or_default(),
                path.display()
            ),
            Origin::Credential(path) => format!("the credential {}", path.display()),
            Origin::Toml { path, line } => format!("{}:{line}: {}", path.display(), key.name()),
            Origin::Default => key.name().to_owned(),
        }
    }
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The flag, the variable, or the file and its line.
    pub place: String,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl Mistake {
    pub(super) fn new(place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.sentence)
    }
}

/// All that was said.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) found: BTreeMap<Key, Found>,
    pub(super) file: Option<PathBuf>,
    /// Variables that look like ours and are not.
    pub(super) strangers: Vec<String>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Gathered {
    /// Asks everybody, the strongest last.
    pub(super) fn new(flags: &Flags, around: &Surroundings) -> Self {
        let mut all = Self::default();
        all.read_file(flags, around);
        for key in Key::ALL {
            all.read_credential(key, around);
            all.read_variables(key, around);
        }
        all.look_for_strangers(around);
        for (key, text) in &flags.given {
            all.put(*key, text.clone(), Origin::Flag);
        }
        all
    }

    fn put(&mut self, key: Key, text: String, origin: Origin) {
        self.found.insert(key, Found { text, origin });
    }

    fn wrong(&mut self, place: impl Into<String>, sentence: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, sentence));
    }

    fn read_file(&mut self, flags: &Flags, around: &Surroundings) {
        let named = flags
            .config
            .clone()
            .or_else(|| around.get(CONFIG).map(PathBuf::from));
        let path = match named {
            Some(path) => path,
            None => match around.files.iter().find(|file| file.is_file()) {
                Some(file) => file.clone(),
                None => return,
            },
        };
        self.file = Some(path.clone());
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) => return self.wrong(path.display().to_string(), why.to_string()),
        };
        match DeTable::parse(&text) {
            Ok(table) => self.read_table(
                table.get_ref(),
                "",
                &Page {
                    path: &path,
                    text: &text,
                },
            ),
            Err(why) => {
                let line = why.span().map_or(1, |span| line_of(&text, span.start));
                self.wrong(format!("{}:{line}", path.display()), why.message().trim());
            }
        }
    }

    fn read_table(&mut self, table: &DeTable<'_>, section: &str, page: &Page<'_>) {
        for (key, value) in table {
            let name = format!("{section}{}", key.get_ref());
            let line = line_of(page.text, key.span().start);
            let place = format!("{}:{line}", page.path.display());
            let is_section = Key::ALL
                .iter()
                .any(|known| known.name().starts_with(&format!("{name}.")));
            match (Key::named(&name), value.get_ref()) {
                (Some(known), value) => match written(known, value) {
                    Ok(text) => {
                        let path = page.path.to_owned();
                        self.put(known, text, Origin::Toml { path, line });
                    }
                    Err(form) => self.wrong(place, format!("{name} is {form}")),
                },
                (None, DeValue::Table(inner)) if is_section => {
                    self.read_table(inner, &format!("{name}."), page);
                }
                (None, _) => self.wrong(place, unknown(&format!("key `{name}`"), Key::near(&name))),
            }
        }
    }

    fn read_credential(&mut self, key: Key, around: &Surroundings) {
        let Some(folder) = around.folder("CREDENTIALS_DIRECTORY") else {
            return;
        };
        let name = match key {
            Key::SecretKeyFile => "secret_key",
            other => other.name(),
        };
        let path = folder.join(name);
        if !path.is_file() {
            return;
        }
        if key.spec().kind == Kind::Path {
            return self.put(key, path.display().to_string(), Origin::Credential(path));
        }
        match fs::read_to_string(&path) {
            Ok(text) => self.put(key, text.trim().to_owned(), Origin::Credential(path)),
            Err(why) => self.wrong(
                format!("the credential {}", path.display()),
                why.to_string(),
            ),
        }
    }

    fn read_variables(&mut self, key: Key, around: &Surroundings) {
        let file_variable = key.file_variable();
        let file = file_variable.as_deref().and_then(|name| around.get(name));
        match (around.get(&key.variable()), file) {
            (None, None) => {}
            (Some(text), None) => self.put(key, text.to_owned(), Origin::Variable),
            (None, Some(file)) => {
                let path = PathBuf::from(file);
                match fs::read_to_string(&path) {
                    Ok(text) => self.put(key, text.trim().to_owned(), Origin::File(path)),
                    Err(why) => {
                        let place = format!("{} {file}", file_variable.unwrap_or_default());
                        self.wrong(place, why.to_string());
                    }
                }
            }
            (Some(_), Some(_)) => {
                let other = file_variable.unwrap_or_default();
                self.wrong(
                    key.variable(),
                    format!("it and {other} are both given: remove one"),
                );
            }
        }
    }

    /// A slip of the fingers is refused. Others pass: some platforms set variables that begin with a service's name.
    fn look_for_strangers(&mut self, around: &Surroundings) {
        const SLIP: f64 = 0.93;
        let known: Vec<String> = Key::ALL
            .into_iter()
            .flat_map(|key| [Some(key.variable()), key.file_variable()])
            .flatten()
            .chain([CONFIG.to_owned()])
            .collect();
        for name in around.variables.keys() {
            if !name.starts_with(PREFIX) || known.contains(name) || around.get(name).is_none() {
                continue;
            }
            let near = nearest(name, known.iter());
            match near.filter(|near| strsim::jaro_winkler(name, near) > SLIP) {
                Some(near) => self.wrong(name.clone(), unknown("variable", Some(near.as_str()))),
                None => self.strangers.push(name.clone()),
            }
        }
    }
}

/// The configuration file while it is read.
struct Page<'p> {
    path: &'p Path,
    text: &'p str,
}

fn unknown(what: &str, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("unknown {what}, did you mean `{near}`?"),
        None => format!("unknown {what}; `doorward config reference` lists all that there are"),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// A value as a flag would have it; else what it should be.
fn written(key: Key, value: &DeValue<'_>) -> Result<String, &'static str> {
    match (key.spec().kind, value) {
        (Kind::Switch, DeValue::Boolean(is)) => Ok(is.to_string()),
        (Kind::Switch, _) => Err("true or false, without quotes"),
        (Kind::Number, DeValue::Integer(number)) => Ok(number.to_string()),
        (Kind::Number, _) => Err("a whole number, without quotes"),
        (Kind::List, DeValue::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(text).collect();
            items
                .map(|items| items.join(","))
                .ok_or("a list of texts, like [\"10.0.0.0/8\", \"::1\"]")
        }
        (Kind::List, DeValue::String(one)) => Ok(one.to_string()),
        (Kind::List, _) => Err("a list of texts, like [\"10.0.0.0/8\", \"::1\"]"),
        (_, DeValue::String(text)) => Ok(text.to_string()),
        (_, _) => Err("a text, in quotes"),
    }
}

fn text<'v>(value: &'v Spanned<DeValue<'_>>) -> Option<&'v str> {
    value.get_ref().as_str()
}
