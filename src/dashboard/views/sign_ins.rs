//! How often people signed in: bars by day, and the numbers.

use maud::{Markup, html};

use super::{Dashboard, Whose};
use crate::kit::dates;
use crate::kit::html::chart::{Bar, Chart};

/// The sign-ins of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIns {
    /// Of whom.
    pub whose: Whose,
    /// Each day, oldest first; the last is today.
    pub days: Vec<Day>,
}

/// One day on the wall clock of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// How often somebody came in.
    pub succeeded: i64,
    /// How often somebody did not.
    pub failed: i64,
}

pub(super) fn chart(page: &Dashboard<'_>) -> Markup {
    let days = &page.sign_ins.days;
    let ago: Vec<i32> = (0..).take(days.len()).collect();
    let labels: Vec<String> = ago
        .iter()
        .rev()
        .map(|ago| match ago {
            0 => "Today".to_owned(),
            ago => dates::day_before(*ago, page.now, page.zone),
        })
        .collect();
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    let bars: Vec<Bar<'_>> = days
        .iter()
        .zip(&labels)
        .map(|(day, label)| Bar {
            label,
            value: count(day.succeeded),
            failed: count(day.failed),
            text: "",
        })
        .collect();
    let sum = |of: fn(&Day) -> i64| days.iter().map(of).sum::<i64>();
    let succeeded = format!("{} signed in", sum(|day| day.succeeded));
    let failed = match sum(|day| day.failed) {
        0 => None,
        failed => Some(format!("{failed} failed")),
    };
    let title = match page.sign_ins.whose {
        Whose::Organisation => format!("Sign-ins, last {} days", days.len()),
        Whose::Own => format!("Your sign-ins, last {} days", days.len()),
    };
    html! {
        div.stack-2 {
            (Chart {
                id: "sign-ins",
                title: &title,
                legend: (&succeeded, failed.as_deref()),
                heads: ("Day", "Signed in", Some("Failed")),
                bars: &bars,
            })
            p.hint {
                "Days" @if let Some(zone) = page.zone.iana_name() { " of " (zone) }
                ". Failed: a wrong password or code, or a try that had to wait."
            }
        }
    }
}
