//! Enough of a scanner to fill in our own forms: the tags of a page, its forms and
//! their inputs, its text. It reads the markup we write, not whatever the web holds.

/// A form of a page, as far as sending it needs.
#[derive(Debug)]
pub(crate) struct Form {
    /// Where it is sent; empty for the page it is on.
    pub(crate) action: String,
    /// Its inputs, in order.
    pub(crate) inputs: Vec<Input>,
}

/// An `input` element.
#[derive(Debug)]
pub(crate) struct Input {
    /// Its `name`, or nothing.
    pub(crate) name: String,
    /// Its `type`, `text` unless it says otherwise.
    pub(crate) kind: String,
    /// Its `value`, or nothing.
    pub(crate) value: String,
}

impl Form {
    /// The value of the first input of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let input = self.inputs.iter().find(|input| input.name == name)?;
        Some(&input.value)
    }
}

/// The forms of a page, in order.
pub(crate) fn forms(page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut inside = false;
    for tag in tags(page) {
        match tag.name.as_str() {
            "form" => {
                inside = true;
                let action = tag.attribute("action").unwrap_or_default();
                let inputs = Vec::new();
                forms.push(Form { action, inputs });
            }
            "/form" => inside = false,
            "input" if inside => {
                let kind = tag.attribute("type").unwrap_or_else(|| "text".to_owned());
                forms.last_mut().unwrap().inputs.push(Input {
                    name: tag.attribute("name").unwrap_or_default(),
                    kind,
                    value: tag.attribute("value").unwrap_or_default(),
                });
            }
            _ => {}
        }
    }
    forms
}

/// Tags that part no words.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "time",
];

/// What a reader sees of a page: its text without tags, blanks run together. The
/// contents of scripts and styles are left out.
pub(crate) fn text(page: &str) -> String {
    let mut words = String::new();
    let mut unseen = false;
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        if !unseen {
            words.push_str(before);
        }
        let (tag, beyond) = split_tag(after);
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name {
            "script" | "style" => unseen = true,
            "/script" | "/style" => unseen = false,
            name if INLINE.contains(&name.trim_start_matches('/')) => {}
            _ => words.push(' '),
        }
        rest = beyond;
    }
    words.push_str(rest);
    let words = decode(&words);
    let words: Vec<_> = words.split_whitespace().collect();
    words.join(" ")
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(known, _)| known == name)?;
        Some(value.clone())
    }
}

fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, beyond) = split_tag(after);
        tags.push(read_tag(tag));
        rest = beyond;
    }
    tags
}

/// What stands before the `>` that ends a tag, and what follows it. A `>` within
/// quotes ends nothing.
fn split_tag(after: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, byte) in after.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => {
                let (tag, rest) = after.split_at(at);
                return (tag, rest.strip_prefix('>').unwrap_or(rest));
            }
            _ => {}
        }
    }
    (after, "")
}

fn read_tag(tag: &str) -> Tag {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
        if rest.is_empty() {
            break;
        }
        let end = rest
            .find(|letter: char| letter == '=' || letter.is_whitespace())
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (value, beyond) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => match after.strip_prefix('=') {
                Some(bare) => bare.split_once(char::is_whitespace).unwrap_or((bare, "")),
                None => ("", after),
            },
        };
        attributes.push((key.to_owned(), decode(value)));
        rest = beyond;
    }
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    Tag { name, attributes }
}

/// Text with its character references read; the ampersand last, so that nothing is
/// read twice.
fn decode(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

const PAGE: &str = r#"<!doctype html><style>p > b {}</style><p>Ann &amp; Bo
    say&nbsp;<b title="a > b">hi</b>.</p>
    <form action="/find"><input name=q value="x"></form>
    <form method="post" action="/sign-in">
      <input type="hidden" name="csrf" value="a&quot;&amp;lt;b">
      <input name="email" required><input type="checkbox" name="keep" checked/>
    </form><input name="stray" value="outside">"#;

#[test]
fn forms_are_read_with_their_inputs() {
    let forms = forms(PAGE);
    assert_eq!(forms.len(), 2);
    assert_eq!(forms[0].action, "/find");
    assert_eq!(forms[0].value("q"), Some("x"));
    assert_eq!(forms[1].action, "/sign-in");
    assert_eq!(forms[1].value("csrf"), Some("a\"&lt;b"));
    assert_eq!(forms[1].value("email"), Some(""));
    assert_eq!(forms[1].inputs[2].kind, "checkbox");
    assert_eq!(forms[1].value("stray"), None);
}

#[test]
fn text_is_what_a_reader_sees() {
    assert_eq!(text(PAGE), "Ann & Bo say hi.");
}
