//! The configuration file that explains itself: every setting with what it is for, its default and its other names.

use super::flags::Flags;
use super::keys::{Key, Kind};

/// Longer lines of comments are broken.
const WIDTH: usize = 100;
const HEAD: &str = "\
# The configuration of Doorward: every setting there is.
#
# A line that begins with # and a space explains. One without the space is a setting at its default
# or, where there is none, an example: remove its # to use it.
#
# Each can be given elsewhere too. A flag wins over a variable, that over a file which a variable
# ending in _FILE names (secrets only), that over a credential of systemd with the name of the
# setting, and that over this file.
#
#   doorward config check    says what is wrong here, with the line
#   doorward config show     prints what holds, and who said so
#
";

/// The whole file. What was given as flags is written in it as a setting; all else is a comment.
#[must_use]
pub fn reference(flags: &Flags) -> String {
    let reread: Vec<&str> = Key::ALL
        .into_iter()
        .filter(|key| key.is_reread())
        .map(Key::name)
        .collect();
    let mut text = HEAD.to_owned();
    text += &comment(&format!(
        "On SIGHUP a running server reads these anew: {}. What else has changed waits for the next start.",
        reread.join(", ")
    ));
    for key in Key::ALL {
        text.push('\n');
        text += &about(key);
        let given = flags.given.get(&key).filter(|text| !text.trim().is_empty());
        let spec = key.spec();
        let (mark, value) = match given {
            Some(given) => ("", given.as_str()),
            None => ("#", spec.default.unwrap_or(spec.example)),
        };
        let setting = format!("{} = {}", spec.name, literal(spec.kind, value));
        for line in setting.lines() {
            text += &format!("{mark}{line}\n");
        }
    }
    text
}

/// What a setting is for, as a comment.
fn about(key: Key) -> String {
    let spec = key.spec();
    let mut text = format!("{}.", spec.help);
    text += &match spec.default {
        Some(default) => format!(" Default: {default}."),
        None => format!(" Without it: {}.", spec.unset),
    };
    text += &format!(" Variable {}", key.variable());
    if let Some(file) = key.file_variable() {
        text += &format!(", or {file}");
    }
    if key.has_flag() {
        text += &format!("; flag --{}", key.flag());
    }
    text.push('.');
    comment(&text)
}

/// Words as lines of a comment.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &line;
            lines.push('\n');
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

fn literal(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Number | Kind::Decimal | Kind::Switch => text.trim().to_owned(),
        Kind::Lines if text.trim().contains('\n') => quoted_lines(text.trim()),
        Kind::List => array(text),
        Kind::Text
        | Kind::Lines
        | Kind::Path
        | Kind::Folder
        | Kind::Secret
        | Kind::FlaglessSecret => quoted(text),
    }
}

/// What is separated by commas, as an array.
pub(super) fn array(text: &str) -> String {
    let items: Vec<String> = text.split(',').map(|item| quoted(item.trim())).collect();
    format!("[{}]", items.join(", "))
}

/// A basic string of TOML in as many lines as the text has.
fn quoted_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escaped).collect();
    format!("\"\"\"\n{}\"\"\"", lines.join("\n"))
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// As it stands in a basic string.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            letter if letter.is_control() => {
                escaped += &format!("\\u{:04X}", u32::from(letter));
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}
