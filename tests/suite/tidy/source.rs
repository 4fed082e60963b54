//! Rust as the rules of the house need it read: code without comments, texts and tests; the texts with their lines;
//! and the paths that begin at the crate's root. It knows our own style and no more of the language than that.

#![expect(
    clippy::string_slice,
    reason = "a scanner of our own files: every place it cuts at was found in the same text"
)]

use std::fs;
use std::path::Path;

/// One file.
pub(super) struct Source {
    /// From the root of the repository, with slashes.
    pub(super) path: String,
    /// The file as it is.
    pub(super) text: String,
    /// Its code, on the lines where it stands: no comments, no texts, no unit tests.
    pub(super) code: String,
    /// The texts in that code, each with its line.
    pub(super) texts: Vec<(usize, String)>,
}

impl Source {
    /// Reads this text as the file of that name.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, texts) = strip(text);
        let (code, tests) = without_tests(&code);
        let texts = texts
            .into_iter()
            .filter(|(line, _)| !tests.iter().any(|(from, to)| (from..=to).contains(&line)))
            .collect();
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            texts,
        }
    }

    /// Whether it holds unit tests and nothing else.
    pub(super) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The lines, from 1, on which the code holds this as a word of its own.
    pub(super) fn lines_with(&self, word: &str) -> Vec<usize> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let holds = |line: &str| {
            line.match_indices(word).any(|(at, _)| {
                !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
            })
        };
        let lines = self.code.lines().enumerate();
        lines
            .filter(|(_, line)| holds(line))
            .map(|(at, _)| at + 1)
            .collect()
    }

    /// Every path from the crate's root, each with its line; a group of them is taken apart.
    pub(super) fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let mut paths = Vec::new();
        for (at, root) in self.code.match_indices("crate::") {
            if self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let line = self.code[..at].matches('\n').count() + 1;
            let mut rest = &self.code[at + root.len()..];
            let mut found = Vec::new();
            branches(&mut rest, &[], &mut found);
            paths.extend(found.into_iter().map(|path| (line, path)));
        }
        paths
    }
}

/// Every file under this folder of the repository that has this ending, in order.
pub(super) fn all(folder: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    walk(Path::new(folder), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, ending, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == ending)
        {
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source::new(path.to_str().unwrap(), &text));
        }
    }
}

fn branches(rest: &mut &str, stem: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = stem.to_vec();
    loop {
        let text = rest.trim_start();
        if let Some(group) = text.strip_prefix('{') {
            *rest = group;
            while !rest.trim_start().starts_with('}') && !rest.is_empty() {
                branches(rest, &path, found);
                *rest = rest
                    .trim_start()
                    .strip_prefix(',')
                    .unwrap_or(rest.trim_start());
            }
            *rest = rest.trim_start().strip_prefix('}').unwrap_or("");
            return;
        }
        let end = text
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        path.push(text[..end].to_owned());
        // A new name changes nothing about where it comes from.
        let behind = text[end..].trim_start();
        let behind = match behind.strip_prefix("as ") {
            Some(name) => name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
            None => behind,
        };
        match behind.strip_prefix("::") {
            Some(after) if !after.starts_with('<') => *rest = after,
            _ => {
                // Something that is neither name nor group would otherwise be looked at for ever.
                *rest = if end == 0 {
                    behind.get(1..).unwrap_or("")
                } else {
                    behind
                };
                found.push(path);
                return;
            }
        }
    }
}

/// The code without comments and with empty texts, and the texts with the lines on which they begin.
fn strip(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(text.len());
    let mut texts = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some((hashes, open)) =
            raw(rest).filter(|_| !code.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        {
            let close = format!("\"{}", "#".repeat(hashes));
            let inside = rest[open..].find(&close).unwrap();
            texts.push((line, rest[open..open + inside].to_owned()));
            open + inside + close.len()
        } else if first == '"' {
            let end = text_end(rest);
            texts.push((line, rest[1..end - 1].to_owned()));
            end
        } else if first == '\'' && sign_end(rest).is_some() {
            sign_end(rest).unwrap()
        } else {
            code.push(first);
            line += usize::from(first == '\n');
            rest = &rest[first.len_utf8()..];
            continue;
        };
        if !rest.starts_with("//") {
            code.push_str("\"\"");
        }
        let lines = rest[..length].matches('\n').count();
        code.push_str(&"\n".repeat(lines));
        line += lines;
        rest = &rest[length..];
    }
    (code, texts)
}

/// How many hashes a raw text begins with, and where its content does.
fn raw(text: &str) -> Option<(usize, usize)> {
    let behind = text.strip_prefix("br").or(text.strip_prefix('r'))?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    behind[hashes..]
        .starts_with('"')
        .then(|| (hashes, text.len() - behind.len() + hashes + 1))
}

fn text_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    panic!("a text has no end")
}

/// Where a character in quotes ends; none for a lifetime.
fn sign_end(text: &str) -> Option<usize> {
    let inside = &text[1..];
    if inside.starts_with('\\') {
        let close = inside[2..].find('\'')?;
        return Some(1 + 2 + close + 1);
    }
    let sign = inside.chars().next()?;
    inside[sign.len_utf8()..]
        .starts_with('\'')
        .then(|| 1 + sign.len_utf8() + 1)
}

/// The code without what is only compiled for tests, and from which to which line that stood.
fn without_tests(code: &str) -> (String, Vec<(usize, usize)>) {
    let mut kept = String::new();
    let mut tests = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let end = match (item.find('{'), item.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => {
                block_end(item, open)
            }
            (_, Some(semicolon)) => semicolon + 1,
            _ => item.len(),
        };
        let from = kept.matches('\n').count() + 1;
        let lines = item[..end].matches('\n').count();
        tests.push((from, from + lines));
        kept.push_str(&"\n".repeat(lines));
        rest = &item[end..];
    }
    kept.push_str(rest);
    (kept, tests)
}

fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices().skip(open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn comments_texts_and_tests_are_no_code() {
    let source = Source::new(
        "src/a.rs",
        "//! crate::one\nuse crate::two; // crate::three\nconst A: &str = \"crate::four \\\" {\";\n\
         const B: &str = r#\"crate::\"five\"#;\nconst C: char = '\"';\nfn f<'a>(a: &'a str) { crate::six::g('\\'') }\n\
         #[cfg(test)]\nmod tests {\n    use crate::seven;\n    const D: &str = \"eight\";\n}\nuse crate::nine;\n",
    );
    let paths: Vec<_> = source
        .paths()
        .into_iter()
        .map(|(line, path)| (line, path.join("::")))
        .collect();
    let expected = [(2, "two"), (6, "six::g"), (12, "nine")];
    assert_eq!(paths, expected.map(|(line, path)| (line, path.to_owned())));
    let texts: Vec<_> = source
        .texts
        .iter()
        .map(|(line, text)| (*line, text.as_str()))
        .collect();
    assert_eq!(texts, [(3, "crate::four \\\" {"), (4, "crate::\"five")]);
}

#[test]
fn groups_of_paths_are_taken_apart() {
    let source = Source::new(
        "src/a.rs",
        "use crate::{\n    a, b::c,\n    d::{self, e as f, g::{h, i}},\n};\nuse $crate::no;\nlet x = crate::j::K::<u8>::new();\n",
    );
    let paths: Vec<_> = source
        .paths()
        .into_iter()
        .map(|(_, path)| path.join("::"))
        .collect();
    assert_eq!(
        paths,
        ["a", "b::c", "d::self", "d::e", "d::g::h", "d::g::i", "j::K"]
    );
}

#[test]
fn a_word_is_found_whole() {
    let source = Source::new(
        "src/a.rs",
        "let a = mio::x;\nlet b = miop;\nlet c = amio;\n// mio\nlet d = \"mio\";\n",
    );
    assert_eq!(source.lines_with("mio"), [1]);
}
