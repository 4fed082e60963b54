//! What a mail says: plain values in, the same words as text and as HTML out.
//!
//! One column, no images, nothing remote, no address but the one of its button. Every value is escaped, whoever chose
//! it. The styles stand at the elements, as mail programs want it. Does not know what any mail is about.

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

/// The longest line of the text.
const WIDTH: usize = 72;

/// What a mail program that knows dark colours and narrow screens is told besides.
const STYLE: &str = "
@media (prefers-color-scheme: dark) {
  .bg { background: #151413 !important } .card { background: #1d1c1a !important; border-color: #33302c !important }
  .t { color: #f0eeea !important } .m { color: #b0aaa0 !important } .a { color: #83cde2 !important }
  .b { background: #79c8de !important; color: #06232c !important }
}
@media (max-width: 480px) { .pad { padding: 28px 22px !important } }
";
const SANS: &str = "'IBM Plex Sans',system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";
const MONO: &str = "ui-monospace,Menlo,Consolas,monospace";

/// One mail's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The line above all: in whose name it comes.
    pub brand: String,
    /// What it is about, in a few words.
    pub heading: String,
    /// What it says.
    pub paragraphs: Vec<Paragraph>,
    /// The one thing to do, if there is one.
    pub button: Option<Button>,
    /// What holds of the button: until when it works.
    pub closing: Vec<String>,
    /// What to do when it was not expected: "Not you? …"
    pub doubt: String,
    /// Where to do it, if there is a page for it: the one other link a mail may have.
    pub way_out: Option<Button>,
    /// To which address it goes.
    pub recipient: String,
    /// Which Portal sends it.
    pub host: String,
}

/// A link of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it does, verb first.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// Some sentences, parts of which may be stressed; or facts, or lines that stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph(Body);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Words(Vec<Run>),
    Facts(Vec<(String, String)>),
    Lines(Vec<String>),
}

impl Default for Paragraph {
    fn default() -> Self {
        Self(Body::Words(Vec::new()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    Plain(String),
    Strong(String),
}

impl Paragraph {
    /// These words.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self::default().then(words)
    }

    /// Names, each with what it is, one below the other.
    #[must_use]
    pub fn facts(facts: Vec<(String, String)>) -> Self {
        Self(Body::Facts(facts))
    }

    /// A text whose lines stay as they are.
    #[must_use]
    pub fn lines(text: &str) -> Self {
        Self(Body::Lines(text.lines().map(str::to_owned).collect()))
    }

    /// And these.
    #[must_use]
    pub fn then(self, words: impl Into<String>) -> Self {
        self.and(Run::Plain(words.into()))
    }

    /// And these, stressed.
    #[must_use]
    pub fn strong(self, words: impl Into<String>) -> Self {
        self.and(Run::Strong(words.into()))
    }

    fn and(self, run: Run) -> Self {
        let mut runs = match self.0 {
            Body::Words(runs) => runs,
            // Only sentences go on.
            Body::Facts(_) | Body::Lines(_) => return self,
        };
        runs.push(run);
        Self(Body::Words(runs))
    }

    /// All of it in one line.
    fn words(&self) -> String {
        match &self.0 {
            Body::Words(runs) => runs
                .iter()
                .map(|run| match run {
                    Run::Plain(words) | Run::Strong(words) => words.as_str(),
                })
                .collect(),
            Body::Facts(_) | Body::Lines(_) => self.text(),
        }
    }

    /// As it stands in the plain part.
    fn text(&self) -> String {
        match &self.0 {
            Body::Words(_) => wrapped(&self.words()),
            Body::Facts(facts) => {
                let lengths = facts.iter().map(|(name, _)| name.chars().count());
                let width = lengths.max().unwrap_or_default() + 2;
                let lines = facts.iter().map(|(name, value)| {
                    let name = format!("{}:", one_line(name));
                    format!("{name:<width$}{}\n", one_line(value))
                });
                lines.collect()
            }
            Body::Lines(lines) => lines
                .iter()
                .map(|line| match one_line(line) {
                    empty if empty.is_empty() => "\n".to_owned(),
                    line => wrapped(&line),
                })
                .collect(),
        }
    }
}

impl Render for Paragraph {
    fn render(&self) -> Markup {
        let style = format!("margin:0 0 24px;font:400 16px/1.55 {SANS};color:#211f1b");
        match &self.0 {
            Body::Words(runs) => html! {
                p.t style=(style) {
                    @for run in runs {
                        @match run {
                            Run::Plain(words) => (words),
                            Run::Strong(words) => b { (words) },
                        }
                    }
                }
            },
            Body::Facts(facts) => html! {
                p.t style=(style) {
                    @for (place, (name, value)) in facts.iter().enumerate() {
                        @if place > 0 { br; }
                        (name) ": " b { (value) }
                    }
                }
            },
            Body::Lines(lines) => html! {
                p.t style=(style) {
                    @for (place, line) in lines.iter().enumerate() {
                        @if place > 0 { br; }
                        (line)
                    }
                }
            },
        }
    }
}

/// What may stand in different lines: not an amount and its currency, between which is a blank that holds them together.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() && c != '\u{a0}')
        .filter(|word| !word.is_empty())
}

/// Without what would begin another line.
fn one_line(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

impl Letter {
    /// The plain part: lines of at most 72 characters, but for what cannot be broken, as an address.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = vec![wrapped(&self.heading)];
        parts.extend(self.paragraphs.iter().map(Paragraph::text));
        if let Some(button) = &self.button {
            parts.push(format!("{}:\n{}\n", button.label, button.url));
        }
        parts.extend(self.closing.iter().map(|line| wrapped(line)));
        parts.push(wrapped(&self.doubt));
        if let Some(way_out) = &self.way_out {
            parts.push(format!("{}:\n{}\n", way_out.label, way_out.url));
        }
        parts.push(format!("--\n{}", wrapped(&self.sent_to())));
        parts.join("\n")
    }

    /// The HTML part.
    #[must_use]
    pub fn html(&self) -> String {
        self.markup().into_string()
    }

    fn sent_to(&self) -> String {
        format!("Sent to {} by {}.", self.recipient, self.host)
    }

    fn markup(&self) -> Markup {
        // What stands beside the subject in a list of mails; the first paragraph says it best.
        let preview = self.paragraphs.first().map(Paragraph::words);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="supported-color-schemes" content="light dark";
                    title { (self.subject) }
                    style { (PreEscaped(STYLE)) }
                }
                body.bg style="margin:0;background:#f6f4f0" {
                    @if let Some(preview) = preview {
                        div style="display:none;max-height:0;overflow:hidden" { (preview) }
                    }
                    div role="main" { (column(&self.inside())) }
                }
            }
        }
    }

    /// The rows of the column: brand, card, foot.
    fn inside(&self) -> Markup {
        html! {
            tr { td.t style={ "padding:0 8px 16px;font:600 16px/1.3 " (SANS) ";color:#211f1b" } { (self.brand) } }
            tr { td.card.pad style="background:#ffffff;border:1px solid #e5e1da;border-radius:14px;padding:36px" { (self.card()) } }
            tr {
                td.m style={ "padding:16px 8px 0;font:400 13px/1.5 " (SANS) ";color:#625d55" } {
                    (self.doubt) " "
                    @if let Some(way_out) = &self.way_out {
                        a.a href=(way_out.url) style="color:#0d5870" { (way_out.label) } ". "
                    }
                    (self.sent_to())
                }
            }
        }
    }

    fn card(&self) -> Markup {
        html! {
            h1.t style={ "margin:0 0 12px;font:600 24px/1.25 " (SANS) ";letter-spacing:-.3px;color:#211f1b" } { (self.heading) }
            @for paragraph in &self.paragraphs { (paragraph) }
            @if let Some(button) = &self.button { (button) }
            @for line in &self.closing { (small(line)) }
            @if let Some(button) = &self.button {
                (small("If the button does nothing, open this address:"))
                p style={ "margin:0;font:400 13px/1.5 " (MONO) ";word-break:break-all" } {
                    // Written out and no second link: there is one way in, and it can be read.
                    span.a style="color:#0d5870" { (button.url) }
                }
            }
        }
    }
}

impl Render for Button {
    fn render(&self) -> Markup {
        html! {
            p style="margin:0 0 24px" {
                a.b href=(self.url) style={
                    "display:inline-block;background:#0f5c75;color:#ffffff;border-radius:8px;padding:12px 22px;font:500 16px/1.2 "
                    (SANS) ";text-decoration:none"
                } { (self.label) }
            }
        }
    }
}

fn small(words: &str) -> Markup {
    html! { p.m style={ "margin:0 0 6px;font:400 14px/1.5 " (SANS) ";color:#625d55" } { (words) } }
}

/// A column in the middle, by the means that every mail program knows. A long address is broken rather than that it makes
/// the column wider than a phone.
fn column(rows: &Markup) -> Markup {
    html! {
        table.bg role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f6f4f0" {
            tr {
                td align="center" style="padding:32px 12px" {
                    table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:540px;word-break:break-word" { (rows) }
                }
            }
        }
    }
}

/// Lines of at most [`WIDTH`] characters, each ended. A longer word has a line of its own: an address broken in two is
/// none.
fn wrapped(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + 8);
    let mut used = 0;
    for word in words(text) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > WIDTH {
            lines.push('\n');
            used = 0;
        }
        if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += length;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str =
        "https://portal.haldenworks.example/activate/7Qk2mB9xT4cW8dRzLs3nHf6Y7Qk2mB9xT4cW8dRzLs3";

    fn letter() -> Letter {
        Letter {
            subject: "Activate your account at Halden Works".to_owned(),
            brand: "Halden Works".to_owned(),
            heading: "Activate your account".to_owned(),
            paragraphs: vec![
                Paragraph::new("Ingrid Solheim invited you to the Halden Works portal as ")
                    .strong("Member")
                    .then(": read-only access to resources. Choose a password to start."),
            ],
            button: Some(Button {
                label: "Activate account".to_owned(),
                url: LINK.to_owned(),
            }),
            closing: vec![
                "The link works once, until Wednesday 25 November 2026, 14:20 (Europe/Oslo)."
                    .to_owned(),
            ],
            doubt: "You did not expect this? Do nothing; no account is opened without the link."
                .to_owned(),
            way_out: None,
            recipient: "lea.fontaine@haldenworks.example".to_owned(),
            host: "portal.haldenworks.example".to_owned(),
        }
    }

    #[test]
    fn the_text_says_it_in_lines_of_72() {
        assert_eq!(
            letter().text(),
            format!(
                "Activate your account\n\n\
                 Ingrid Solheim invited you to the Halden Works portal as Member:\n\
                 read-only access to resources. Choose a password to start.\n\n\
                 Activate account:\n{LINK}\n\n\
                 The link works once, until Wednesday 25 November 2026, 14:20\n(Europe/Oslo).\n\n\
                 You did not expect this? Do nothing; no account is opened without the\nlink.\n\n\
                 --\nSent to lea.fontaine@haldenworks.example by portal.haldenworks.example.\n"
            )
        );
    }

    #[test]
    fn the_way_out_is_written_out_in_the_text_and_a_link_in_the_html() {
        let mut notice = letter();
        notice.way_out = Some(Button {
            label: "Sign out everywhere".to_owned(),
            url: "https://portal.haldenworks.example/account#sessions".to_owned(),
        });
        assert!(notice.text().contains(
            "without the\nlink.\n\nSign out everywhere:\nhttps://portal.haldenworks.example/account#sessions\n\n--"
        ));
        assert!(
            notice
                .html()
                .contains("href=\"https://portal.haldenworks.example/account#sessions\"")
        );
        assert_eq!(letter().html().matches("href=").count(), 1);
        assert_eq!(notice.html().matches("href=").count(), 2);
    }

    #[test]
    fn only_what_cannot_be_broken_is_longer_than_a_line() {
        let mut long = letter();
        long.heading = "é".repeat(72);
        long.doubt = format!("{} {} end", "é".repeat(71), "ß".repeat(100));
        for line in long.text().lines() {
            assert!(
                line.chars().count() <= WIDTH || !line.contains(' '),
                "{line}"
            );
        }
        assert!(
            long.text()
                .contains(&format!("\n{}\nend\n", "ß".repeat(100)))
        );
    }

    #[test]
    fn facts_and_lines_stand_one_below_the_other() {
        let mut bill = letter();
        bill.paragraphs.push(Paragraph::facts(vec![
            ("Number".to_owned(), "INV-2026-011".to_owned()),
            ("To".to_owned(), "Halden\nWorks\u{a0}1".to_owned()),
        ]));
        bill.paragraphs
            .push(Paragraph::lines("Bank <transfer>\n\nNO93 8601"));
        assert!(bill.text().contains(
            "to start.\n\nNumber: INV-2026-011\nTo:     Halden Works\u{a0}1\n\nBank <transfer>\n\nNO93 8601\n\nActivate"
        ));
        let html = bill.html();
        assert!(html.contains(">Number: <b>INV-2026-011</b><br>To: <b>Halden\nWorks"));
        assert!(
            html.contains("Bank &lt;transfer&gt;<br><br>NO93 8601</p>"),
            "{html}"
        );
    }

    #[test]
    fn no_value_can_begin_a_line_or_an_element_of_its_own() {
        let mut forged = letter();
        let nasty = "<b>&\"'</td>\n\nNew paragraph";
        nasty.clone_into(&mut forged.subject);
        nasty.clone_into(&mut forged.brand);
        nasty.clone_into(&mut forged.heading);
        forged.paragraphs = vec![Paragraph::new(nasty).strong(nasty)];
        forged.closing = vec![nasty.to_owned()];
        nasty.clone_into(&mut forged.doubt);
        nasty.clone_into(&mut forged.recipient);
        nasty.clone_into(&mut forged.host);
        forged.button = Some(Button {
            label: nasty.to_owned(),
            url: "https://portal.example/?a=\"><b>&b".to_owned(),
        });
        let html = forged.html();
        let plain = letter().html();
        for tag in ["<b>", "</td>", "<p", "<a"] {
            assert_eq!(
                html.matches(tag).count(),
                plain.matches(tag).count(),
                "{tag}"
            );
        }
        assert!(html.contains("&lt;b&gt;&amp;&quot;"), "{html}");
        assert!(html.contains("href=\"https://portal.example/?a=&quot;&gt;&lt;b&gt;&amp;b\""));
        assert!(forged.text().contains("<b>&\"'</td> New paragraph"));
    }

    #[test]
    fn the_link_is_a_button_and_written_out_and_there_is_no_other() {
        let (html, text) = (letter().html(), letter().text());
        assert_eq!(html.matches(LINK).count(), 2);
        assert_eq!(html.matches(&format!("href=\"{LINK}\"")).count(), 1);
        assert_eq!(html.matches(&format!(">{LINK}<")).count(), 1);
        assert_eq!(html.matches("http").count(), 2);
        assert_eq!(text.matches(LINK).count(), 1);
        assert_eq!(text.matches("http").count(), 1);
    }

    #[test]
    fn nothing_is_fetched() {
        let html = letter().html().to_lowercase();
        for remote in [
            "src",
            "url(",
            "<link",
            "@import",
            "<img",
            "<script",
            "background=",
            "//fonts",
        ] {
            assert!(!html.contains(remote), "{remote}");
        }
        assert!(html.len() < 4_096, "{} bytes", html.len());
    }

    #[test]
    fn without_a_button_there_is_no_link() {
        let bare = Letter {
            button: None,
            ..letter()
        };
        assert!(!bare.html().contains("href"));
        assert!(!bare.html().contains("If the button does nothing"));
        assert!(!bare.text().contains("http"));
        assert!(bare.text().contains("(Europe/Oslo)."));
    }

    #[test]
    fn stressed_words_stand_in_line() {
        assert!(
            letter()
                .html()
                .contains("portal as <b>Member</b>: read-only")
        );
    }
}
