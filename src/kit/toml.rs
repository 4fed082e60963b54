//! What is written in TOML and is to be read as a whole: every line that is none, and everything else all the same.

use std::collections::BTreeSet;

use toml::de::DeTable;

/// A parser that gives up gets no more chances than these: a file without a line of TOML is refused soon.
const ROUNDS_MAX: usize = 100;

/// The lines of a text, to say where in it something stands.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Of this text.
    #[must_use]
    pub fn of(text: &'t [u8]) -> Self {
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Self {
            text,
            starts: starts.collect(),
        }
    }

    /// In which line this byte stands, from 1.
    #[must_use]
    pub fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// In which line, and at which of its characters, both from 1.
    #[must_use]
    pub fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..at.max(start)).unwrap_or_default();
        let column = String::from_utf8_lossy(before)
            .trim_start_matches('\u{feff}')
            .chars()
            .count();
        (line, column + 1)
    }
}

/// A text that the parser can read to its end, and what is no TOML in it.
#[derive(Debug)]
pub struct Mended {
    /// The text, with blanks for the lines at which the parser gives up, so that all others stay where they are.
    pub text: String,
    /// The first mistake of each line: where, and what to do.
    pub torn: Vec<(usize, String)>,
}

impl Mended {
    /// Reads it, without the lines at which the parser gives up.
    #[must_use]
    pub fn new(text: &str) -> Self {
        const GIVES_UP: &str = "key with no value";
        let lines = Lines::of(text.as_bytes());
        let mut seen = BTreeSet::new();
        let mut torn = Vec::new();
        let mut rest = text.to_owned();
        for _ in 0..ROUNDS_MAX {
            let mut hopeless = BTreeSet::new();
            let (_, errors) = DeTable::parse_recoverable(&rest);
            for error in errors {
                let at = error.span().map_or(0, |span| span.start);
                let line = lines.line(at);
                // The first error of a line is the one to mend; the parser's words never repeat what is written.
                if seen.insert(line) {
                    torn.push((at, untoml(error.message())));
                    if error.message().starts_with(GIVES_UP) {
                        hopeless.insert(line);
                    }
                }
            }
            if hopeless.is_empty() {
                break;
            }
            rest = without(&rest, &hopeless);
        }
        Self { text: rest, torn }
    }
}

/// A text with blanks in place of these lines.
fn without(text: &str, lines: &BTreeSet<usize>) -> String {
    let blank = |part: &str| {
        let end = if part.ends_with('\n') { "\n" } else { "" };
        " ".repeat(part.trim_end_matches('\n').len()) + end
    };
    let parts = text.split_inclusive('\n').enumerate();
    parts
        .map(|(at, part)| {
            if lines.contains(&(at + 1)) {
                blank(part)
            } else {
                part.to_owned()
            }
        })
        .collect()
}

/// The parser's words, and what to do.
fn untoml(message: &str) -> String {
    match message {
        "duplicate key" => "this key is here for the second time; keep one of them".to_owned(),
        other if other.starts_with("invalid date") || other.starts_with("invalid time") => {
            format!("there is no such day or time ({other}); correct it")
        }
        other => format!("this is no TOML ({other}); a line is written as  key = \"value\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_and_a_character_of_it() {
        let text = "a\nåb\n\nc";
        let lines = Lines::of(text.as_bytes());
        let place = |what| lines.place(text.find(what).unwrap());
        assert_eq!(place('a'), (1, 1));
        assert_eq!(place('b'), (2, 2));
        assert_eq!(place('c'), (4, 1));
        assert_eq!(lines.place(text.len()), (4, 2));
        assert_eq!(Lines::of("\u{feff}x".as_bytes()).place(3), (1, 1));
        assert_eq!(Lines::of(b"").place(0), (1, 1));
    }

    #[test]
    fn every_torn_line_is_found_and_the_rest_is_read() {
        let mended = Mended::new("a = 1\nb\nc = \"open\nd = 07\ne = 2\nb2\n");
        let lines = Lines::of(mended.text.as_bytes());
        let found: Vec<usize> = mended.torn.iter().map(|(at, _)| lines.line(*at)).collect();
        assert_eq!(
            found.iter().copied().collect::<BTreeSet<_>>(),
            [2, 3, 4, 6].into()
        );
        let (table, _) = DeTable::parse_recoverable(&mended.text);
        assert!(table.get_ref().get("a").is_some() && table.get_ref().get("e").is_some());
    }

    #[test]
    fn a_long_file_without_a_line_of_toml_is_refused_soon() {
        let began = crate::kit::time::instant();
        let mended = Mended::new(&"garbage\nx = \n= 3\n".repeat(1 << 13));
        assert!(!mended.torn.is_empty());
        assert!(began.elapsed().as_secs() < 60);
    }
}
