//! A form being read: typed values out, all problems collected, what was typed kept for the next try.

use std::str::FromStr;

use super::fields::Fields;

/// What was sent, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Fields,
    problems: Vec<(&'static str, String)>,
}

impl Form {
    /// A form as sent.
    #[must_use]
    pub const fn new(fields: Fields) -> Self {
        Self {
            fields,
            problems: Vec::new(),
        }
    }

    /// What was typed; empty when nothing was.
    #[must_use]
    pub fn typed(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_default()
    }

    /// All that was sent under a name that may be repeated.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.fields.all(name)
    }

    /// The value, parsed; the parser's sentence becomes the field's problem.
    pub fn get<T: FromStr<Err = String>>(&mut self, name: &'static str) -> Option<T> {
        self.check(name, str::parse)
    }

    /// The value, parsed, or none where the field may stay empty.
    pub fn optional<T: FromStr<Err = String>>(&mut self, name: &'static str) -> Option<T> {
        if self.typed(name).trim().is_empty() {
            None
        } else {
            self.get(name)
        }
    }

    /// The value, by this parser.
    pub fn check<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.typed(name)) {
            Ok(value) => Some(value),
            Err(sentence) => {
                self.problem(name, sentence);
                None
            }
        }
    }

    /// Something is wrong with that field.
    pub fn problem(&mut self, name: &'static str, sentence: impl Into<String>) {
        self.problems.push((name, sentence.into()));
    }

    /// What is wrong with that field, first things first.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.problems
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, sentence)| sentence.as_str())
    }

    /// Whether anything is wrong.
    #[must_use]
    pub const fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The first field with a problem: where the cursor goes.
    #[must_use]
    pub fn first_problem(&self) -> Option<&'static str> {
        self.problems.first().map(|(field, _)| *field)
    }
}
