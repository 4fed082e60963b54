//! Tables. One of `Shape::Cards` becomes a list on phones: two lines to a row, exceptions on a third. The explicit
//! roles keep it a table for screen readers when the style sheet draws it as something else.

use maud::{Markup, Render, html};

use super::icon::Icon;

/// Where a cell stands: its column in a table, its place in a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// What the row is about; first line of a card.
    Main,
    /// Second line of a card.
    Detail,
    /// At the end of a card's second line.
    Aside,
    /// A badge at the end of a card's first line; its second line under the card when it warns.
    State,
    /// Left out of cards.
    Extra,
    /// Left out of cards, and of tables on narrow screens.
    Wide,
    /// Digits, to the right; left out of cards.
    Number,
    /// Digits, to the right; at the end of a card's second line.
    Amount,
    /// The row's menu.
    End,
}

impl Cell {
    const fn class(self) -> &'static str {
        match self {
            Self::Main => "c-main",
            Self::Detail => "c-detail",
            Self::Aside => "c-aside",
            Self::State => "c-state",
            Self::Extra => "c-extra",
            Self::Wide => "c-extra c-wide",
            Self::Number => "c-extra num",
            Self::Amount => "c-aside num",
            Self::End => "end",
        }
    }
}

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A head by which the rows can be sorted.
#[derive(Clone, Copy, Debug)]
pub struct Sort<'a> {
    /// Where they are sorted by it, or the other way when they are already.
    pub href: &'a str,
    /// How they are sorted by it now, if they are.
    pub direction: Option<Direction>,
}

/// The head of a column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    cell: Cell,
    label: &'a str,
    sort: Option<Sort<'a>>,
    look: Look,
}

/// How a head is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Plain,
    /// Marked: the page is about this one.
    Current,
    /// Read out, and not shown.
    Unseen,
}

impl<'a> Column<'a> {
    /// A column; the label of `Cell::End` is read out and not shown.
    #[must_use]
    pub const fn new(cell: Cell, label: &'a str) -> Self {
        Self {
            cell,
            label,
            sort: None,
            look: match cell {
                Cell::End => Look::Unseen,
                _ => Look::Plain,
            },
        }
    }

    /// The one that the page is about.
    #[must_use]
    pub const fn current(mut self) -> Self {
        self.look = Look::Current;
        self
    }

    /// One whose cells speak for themselves: its label is read out and not shown.
    #[must_use]
    pub const fn unseen(mut self) -> Self {
        self.look = Look::Unseen;
        self
    }

    /// One by which the rows can be sorted.
    #[must_use]
    pub const fn sorted(mut self, href: &'a str, direction: Option<Direction>) -> Self {
        self.sort = Some(Sort { href, direction });
        self
    }
}

impl Render for Column<'_> {
    fn render(&self) -> Markup {
        let sorted = self.sort.map(|sort| match sort.direction {
            Some(Direction::Ascending) => ("ascending", Icon::ChevronUp),
            Some(Direction::Descending) => ("descending", Icon::ChevronDown),
            None => ("none", Icon::ChevronsUpDown),
        });
        html! {
            th scope="col" role="columnheader" class=(self.cell.class()) aria-sort=[sorted.map(|(word, _)| word)]
                aria-current=[(self.look == Look::Current).then_some("true")] {
                @match (self.sort, sorted) {
                    (Some(sort), Some((_, icon))) => a href=(sort.href) { (self.label) (icon) },
                    _ if self.look == Look::Unseen => span.vh { (self.label) },
                    _ => (self.label),
                }
            }
        }
    }
}

/// How a table is drawn on phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As it is, scrolled sideways when it is wide.
    Plain,
    /// As a list of cards.
    Cards,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// What it shows, for those who do not see it.
    pub caption: &'a str,
    /// How it is drawn on phones.
    pub shape: Shape,
    /// The heads.
    pub columns: &'a [Column<'a>],
    /// The rows ([`row`]).
    pub rows: Markup,
    /// The sums, if there are any.
    pub foot: Option<Markup>,
}

impl Render for Table<'_> {
    fn render(&self) -> Markup {
        let table = html! {
            table.table.cards[self.shape == Shape::Cards] role="table" {
                caption.vh { (self.caption) }
                thead role="rowgroup" { tr role="row" { @for column in self.columns { (column) } } }
                tbody role="rowgroup" { (self.rows) }
                @if let Some(foot) = &self.foot { tfoot role="rowgroup" { (foot) } }
            }
        };
        match self.shape {
            Shape::Cards => table,
            // A region that scrolls must be reachable by the keyboard.
            Shape::Plain => html! {
                div.scroll role="region" tabindex="0" aria-label=(self.caption) { (table) }
            },
        }
    }
}

/// One row: each cell with its place.
#[must_use]
pub fn row(cells: &[(Cell, Markup)]) -> Markup {
    html! {
        tr role="row" {
            @for (cell, body) in cells { td role="cell" class=(cell.class()) { (body) } }
        }
    }
}

/// A row that heads those after it ("Today"), over so many columns.
#[must_use]
pub fn heading(columns: usize, text: &str) -> Markup {
    html! {
        tr.heading role="row" { th scope="rowgroup" role="rowheader" colspan=(columns) { (text) } }
    }
}
