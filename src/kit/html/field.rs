//! Fields for typing: one line or several, passwords, codes. A password is never drawn back into its field, and can
//! always be looked at while it is typed.

use maud::{Markup, Render, html};

use super::form::{described_by, label, told};
use super::icon::eye;

/// What a text field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Email,
    Tel,
    Number,
    Date,
    CurrentPassword,
    NewPassword,
    /// Six digits from an authenticator app.
    Code,
    /// So many lines.
    Area(u8),
    /// A file; its form is one of `form::upload`.
    File,
}

impl Kind {
    const fn input_type(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Tel => "tel",
            Self::Date => "date",
            Self::CurrentPassword | Self::NewPassword => "password",
            Self::File => "file",
            // Digits are asked for by the keyboard, never by arrows that change them while scrolling.
            Self::Text | Self::Number | Self::Code | Self::Area(_) => "text",
        }
    }

    const fn input_mode(self) -> Option<&'static str> {
        match self {
            Self::Number | Self::Code => Some("numeric"),
            _ => None,
        }
    }

    const fn autocomplete(self) -> &'static str {
        match self {
            Self::CurrentPassword => "current-password",
            Self::NewPassword => "new-password",
            Self::Code => "one-time-code",
            Self::Tel => "tel",
            Self::Text | Self::Email | Self::Number | Self::Date | Self::Area(_) | Self::File => {
                "off"
            }
        }
    }

    const fn is_password(self) -> bool {
        matches!(self, Self::CurrentPassword | Self::NewPassword)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Optional,
    Required,
    Fixed,
}

/// A labelled text field. Its id is its name unless [`Field::id`] says otherwise.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    kind: Kind,
    name: &'a str,
    id: &'a str,
    label: &'a str,
    value: &'a str,
    hint: Option<Markup>,
    error: Option<Markup>,
    aside: Option<Markup>,
    below: Option<Markup>,
    autocomplete: &'a str,
    placeholder: Option<&'a str>,
    asked: Asked,
    focus: Option<&'a str>,
    sends_itself: bool,
}

impl<'a> Field<'a> {
    const fn new(kind: Kind, name: &'a str, label: &'a str) -> Self {
        Self {
            kind,
            name,
            id: name,
            label,
            value: "",
            hint: None,
            error: None,
            aside: None,
            below: None,
            autocomplete: kind.autocomplete(),
            placeholder: None,
            asked: Asked::Optional,
            focus: None,
            sends_itself: false,
        }
    }

    /// One line of text.
    #[must_use]
    pub const fn text(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::Text, name, label)
    }

    /// An e-mail address. For signing in, add `.autocomplete("username")`.
    #[must_use]
    pub const fn email(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::Email, name, label)
    }

    /// A phone number.
    #[must_use]
    pub const fn tel(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::Tel, name, label)
    }

    /// A number, typed as text.
    #[must_use]
    pub const fn number(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::Number, name, label)
    }

    /// A day (`YYYY-MM-DD` when sent).
    #[must_use]
    pub const fn date(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::Date, name, label)
    }

    /// Text of several lines; so many are shown.
    #[must_use]
    pub const fn area(name: &'a str, label: &'a str, lines: u8) -> Self {
        Self::new(Kind::Area(lines), name, label)
    }

    /// A file to be chosen, in a form of `form::upload`.
    #[must_use]
    pub const fn file(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::File, name, label)
    }

    /// The password one has. A value set on it is never drawn.
    #[must_use]
    pub const fn password(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::CurrentPassword, name, label).required()
    }

    /// A password one chooses. A value set on it is never drawn.
    #[must_use]
    pub const fn new_password(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::NewPassword, name, label).required()
    }

    /// Six digits from an authenticator app, in one field.
    #[must_use]
    pub const fn code(name: &'a str, label: &'a str) -> Self {
        Self::new(Kind::Code, name, label).required()
    }

    /// Another id, where two forms of a page have a field of this name.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    /// What was typed before, or is so now.
    #[must_use]
    pub const fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }

    /// A sentence that helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Render) -> Self {
        self.hint = Some(hint.render());
        self
    }

    /// What is wrong and what to do about it; drawn in place of the hint.
    #[must_use]
    pub fn error(mut self, error: Option<impl Render>) -> Self {
        self.error = error.map(|error| error.render());
        self
    }

    /// What stands at the far end of the label, such as "Forgot password?".
    #[must_use]
    pub fn aside(mut self, aside: Markup) -> Self {
        self.aside = Some(aside);
        self
    }

    /// The list of what a password must hold, ticked while it is typed where the script runs.
    #[must_use]
    pub fn rules(mut self) -> Self {
        self.below = Some(rules(self.id));
        self
    }

    /// What a browser may fill in (`name`, `username`, `organization` …).
    #[must_use]
    pub const fn autocomplete(mut self, autocomplete: &'a str) -> Self {
        self.autocomplete = autocomplete;
        self
    }

    /// An example of what to type.
    #[must_use]
    pub const fn placeholder(mut self, placeholder: &'a str) -> Self {
        self.placeholder = Some(placeholder);
        self
    }

    /// It must be filled in.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.asked = Asked::Required;
        self
    }

    /// It is shown and sent, and cannot be changed.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.asked = Asked::Fixed;
        self
    }

    /// The name of the field of this form that is focused first: the first bad one, else where one begins.
    /// Give the same name to all fields of the form.
    #[must_use]
    pub const fn focus(mut self, name: &'a str) -> Self {
        self.focus = Some(name);
        self
    }

    /// A code that sends its form when all six digits are there, where the script runs. For forms that ask for
    /// nothing else.
    #[must_use]
    pub const fn sends_itself(mut self) -> Self {
        self.sends_itself = true;
        self
    }

    fn described_by(&self) -> Option<String> {
        let rules = self.below.as_ref().map(|_| "rules");
        described_by(self.id, self.hint.as_ref(), self.error.as_ref(), rules)
    }

    fn input(&self) -> Markup {
        let class = match self.kind {
            Kind::Code => "input code",
            _ => "input",
        };
        let focused = self.focus == Some(self.name);
        let invalid = self.error.as_ref().map(|_| "true");
        let required = self.asked == Asked::Required;
        let fixed = self.asked == Asked::Fixed;
        if let Kind::Area(lines) = self.kind {
            return html! {
                textarea.input id=(self.id) name=(self.name) rows=(lines) placeholder=[self.placeholder]
                    autocomplete=(self.autocomplete) required[required] readonly[fixed] autofocus[focused]
                    aria-invalid=[invalid] aria-describedby=[self.described_by()] { "\n" (self.value) }
            };
        }
        if self.kind == Kind::File {
            return html! {
                input.input id=(self.id) name=(self.name) type="file" accept=".csv,.txt,text/csv,text/plain"
                    required[required] autofocus[focused] aria-invalid=[invalid] aria-describedby=[self.described_by()];
            };
        }
        let value = (!self.kind.is_password() && !self.value.is_empty()).then_some(self.value);
        let bare = self.kind != Kind::Text;
        html! {
            input class=(class) id=(self.id) name=(self.name) type=(self.kind.input_type())
                inputmode=[self.kind.input_mode()] value=[value] placeholder=[self.placeholder]
                autocomplete=(self.autocomplete) spellcheck=[bare.then_some("false")]
                autocapitalize=[bare.then_some("none")] required[required] readonly[fixed] autofocus[focused]
                data-code[self.sends_itself] aria-invalid=[invalid] aria-describedby=[self.described_by()];
        }
    }

    fn control(&self) -> Markup {
        if !self.kind.is_password() {
            return self.input();
        }
        html! {
            div.with-end {
                (self.input())
                button type="button" class="btn quiet icon-only" data-reveal=(self.id)
                    data-hide="Hide password" aria-label="Show password" { (eye()) }
            }
            p.hint.caps role="status" data-caps="Caps Lock is on." {}
        }
    }
}

impl Render for Field<'_> {
    fn render(&self) -> Markup {
        html! {
            div.field {
                (label(self.id, self.label, self.aside.as_ref()))
                (self.control())
                (told(self.id, self.hint.as_ref(), self.error.as_ref()))
                @if let Some(below) = &self.below { (below) }
            }
        }
    }
}

/// The five things a password must hold; `data-rule` is what the script judges them by.
const RULES: [(&str, &str); 5] = [
    ("length", "8 to 128 characters"),
    ("upper", "An upper case letter"),
    ("lower", "A lower case letter"),
    ("digit", "A number"),
    ("special", "A special character"),
];

fn rules(id: &str) -> Markup {
    html! {
        ul.rules id={ (id) "-rules" } data-rules=(id) aria-label="The password needs" {
            @for (rule, words) in RULES { li data-rule=(rule) { (words) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(field: &Field) -> String {
        field.render().into_string()
    }

    #[test]
    fn a_password_is_never_drawn_back() {
        for field in [Field::password("p", "P"), Field::new_password("p", "P")] {
            let page = drawn(&field.value("Secret-1"));
            assert!(!page.contains("Secret-1"), "{page}");
            assert!(page.contains("type=\"password\""), "{page}");
        }
    }

    #[test]
    fn what_is_wrong_stands_in_place_of_the_hint() {
        let field = Field::email("e", "Email").hint("Used to sign in.");
        let fine = drawn(&field.clone().error(None::<&str>));
        assert!(fine.contains("id=\"e-hint\"") && fine.contains("aria-describedby=\"e-hint\""));
        assert!(!fine.contains("aria-invalid"));
        let wrong = drawn(&field.error(Some("Type <it>.")));
        assert!(wrong.contains("aria-describedby=\"e-error\""), "{wrong}");
        assert!(wrong.contains("aria-invalid=\"true\""), "{wrong}");
        assert!(wrong.contains("Type &lt;it&gt;."), "{wrong}");
        assert!(!wrong.contains("Used to sign in."), "{wrong}");
    }

    #[test]
    fn the_rules_are_told_beside_what_is_wrong() {
        let field = Field::new_password("p", "P")
            .rules()
            .error(Some("Too short."));
        let page = drawn(&field);
        assert!(
            page.contains("aria-describedby=\"p-error p-rules\""),
            "{page}"
        );
        assert_eq!(page.matches("data-rule=").count(), 5);
    }

    #[test]
    fn only_the_field_of_that_name_is_focused() {
        assert!(drawn(&Field::text("a", "A").focus("a")).contains("autofocus"));
        assert!(!drawn(&Field::text("b", "B").focus("a")).contains("autofocus"));
    }

    #[test]
    fn what_was_typed_cannot_leave_its_field() {
        let page = drawn(&Field::text("a", "A").value("\"><script>"));
        assert!(
            page.contains("value=\"&quot;&gt;&lt;script&gt;\""),
            "{page}"
        );
        let area = drawn(&Field::area("a", "A", 3).value("\n</textarea>"));
        // The first line break of a textarea is dropped by browsers, so one of ours stands before the text's own.
        assert!(area.contains(">\n\n&lt;/textarea&gt;</textarea>"), "{area}");
    }
}
