//! Where settings come from: flag over variable over the file that a variable names over a credential of systemd over
//! the configuration file. What is written is gathered here and understood elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::de::{DeInteger, DeTable, DeValue};

use super::flags::Flags;
use super::keys::{Key, Kind, Spec};
use super::reference::{array, quoted};
use crate::kit::toml::{Lines, Mended};

/// Names that are ours and no setting.
const CONFIG: &str = "DOORWARD_CONFIG";
const PREFIX: &str = "DOORWARD_";
/// Where the configuration file is looked for when nobody names one.
const FILES: [&str; 2] = ["./doorward.toml", "/etc/doorward/doorward.toml"];
/// No configuration file is larger, in bytes.
const FILE_MAX: u64 = 1 << 20;
/// No file that holds a value is larger, in bytes.
const VALUE_MAX: u64 = 1 << 16;
/// A name longer than this is not repeated in a message, nor one with other signs than names have.
const NAME_MAX: usize = 64;
/// The right of everybody to read.
const OTHERS_READ: u32 = 0o004;

/// What surrounds the process: its environment, and where it looks for the file.
#[derive(Clone, Default)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    /// Variables whose values are no text.
    garbled: BTreeSet<String>,
    files: Vec<PathBuf>,
}

impl fmt::Debug for Surroundings {
    // A value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Surroundings {
    /// The same with the credentials in a folder, unless there are some or the folder may not be looked into.
    #[must_use]
    pub fn with_credentials(mut self, folder: &Path) -> Self {
        if let Some(folder) = folder.to_str()
            && std::fs::read_dir(folder).is_ok()
        {
            let name = "CREDENTIALS_DIRECTORY".to_owned();
            self.variables
                .entry(name)
                .or_insert_with(|| folder.to_owned());
        }
        self
    }

    /// The ones of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let mut around = Self {
            files: FILES.map(PathBuf::from).to_vec(),
            ..Self::default()
        };
        for (name, value) in std::env::vars_os() {
            // Names that are no text are nobody's.
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(around.variables.insert(name, value)),
                Err(_) => drop(around.garbled.insert(name)),
            }
        }
        around
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
    /// The line of the configuration file in which it stands, if it does.
    pub(super) const fn line(&self) -> Option<usize> {
        match self.origin {
            Origin::Toml { line, .. } => Some(line),
            Origin::Flag | Origin::Variable | Origin::File(_) | Origin::Credential(_) => None,
        }
    }

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
    /// The line of the configuration file, by which they are sorted.
    pub(super) line: Option<usize>,
}

impl Mistake {
    pub(super) fn new(place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            sentence: sentence.into(),
            line: None,
        }
    }

    pub(super) fn at(self, line: Option<usize>) -> Self {
        Self { line, ..self }
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
    /// Whether everybody on this machine may read the configuration file, and there is a secret in it.
    pub(super) is_exposed: bool,
    /// Variables that look like ours and are not.
    pub(super) strangers: Vec<String>,
    pub(super) mistakes: Vec<Mistake>,
    /// Keys about which something was said that cannot be read: what others say together with them is not judged.
    pub(super) unread: BTreeSet<Key>,
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

    /// A value that stands in a file of its own.
    fn put_from(&mut self, key: Key, place: String, path: PathBuf, origin: fn(PathBuf) -> Origin) {
        match value_in(&path, key.spec().kind) {
            Ok(text) => self.put(key, text, origin(path)),
            Err(why) => {
                self.wrong(place, why);
                self.unread.insert(key);
            }
        }
    }

    fn read_file(&mut self, flags: &Flags, around: &Surroundings) {
        let (path, how) = if let Some(path) = &flags.config {
            (path.clone(), " (named by --config)")
        } else if let Some(path) = around.get(CONFIG) {
            (PathBuf::from(path), " (named by DOORWARD_CONFIG)")
        } else if let Some(path) = around.files.iter().find(|path| is_there(path)) {
            (path.clone(), "")
        } else {
            return;
        };
        self.file = Some(path.clone());
        let bytes = match small(&path, FILE_MAX) {
            Ok(bytes) => bytes,
            Err(why) => {
                let place = format!("the configuration file {}{how}", path.display());
                self.unread.extend(Key::ALL);
                return self.wrong(place, why);
            }
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(why) => {
                let line = Lines::of(&bytes).line(why.valid_up_to());
                let place = format!("{}:{line}", path.display());
                self.unread.extend(Key::ALL);
                return self.wrong(place, "this line is not UTF-8; save the file as UTF-8");
            }
        };
        let mut page = Page::read(text);
        self.unread.append(&mut page.unread);
        for (line, sentence) in page.mistakes {
            let mistake = Mistake::new(format!("{}:{line}", path.display()), sentence);
            self.mistakes.push(mistake.at(Some(line)));
        }
        let is_public = std::fs::metadata(&path)
            .is_ok_and(|found| found.permissions().mode() & OTHERS_READ != 0);
        for (key, line, text) in page.said {
            self.is_exposed |= is_public && key.is_secret() && !text.trim().is_empty();
            let path = path.clone();
            self.put(key, text, Origin::Toml { path, line });
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
        if !is_there(&path) {
            return;
        }
        if key.spec().kind == Kind::Path {
            return self.put(key, path.display().to_string(), Origin::Credential(path));
        }
        let place = format!("the credential {}", path.display());
        self.put_from(key, place, path, Origin::Credential);
    }

    fn read_variables(&mut self, key: Key, around: &Surroundings) {
        let name = key.variable();
        let file_variable = key.file_variable();
        for name in [Some(&name), file_variable.as_ref()].into_iter().flatten() {
            if around.garbled.contains(name) {
                self.wrong(name, "its value is not UTF-8; write it anew");
                self.unread.insert(key);
            }
        }
        let file = file_variable
            .as_deref()
            .and_then(|name| Some((name, around.get(name)?)));
        match (around.get(&name), file) {
            (None, None) => {}
            (Some(text), None) => self.put(key, text.to_owned(), Origin::Variable),
            (None, Some((other, file))) => {
                let path = PathBuf::from(file);
                self.put_from(key, format!("{other} {file}"), path, Origin::File);
            }
            (Some(_), Some((other, _))) => {
                self.wrong(name, format!("it and {other} are both given: remove one"));
                self.unread.insert(key);
            }
        }
    }

    /// A slip of the fingers is refused. Others pass: some platforms set variables that begin with a service's name.
    fn look_for_strangers(&mut self, around: &Surroundings) {
        let known: Vec<String> = Key::ALL
            .into_iter()
            .flat_map(|key| [Some(key.variable()), key.file_variable()])
            .flatten()
            .chain([CONFIG.to_owned()])
            .collect();
        let names = around.variables.keys().filter(|name| {
            name.starts_with(PREFIX) && !known.contains(name) && around.get(name).is_some()
        });
        for name in names {
            let value = name.strip_suffix("_FILE");
            if let Some(value) = value.filter(|value| known.iter().any(|known| known == value)) {
                let sentence =
                    format!("only a secret is read from a file; give the value itself in {value}");
                self.wrong(name, sentence);
            } else if let Some(near) = slip(name, &known) {
                self.wrong(name, unknown("variable", Some(near)));
            } else {
                self.strangers.push(name.clone());
            }
        }
    }
}

/// The name that somebody meant to write, when it is only a few letters away.
fn slip<'k>(written: &str, known: &'k [String]) -> Option<&'k str> {
    let bare = written.strip_prefix(PREFIX)?;
    // What Kubernetes sets for a service that is called doorward, or doorward-metrics.
    let is_of_a_service = format!("_{bare}_").contains("_PORT_") || bare.ends_with("_SERVICE_HOST");
    if is_of_a_service {
        return None;
    }
    let near = |known: &'k String| {
        let name = known.strip_prefix(PREFIX)?;
        let distance = strsim::osa_distance(bare, name);
        (distance <= name.len().div_ceil(4)).then_some((distance, known.as_str()))
    };
    let nearest = known.iter().filter_map(near).min();
    nearest.map(|(_, known)| known)
}

/// Whether something is at this path, as far as can be told: what cannot be looked at is read, and then named.
fn is_there(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(_) => true,
        Err(why) => !matches!(why.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// What a file holds, if that is little.
fn small(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|why| explain(&why))?;
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| explain(&why))?;
    if bytes.len() as u64 > most {
        return Err(format!(
            "it is larger than {} KiB; name the right file",
            most / 1024
        ));
    }
    Ok(bytes)
}

fn explain(why: &io::Error) -> String {
    match why.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "there is no such file; make it, or name another".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "this user may not read it; give it to the user that runs doorward".to_owned()
        }
        // Where the file to mount is missing, container engines make a folder.
        ErrorKind::IsADirectory => "it is a folder; put a file in its place".to_owned(),
        _ => format!("it cannot be read: {why}"),
    }
}

/// The one line of a file that holds a value, or the lines of one that may have several.
fn value_in(path: &Path, kind: Kind) -> Result<String, String> {
    let text = String::from_utf8(small(path, VALUE_MAX)?)
        .map_err(|_| "it is not UTF-8; write the value anew".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("it is empty; write the value into it".to_owned());
    }
    if kind != Kind::Lines && text.contains(char::is_control) {
        return Err("it holds more than one line of text; leave the value alone in it".to_owned());
    }
    Ok(text.to_owned())
}

/// The configuration file while it is read.
struct Page<'p> {
    lines: Lines<'p>,
    /// Lines that are no TOML.
    torn: BTreeSet<usize>,
    /// Key, line, value.
    said: Vec<(Key, usize, String)>,
    mistakes: Vec<(usize, String)>,
    unread: BTreeSet<Key>,
}

impl<'p> Page<'p> {
    fn read(text: &'p str) -> Self {
        let mended = Mended::new(text);
        let mut page = Self {
            lines: Lines::of(text.as_bytes()),
            torn: BTreeSet::new(),
            said: Vec::new(),
            mistakes: Vec::new(),
            unread: BTreeSet::new(),
        };
        for (at, sentence) in mended.torn {
            let line = page.line(at);
            page.torn.insert(line);
            page.mistakes.push((line, sentence));
        }
        let (table, _) = DeTable::parse_recoverable(&mended.text);
        page.read_table(table.get_ref(), "");
        if !page.torn.is_empty() {
            page.unread.extend(Key::ALL);
        }
        page
    }

    fn line(&self, at: usize) -> usize {
        self.lines.line(at)
    }

    fn read_table(&mut self, table: &DeTable<'_>, section: &str) {
        for (key, value) in table {
            let name = format!("{section}{}", key.get_ref());
            let line = self.line(key.span().start);
            if self.torn.contains(&line) || self.torn.contains(&self.line(value.span().start)) {
                continue;
            }
            let inside = format!("{name}.");
            let member = Key::ALL
                .into_iter()
                .find_map(|known| known.name().strip_prefix(&inside));
            match (Key::named(&name), member, value.get_ref()) {
                (Some(known), _, value) => match written(known, value) {
                    Ok(text) => self.said.push((known, line, text)),
                    Err(form) => {
                        self.mistakes.push((line, format!("{name} is {form}")));
                        self.unread.insert(known);
                    }
                },
                (None, Some(_), DeValue::Table(inner)) => self.read_table(inner, &inside),
                (None, Some(member), _) => {
                    let sentence =
                        format!("{name} is a section; write [{name}], and {member} = … below it");
                    self.mistakes.push((line, sentence));
                }
                (None, None, value) => {
                    let sentence = stranger(section, key.get_ref(), value);
                    self.mistakes.push((line, sentence));
                }
            }
        }
    }
}

/// What to say of a key that nobody knows.
fn stranger(section: &str, key: &str, value: &DeValue<'_>) -> String {
    let name = format!("{section}{key}");
    if !section.is_empty() && Key::named(key).is_some() {
        return format!(
            "{key} is not in [{}]; move it above the first line in square brackets",
            section.trim_end_matches('.')
        );
    }
    let is_plain = name.len() <= NAME_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let what = match (is_plain, value) {
        (true, DeValue::Table(_)) => format!("section [{name}]"),
        (true, _) => format!("key `{name}`"),
        // It may be a value that has lost its key.
        (false, _) => "key".to_owned(),
    };
    unknown(&what, Key::near(&name))
}

fn unknown(what: &str, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("unknown {what}, did you mean `{near}`?"),
        None => format!("unknown {what}; `doorward config reference` lists all that there are"),
    }
}

/// A value as a flag would have it; else what it should be.
fn written(key: Key, value: &DeValue<'_>) -> Result<String, String> {
    let spec = key.spec();
    match (spec.kind, value) {
        (Kind::Switch, DeValue::Boolean(is)) => Ok(is.to_string()),
        (Kind::Switch, _) => Err("true or false, without quotes".to_owned()),
        (Kind::Number, DeValue::Integer(number)) => Ok(decimal(number)),
        (Kind::Number, _) => Err(format!(
            "a whole number, without quotes, like {}",
            spec.example
        )),
        (Kind::Decimal, DeValue::Integer(number)) => Ok(decimal(number)),
        (Kind::Decimal, DeValue::Float(number)) => Ok(number.as_str().to_owned()),
        (Kind::Decimal, DeValue::String(text)) => Ok(text.to_string()),
        (Kind::Decimal, _) => Err(format!("a number, like {}", spec.example)),
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str())
            .collect::<Option<Vec<_>>>()
            .map(|items| items.join(","))
            .ok_or_else(|| list(&spec)),
        (Kind::List, DeValue::String(one)) => Ok(one.to_string()),
        (Kind::List, _) => Err(list(&spec)),
        (_, DeValue::String(text)) => Ok(text.to_string()),
        (_, _) => {
            let first = spec.example.lines().next().unwrap_or_default();
            Err(format!("a text, in quotes, like {}", quoted(first)))
        }
    }
}

fn list(spec: &Spec) -> String {
    format!("a list of texts, like {}", array(spec.example))
}

fn decimal(number: &DeInteger<'_>) -> String {
    i128::from_str_radix(number.as_str(), number.radix())
        .map_or_else(|_| number.to_string(), |number| number.to_string())
}
