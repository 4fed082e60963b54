//! What doctor found, and how it says so.

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::print::{self, Output};

/// How wide the text is: most terminals are wider, and nobody reads longer lines.
const WIDTH: usize = 96;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// It is as it should be.
    Ok,
    /// It works, and somebody should know.
    Warning,
    /// It does not work, or is not safe.
    Wrong,
}

impl Level {
    const ALL: [Self; 3] = [Self::Wrong, Self::Warning, Self::Ok];

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
struct Finding {
    /// Its name for programs.
    check: &'static str,
    level: Level,
    /// How it is.
    sentence: String,
    /// What to do.
    advice: Option<String>,
}

/// Things that belong together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    name: &'static str,
    findings: Vec<Finding>,
}

impl Group {
    /// An empty one.
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            findings: Vec::new(),
        }
    }

    /// It is as it should be.
    pub(super) fn ok(&mut self, check: &'static str, sentence: impl Into<String>) {
        self.add(check, Level::Ok, sentence.into(), None);
    }

    /// It is as it should be, and there is something that nobody can look up here.
    pub(super) fn remind(
        &mut self,
        check: &'static str,
        sentence: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Ok, sentence.into(), Some(advice.into()));
    }

    /// It works, and somebody should know.
    pub(super) fn warning(
        &mut self,
        check: &'static str,
        sentence: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Warning, sentence.into(), Some(advice.into()));
    }

    /// It does not work, or is not safe.
    pub(super) fn wrong(
        &mut self,
        check: &'static str,
        sentence: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Wrong, sentence.into(), Some(advice.into()));
    }

    /// What another one found, as its own.
    pub(super) fn absorb(&mut self, other: Self) {
        self.findings.extend(other.findings);
    }

    fn add(&mut self, check: &'static str, level: Level, sentence: String, advice: Option<String>) {
        self.findings.push(Finding {
            check,
            level,
            sentence: one_line(&sentence),
            advice: advice.map(|advice| one_line(&advice)),
        });
    }
}

/// Foreign words go to a terminal here: none of them begins a line or moves the cursor.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// All that was found.
#[derive(Clone, Debug)]
pub(super) struct Report {
    groups: Vec<Group>,
}

impl Report {
    /// Of these groups; one in which nothing was looked at is none.
    pub(super) fn new(groups: impl IntoIterator<Item = Group>) -> Self {
        let groups = groups.into_iter();
        Self {
            groups: groups.filter(|group| !group.findings.is_empty()).collect(),
        }
    }

    fn count(&self, level: Level) -> usize {
        let all = self.groups.iter().flat_map(|group| &group.findings);
        all.filter(|finding| finding.level == level).count()
    }

    /// For people.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for group in &self.groups {
            text += group.name;
            text.push('\n');
            for finding in &group.findings {
                let sign = format!("  {:<9}", finding.level.word());
                text += &wrapped(&sign, &finding.sentence);
                if let Some(advice) = &finding.advice {
                    text += &wrapped("           -> ", advice);
                }
            }
            text.push('\n');
        }
        let counts: Vec<String> = Level::ALL
            .into_iter()
            .map(|level| (self.count(level), level))
            .filter(|(count, _)| *count > 0)
            .map(|(count, level)| match (level, count) {
                (Level::Warning, 1) => "1 warning".to_owned(),
                (Level::Warning, count) => format!("{count} warnings"),
                (level, count) => format!("{count} {}", level.word()),
            })
            .collect();
        text + &format!("{}.", counts.join(", "))
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let findings: Vec<Value> = self
            .groups
            .iter()
            .flat_map(|group| group.findings.iter().map(move |finding| (group, finding)))
            .map(|(group, finding)| {
                json!({
                    "group": group.name,
                    "check": finding.check,
                    "level": finding.level.word(),
                    "sentence": finding.sentence,
                    "advice": finding.advice,
                })
            })
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ok": self.count(Level::Ok),
            "warnings": self.count(Level::Warning),
            "wrong": self.count(Level::Wrong),
            "findings": findings,
        })
    }

    /// Prints it; something that is wrong is a failure.
    pub(super) fn say(&self, output: Output) -> Result<(), Failure> {
        if output.is_json() {
            print::json(&self.to_json())?;
        } else {
            print::line(self.to_text())?;
        }
        match self.count(Level::Wrong) {
            0 => Ok(()),
            1 => Err(Failure::Failed("1 thing is wrong".to_owned())),
            count => Err(Failure::Failed(format!("{count} things are wrong"))),
        }
    }
}

/// The text behind this sign, further lines below its beginning.
fn wrapped(sign: &str, text: &str) -> String {
    let indent = sign.chars().count();
    let mut lines = sign.to_owned();
    let mut width = indent;
    for (number, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if number > 0 {
            if width + 1 + length > WIDTH {
                lines.push('\n');
                lines.push_str(&" ".repeat(indent));
                width = indent;
            } else {
                lines.push(' ');
                width += 1;
            }
        }
        lines.push_str(word);
        width += length;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut first = Group::new("Mail");
        first.ok("relay", "The relay takes the login.");
        first.warning("spf", "word ".repeat(30).trim_end(), "Do it.");
        let mut second = Group::new("Files");
        second.wrong("key", "It is\x1b[31m open.\nReally.", "Close it.");
        Report::new([first, Group::new("Empty"), second])
    }

    #[test]
    fn findings_stand_below_each_other_and_are_counted() {
        let indent = " ".repeat(11);
        let first = ["word"; 17].join(" ");
        let rest = ["word"; 13].join(" ");
        let text = format!(
            "Mail\n  ok       The relay takes the login.\n  warning  {first}\n{indent}{rest}\n{indent}-> Do it.\n\n\
             Files\n  wrong    It is [31m open. Really.\n{indent}-> Close it.\n\n\
             1 wrong, 1 warning, 1 ok."
        );
        assert_eq!(report().to_text(), text);
    }

    #[test]
    fn programs_get_names() {
        let json = report().to_json();
        assert_eq!(json["wrong"], 1);
        assert_eq!(json["findings"][1]["check"], "spf");
        assert_eq!(json["findings"][0]["advice"], Value::Null);
    }
}
