//! Fields for choosing: a menu of values, a tick.

use maud::{Markup, Render, html};

use super::Yes;
use super::form::{described_by, label, told};

/// One of the values of a [`Select`].
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    value: &'a str,
    label: &'a str,
    refused: Option<&'a str>,
    about: Option<Markup>,
}

impl<'a> Choice<'a> {
    /// A value, and how it reads.
    #[must_use]
    pub const fn new(value: &'a str, label: &'a str) -> Self {
        Self {
            value,
            label,
            refused: None,
            about: None,
        }
    }

    /// Cannot be chosen, and why; `None` leaves it free.
    #[must_use]
    pub const fn refused(mut self, reason: Option<&'a str>) -> Self {
        self.refused = reason;
        self
    }

    /// What it means, shown under the menu while it is chosen. For menus of at most six.
    #[must_use]
    pub fn about(mut self, about: Markup) -> Self {
        self.about = Some(about);
        self
    }
}

/// A labelled menu of values.
#[derive(Clone, Debug)]
pub struct Select<'a> {
    name: &'a str,
    id: &'a str,
    label: &'a str,
    choices: Vec<Choice<'a>>,
    chosen: &'a str,
    hint: Option<Markup>,
    error: Option<Markup>,
    focus: Option<&'a str>,
    guess_zone: bool,
}

impl<'a> Select<'a> {
    /// A menu; its id is its name unless [`Select::id`] says otherwise.
    #[must_use]
    pub const fn new(name: &'a str, label: &'a str, choices: Vec<Choice<'a>>) -> Self {
        Self {
            name,
            id: name,
            label,
            choices,
            chosen: "",
            hint: None,
            error: None,
            focus: None,
            guess_zone: false,
        }
    }

    /// Another id, where two forms of a page have a field of this name.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    /// The value that is chosen now; the first when none is.
    #[must_use]
    pub const fn chosen(mut self, value: &'a str) -> Self {
        self.chosen = value;
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

    /// See [`super::field::Field::focus`].
    #[must_use]
    pub const fn focus(mut self, name: &'a str) -> Self {
        self.focus = Some(name);
        self
    }

    /// The values are names of time zones, and the browser's own is chosen where the script runs. For pages on
    /// which nobody has chosen yet.
    #[must_use]
    pub const fn guess_zone(mut self) -> Self {
        self.guess_zone = true;
        self
    }

    fn described_by(&self) -> Option<String> {
        let about = self.has_about().then_some("about");
        described_by(self.id, self.hint.as_ref(), self.error.as_ref(), about)
    }

    fn has_about(&self) -> bool {
        self.choices.iter().any(|choice| choice.about.is_some())
    }
}

impl Render for Select<'_> {
    fn render(&self) -> Markup {
        html! {
            div.field {
                (label(self.id, self.label, None))
                select id=(self.id) name=(self.name) data-timezone[self.guess_zone]
                    autofocus[self.focus == Some(self.name)]
                    aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[self.described_by()] {
                    @for choice in &self.choices { (option(choice, self.chosen)) }
                }
                @if self.has_about() {
                    // One for each option, in their order: the style sheet shows the one that is chosen.
                    div id={ (self.id) "-about" } {
                        @for choice in &self.choices {
                            div.about { @if let Some(about) = &choice.about { (about) } }
                        }
                    }
                }
                (told(self.id, self.hint.as_ref(), self.error.as_ref()))
            }
        }
    }
}

fn option(choice: &Choice, chosen: &str) -> Markup {
    html! {
        option value=(choice.value) selected[choice.value == chosen] disabled[choice.refused.is_some()] {
            (choice.label)
            @if let Some(reason) = choice.refused { " (" (reason) ")" }
        }
    }
}

/// Three facts in a row, under a sentence: what a choice means. Each is a heading and its value.
#[must_use]
pub fn facts(sentence: &str, facts: &[(&str, &str)]) -> Markup {
    html! {
        p { (sentence) }
        ul { @for (heading, value) in facts { li { span { (heading) } " " b { (value) } } } }
    }
}

/// A tick with its words.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    name: &'a str,
    id: &'a str,
    value: &'a str,
    label: &'a str,
    hint: Option<Markup>,
    error: Option<Markup>,
    ticked: bool,
}

impl<'a> Check<'a> {
    /// Sends `name=yes` when it is ticked, and nothing when it is not.
    #[must_use]
    pub const fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            id: name,
            value: "yes",
            label,
            hint: None,
            error: None,
            ticked: false,
        }
    }

    /// Another id, where two ticks of a page have one name.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    /// What is sent when it is ticked.
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

    /// What is wrong and what to do about it.
    #[must_use]
    pub fn error(mut self, error: Option<impl Render>) -> Self {
        self.error = error.map(|error| error.render());
        self
    }

    /// Whether it is ticked.
    #[must_use]
    pub fn ticked(mut self, ticked: impl Into<Yes>) -> Self {
        self.ticked = ticked.into() == Yes::Yes;
        self
    }
}

impl Render for Check<'_> {
    fn render(&self) -> Markup {
        let described_by = described_by(self.id, self.hint.as_ref(), self.error.as_ref(), None);
        html! {
            div.check {
                input type="checkbox" id=(self.id) name=(self.name) value=(self.value) checked[self.ticked]
                    aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[described_by];
                div {
                    label for=(self.id) { (self.label) }
                    (told(self.id, self.hint.as_ref(), self.error.as_ref()))
                }
            }
        }
    }
}

/// One way among several, with its words.
#[derive(Clone, Debug)]
pub struct Way<'a> {
    value: &'a str,
    label: &'a str,
    hint: Option<Markup>,
}

impl<'a> Way<'a> {
    /// A value, and how it reads.
    #[must_use]
    pub const fn new(value: &'a str, label: &'a str) -> Self {
        Self {
            value,
            label,
            hint: None,
        }
    }

    /// What it means.
    #[must_use]
    pub fn hint(mut self, hint: impl Render) -> Self {
        self.hint = Some(hint.render());
        self
    }
}

/// One of several ways, all of them seen at once, in groups that each have a heading.
#[derive(Clone, Debug)]
pub struct Ways<'a> {
    name: &'a str,
    groups: Vec<(&'a str, Vec<Way<'a>>)>,
    chosen: &'a str,
    error: Option<Markup>,
    focused: Yes,
}

impl<'a> Ways<'a> {
    /// Heads and what can be chosen under each.
    #[must_use]
    pub const fn new(name: &'a str, groups: Vec<(&'a str, Vec<Way<'a>>)>) -> Self {
        Self {
            name,
            groups,
            chosen: "",
            error: None,
            focused: Yes::No,
        }
    }

    /// The value that is chosen now; none of them when none is.
    #[must_use]
    pub const fn chosen(mut self, value: &'a str) -> Self {
        self.chosen = value;
        self
    }

    /// What is wrong and what to do about it.
    #[must_use]
    pub fn error(mut self, error: Option<impl Render>) -> Self {
        self.error = error.map(|error| error.render());
        self
    }

    /// The chosen one is focused, or the first.
    #[must_use]
    pub fn focused(mut self, focused: impl Into<Yes>) -> Self {
        self.focused = focused.into();
        self
    }
}

impl Render for Ways<'_> {
    fn render(&self) -> Markup {
        let all = || self.groups.iter().flat_map(|(_, ways)| ways);
        let first = all()
            .find(|way| way.value == self.chosen)
            .or_else(|| all().next())
            .map(|way| way.value);
        let focus = first.filter(|_| self.focused == Yes::Yes);
        let wrong = self.error.as_ref().map(|_| format!("{}-error", self.name));
        let mut place = 0;
        let mut next_id = || {
            place += 1;
            format!("{}-{place}", self.name)
        };
        html! {
            // Above them all: the last of them may be far below.
            (told(self.name, None, self.error.as_ref()))
            @for (heading, ways) in &self.groups {
                fieldset.group aria-describedby=[wrong.as_deref()] {
                    legend { (heading) }
                    @for way in ways {
                        @let id = next_id();
                        div.check {
                            input type="radio" id=(id) name=(self.name) value=(way.value)
                                checked[way.value == self.chosen] autofocus[focus == Some(way.value)]
                                aria-describedby=[described_by(&id, way.hint.as_ref(), None, None)];
                            div {
                                label for=(id) { (way.label) }
                                (told(&id, way.hint.as_ref(), None))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A tick that has to be made before its form goes on. It has no name: the browser asks for it, and nothing is sent.
#[must_use]
pub fn confirmed(id: &str, label: &str) -> Markup {
    html! {
        div.check {
            input type="checkbox" id=(id) required;
            label for=(id) { (label) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_chosen_is_shown_with_its_reason() {
        let choices = vec![
            Choice::new("member", "Member").refused(None),
            Choice::new("master", "Master").refused(Some("only a Master can give this")),
        ];
        let page = Select::new("role", "Permission", choices)
            .chosen("member")
            .render()
            .into_string();
        assert!(
            page.contains("<option value=\"member\" selected>Member</option>"),
            "{page}"
        );
        assert!(
            page.contains(
                "<option value=\"master\" disabled>Master (only a Master can give this)</option>"
            ),
            "{page}"
        );
    }

    #[test]
    fn one_way_is_chosen_and_what_is_wrong_is_told_to_all_groups() {
        let groups = vec![
            (
                "Server",
                vec![Way::new("s-1", "Small").hint("€12.40 a month")],
            ),
            ("Database", vec![Way::new("db-1", "20 GB")]),
        ];
        let ways = Ways::new("plan", groups).chosen("db-1").focused(true);
        let page = ways.render().into_string();
        assert!(
            page.contains("id=\"plan-2\" name=\"plan\" value=\"db-1\" checked autofocus"),
            "{page}"
        );
        assert!(page.contains("aria-describedby=\"plan-1-hint\""), "{page}");
        assert_eq!(page.matches("checked").count(), 1);
        let page = ways.error(Some("Choose one.")).render().into_string();
        assert_eq!(page.matches("aria-describedby=\"plan-error\"").count(), 2);
        assert!(page.contains("id=\"plan-error\""), "{page}");
    }

    #[test]
    fn a_tick_is_kept() {
        let page = |ticked| Check::new("a", "A").ticked(ticked).render().into_string();
        assert!(page(true).contains("checked"));
        assert!(!page(false).contains("checked"));
    }
}
