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

impl Chart<'_> {
    fn drawing(&self) -> Markup {
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
        html! {
            svg.chart viewBox={ "0 0 " (STEP * self.bars.len().max(1)) " " (HEIGHT) } preserveAspectRatio="none"
                role="img" aria-labelledby=(title) {
                @for (index, bar) in self.bars.iter().enumerate() {
                    @let tall = scaled(bar.value);
                    @let failed = scaled(bar.failed);
                    @let gap = if bar.failed > 0 && bar.value > 0 { 2 } else { 0 };
                    @let x = STEP * index + (STEP - BAR) / 2;
                    @if tall > 0 {
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

impl Render for Chart<'_> {
    fn render(&self) -> Markup {
        html! {
            section.stack-2 {
                div.page-head {
                    h2 id={ (self.id) "-title" } { (self.title) }
                    span.row.muted {
                        (Badge::Info(self.legend.0))
                        @if let Some(failed) = self.legend.1 { (Badge::Failed(failed)) }
                    }
                }
                (self.drawing())
                (self.labels())
                details { summary.hint { "Show as table" } (self.numbers()) }
            }
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
