//! Bars over time, as inline SVG, and the same numbers as a table for those who do not see it.

use maud::{Markup, Render, html};

use super::badge::Badge;
use super::table::{Cell, Column, Shape, Table, row};

/// One bar.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// What it stands for, such as "24 Nov".
    pub label: &'a str,
    /// Its height.
    pub value: u64,
    /// The height of what stands on top of it in the colour of failure; 0 for charts without.
    pub failed: u64,
    /// Both numbers as they are read ("€88.00"); the bare ones when empty.
    pub text: &'a str,
}

/// A chart of bars.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// Its id on the page, for the title.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What the bars are ("612 signed in"), and what stands on top of them, if anything ever does.
    pub legend: (&'a str, Option<&'a str>),
    /// The heads of the table: what a bar stands for, its value, and what failed.
    pub heads: (&'a str, &'a str, Option<&'a str>),
    /// The bars, oldest first.
    pub bars: &'a [Bar<'a>],
}

/// Height of the drawing, and width of one bar with its gap.
const HEIGHT: u64 = 120;
const STEP: usize = 32;
const BAR: usize = 24;

/// A chart whose last bar is not complete yet: it is hatched, and the legend says what that means.
#[derive(Clone, Copy, Debug)]
pub struct Unfinished<'a> {
    /// The chart.
    pub chart: Chart<'a>,
    /// What the last bar is ("November so far").
    pub legend: &'a str,
}

/// Whether the last bar is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last<'a> {
    Complete,
    /// Not yet, with its words in the legend.
    Running(&'a str),
}

impl Chart<'_> {
    fn drawing(&self, last: Last<'_>) -> Markup {
        let highest = self
            .bars
            .iter()
            .map(|bar| bar.value.saturating_add(bar.failed))
            .max()
            .unwrap_or_default()
            .max(1);
        let scaled = |value: u64| {
            let tall = u128::from(value) * u128::from(HEIGHT - 4) / u128::from(highest);
            u64::try_from(tall).unwrap_or(HEIGHT)
        };
        let title = format!("{}-title", self.id);
        let hatch = format!("{}-hatch", self.id);
        let fill = format!("url(#{hatch})");
        let running = (last != Last::Complete).then(|| self.bars.len().saturating_sub(1));
        html! {
            svg.chart viewBox={ "0 0 " (STEP * self.bars.len().max(1)) " " (HEIGHT) } preserveAspectRatio="none"
                role="img" aria-labelledby=(title) {
                // Steeper than it looks: the drawing is stretched to the width of the page.
                @if running.is_some() {
                    defs {
                        pattern id=(hatch) width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(20)" {
                            rect width="2" height="5" {}
                        }
                    }
                }
                @for (index, bar) in self.bars.iter().enumerate() {
                    @let tall = scaled(bar.value);
                    @let failed = scaled(bar.failed);
                    @let gap = if bar.failed > 0 && bar.value > 0 { 2 } else { 0 };
                    @let x = STEP * index + (STEP - BAR) / 2;
                    @if bar.value > 0 && running == Some(index) {
                        // Seen from its first day on.
                        @let tall = tall.max(2);
                        rect.running fill=(fill) x=(x) y=(HEIGHT - tall) width=(BAR) height=(tall) {}
                    } @else if tall > 0 {
                        rect x=(x) y=(HEIGHT - tall) width=(BAR) height=(tall) {}
                    }
                    @if bar.failed > 0 {
                        @let failed = failed.max(2);
                        rect.bad x=(x) y=(HEIGHT.saturating_sub(tall + failed + gap)) width=(BAR) height=(failed) {}
                    }
                }
            }
        }
    }

    /// At most five labels under the bars, the first and the last among them.
    fn labels(&self) -> Markup {
        let last = self.bars.len().saturating_sub(1);
        let parts = last.clamp(1, 4);
        let mut shown: Vec<usize> = (0..=parts).map(|part| last * part / parts).collect();
        shown.dedup();
        html! {
            p.pager aria-hidden="true" {
                @for bar in shown.into_iter().filter_map(|index| self.bars.get(index)) { span { (bar.label) } }
            }
        }
    }

    fn numbers(&self) -> Markup {
        let (what, value, failed) = self.heads;
        let mut columns = vec![
            Column::new(Cell::Main, what),
            Column::new(Cell::Amount, value),
        ];
        columns.extend(failed.map(|head| Column::new(Cell::Amount, head)));
        let rows = html! {
            @for bar in self.bars {
                @let read = if bar.text.is_empty() { bar.value.to_string() } else { bar.text.to_owned() };
                @let cells = [
                    (Cell::Main, html! { (bar.label) }),
                    (Cell::Amount, html! { (read) }),
                    (Cell::Amount, html! { (bar.failed) }),
                ];
                (row(cells.get(..columns.len()).unwrap_or(&cells)))
            }
        };
        Table {
            caption: self.title,
            shape: Shape::Plain,
            columns: &columns,
            rows,
            foot: None,
        }
        .render()
    }
}

impl Chart<'_> {
    fn drawn(&self, last: Last<'_>) -> Markup {
        html! {
            section.stack-2 {
                div.page-head {
                    h2 id={ (self.id) "-title" } { (self.title) }
                    span.row.muted {
                        (Badge::Info(self.legend.0))
                        @if let Last::Running(words) = last { (Badge::Running(words)) }
                        @if let Some(failed) = self.legend.1 { (Badge::Failed(failed)) }
                    }
                }
                (self.drawing(last))
                (self.labels())
                details { summary.hint { "Show as table" } (self.numbers()) }
            }
        }
    }
}

impl Render for Chart<'_> {
    fn render(&self) -> Markup {
        self.drawn(Last::Complete)
    }
}

impl Render for Unfinished<'_> {
    fn render(&self) -> Markup {
        self.chart.drawn(Last::Running(self.legend))
    }
}

/// How long the drawing of a share is when it is the whole.
const SHARE: u128 = 1_000;

/// A part of a whole, as a bar. Decoration: the number stands beside it.
#[must_use]
pub fn share(part: u64, whole: u64) -> Markup {
    let long = u128::from(part.min(whole)) * SHARE / u128::from(whole.max(1));
    html! {
        svg.share viewBox={ "0 0 " (SHARE) " 8" } preserveAspectRatio="none" aria-hidden="true" {
            rect width=(long) height="8" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[(u64, u64)]) -> String {
        let bars: Vec<Bar> = values
            .iter()
            .map(|(value, failed)| Bar {
                label: "24 Nov",
                value: *value,
                failed: *failed,
                text: "",
            })
            .collect();
        let chart = Chart {
            id: "c",
            title: "Sign-ins",
            legend: ("1", Some("2")),
            heads: ("Day", "Signed in", Some("Failed")),
            bars: &bars,
        };
        chart.render().into_string()
    }

    #[test]
    fn the_highest_bar_fills_the_drawing_and_the_rest_are_in_proportion() {
        let page = drawn(&[(10, 0), (5, 0), (0, 0)]);
        assert!(
            page.contains("y=\"4\" width=\"24\" height=\"116\""),
            "{page}"
        );
        assert!(
            page.contains("y=\"62\" width=\"24\" height=\"58\""),
            "{page}"
        );
        assert_eq!(page.matches("<rect").count(), 2);
    }

    #[test]
    fn one_failure_among_many_is_seen() {
        let page = drawn(&[(1000, 1)]);
        assert!(page.contains("class=\"bad\""), "{page}");
        assert!(page.contains("height=\"2\""), "{page}");
    }

    #[test]
    fn no_bars_and_huge_ones_are_drawn() {
        assert!(drawn(&[]).contains("viewBox=\"0 0 32 120\""));
        assert!(drawn(&[(u64::MAX, u64::MAX), (0, 0)]).contains("<rect"));
    }

    #[test]
    fn the_bar_that_is_not_complete_is_hatched_and_said_to_be() {
        let bars = [3, 2].map(|value| Bar {
            label: "Nov",
            value,
            failed: 0,
            text: "",
        });
        let chart = Chart {
            id: "c",
            title: "Cost",
            legend: ("Closed", None),
            heads: ("Month", "Cost", None),
            bars: &bars,
        };
        let page = Unfinished {
            chart,
            legend: "So far",
        }
        .render()
        .into_string();
        assert_eq!(page.matches("fill=\"url(#c-hatch)\"").count(), 1, "{page}");
        assert!(page.contains("fill=\"url(#c-hatch)\" x=\"36\""), "the last");
        assert!(page.contains("id=\"c-hatch\"") && page.contains(">So far</span>"));
        let page = chart.render().into_string();
        assert!(!page.contains("hatch") && !page.contains("So far"));
    }

    #[test]
    fn a_share_is_as_long_as_it_is_large() {
        for (part, whole, long) in [
            (0, 0, 0),
            (0, 5, 0),
            (1, 4, 250),
            (5, 5, 1_000),
            (9, 5, 1_000),
            (u64::MAX, u64::MAX, 1_000),
        ] {
            let page = share(part, whole).into_string();
            assert!(page.contains(&format!("<rect width=\"{long}\"")), "{page}");
        }
    }

    #[test]
    fn a_month_has_five_labels() {
        let page = drawn(&[(1, 0); 30]);
        let labels = page
            .split("aria-hidden=\"true\">")
            .nth(1)
            .and_then(|rest| rest.split("</p>").next())
            .unwrap();
        assert_eq!(labels.matches("<span>").count(), 5);
    }
}
