//! From the text of a page to its elements: our own markup only, which quotes its attributes and closes what it opens.

use std::collections::BTreeMap;

const VOID: [&str; 8] = ["meta", "link", "input", "hr", "br", "img", "col", "wbr"];

/// One element of a page.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Its name.
    pub(crate) name: String,
    /// Its attributes; those without a value have an empty one.
    pub(crate) attributes: BTreeMap<String, String>,
    /// The text in it and in what is in it, still escaped.
    pub(crate) text: String,
    /// Where in the list the elements around it are, outermost first.
    pub(crate) around: Vec<usize>,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether it has an attribute.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    /// Its tag, for messages.
    pub(crate) fn shown(&self) -> String {
        let attributes: Vec<String> = self
            .attributes
            .iter()
            .map(|(name, value)| format!(" {name}=\"{value}\""))
            .collect();
        format!("<{}{}>", self.name, attributes.concat())
    }
}

/// The elements of a page in order, and where it is not well formed.
pub(crate) fn parse(page: &str) -> (Vec<Element>, Vec<String>) {
    let mut elements: Vec<Element> = Vec::new();
    let mut problems = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap_or(page);
    while !rest.is_empty() {
        let (text, after) = rest.split_once('<').unwrap_or((rest, ""));
        if text.contains('>') {
            problems.push(format!("a bare > in {text:?}"));
        }
        for index in &open {
            elements[*index].text.push_str(text);
        }
        if after.is_empty() {
            break;
        }
        let end = tag_end(after);
        let (tag, behind) = after.split_at(end);
        rest = behind.strip_prefix('>').unwrap_or(behind);
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(index) if elements[index].name == name => {}
                Some(index) => problems.push(format!(
                    "</{name}> where {} should be closed",
                    elements[index].shown()
                )),
                None => problems.push(format!("</{name}> closes nothing")),
            }
        } else {
            let mut element = start(tag, &mut problems);
            element.around.clone_from(&open);
            if !VOID.contains(&element.name.as_str()) {
                open.push(elements.len());
            }
            elements.push(element);
        }
    }
    for index in open {
        problems.push(format!("{} is not closed", elements[index].shown()));
    }
    (elements, problems)
}

/// Where the tag ends: the first `>` outside quotes.
fn tag_end(tag: &str) -> usize {
    let mut quoted = false;
    tag.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })
    .unwrap_or(tag.len())
}

fn start(tag: &str, problems: &mut Vec<String>) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut element = Element {
        name: name.to_owned(),
        ..Element::default()
    };
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return element;
        }
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        let mut value = "";
        rest = after;
        if let Some(quoted) = after.strip_prefix("=\"") {
            (value, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
        } else if after.starts_with('=') {
            problems.push(format!("{attribute} of <{name}> has no quotes"));
            rest = "";
        }
        if element
            .attributes
            .insert(attribute.to_owned(), value.to_owned())
            .is_some()
        {
            problems.push(format!("{attribute} stands twice in <{name}>"));
        }
    }
}
