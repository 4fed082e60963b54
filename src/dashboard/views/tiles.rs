//! The numbers at the top, each a link to what stands behind it: four at most, and another only when it wants something.

use maud::{Markup, html};

use super::{Bill, Costs, Dashboard, Numbers, Own, Running, accounts_with, counted};
use crate::kit::html::stats::{Stat, stats};
use crate::kit::html::{Tone, Yes};
use crate::routes::Route;

/// One number, with its words.
struct Tile {
    label: String,
    value: String,
    note: Option<(Tone, String)>,
    href: String,
}

impl Tile {
    fn new(label: impl Into<String>, value: impl ToString, href: impl ToString) -> Self {
        Self {
            label: label.into(),
            value: value.to_string(),
            note: None,
            href: href.to_string(),
        }
    }

    fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: Some((Tone::Plain, note.into())),
            ..self
        }
    }

    /// The same, when something is to be done about it.
    fn warn(self, note: impl Into<String>) -> Self {
        Self {
            note: Some((Tone::Warn, note.into())),
            ..self
        }
    }
}

/// For those who run the place its people first, for those who pay for it the money, for everybody else what is theirs.
pub(super) fn tiles(page: &Dashboard<'_>) -> Markup {
    let is_short = page.running.is_some().into();
    let mut tiles = Vec::new();
    match (page.numbers, page.bill) {
        (Some(numbers), bill) => {
            tiles.extend(of_people(numbers, is_short));
            tiles.extend(page.running.map(running));
            tiles.extend(bill.map(|bill| month(&bill.costs, Route::Billing.to_string())));
            tiles.extend(of_mail(numbers, is_short));
        }
        (None, Some(bill)) => {
            tiles.extend(of_money(bill));
            tiles.extend(page.running.map(running));
        }
        (None, None) => tiles.extend(page.own.into_iter().flat_map(own)),
    }
    let tiles: Vec<Stat<'_>> = tiles
        .iter()
        .map(|tile| Stat {
            label: &tile.label,
            value: &tile.value,
            note: tile
                .note
                .as_ref()
                .map(|(tone, note)| (*tone, note.as_str())),
            href: Some(&tile.href),
        })
        .collect();
    html! { @if !tiles.is_empty() { (stats(&tiles)) } }
}

fn of_people(numbers: &Numbers, is_short: Yes) -> Vec<Tile> {
    let accounts = numbers.accounts;
    let expired = counted(numbers.expired, "link expired", "links expired");
    let split = format!("{} active, {} pending", accounts.active, accounts.pending);
    let all = Tile::new("Accounts", accounts.all(), Route::Accounts);
    let all = if is_short == Yes::Yes && numbers.expired > 0 {
        all.warn(format!("{split}, {expired}"))
    } else {
        all.note(split)
    };
    // Rounded down: only all are 100 %.
    let with = (accounts.active - accounts.unprotected) * 100;
    let protected = format!("{}%", with / accounts.active.max(1));
    let filter = if accounts.unprotected > 0 {
        "off"
    } else {
        "on"
    };
    let two_factor = Tile::new(
        "Two-factor",
        protected,
        format!("{}?two_factor={filter}", Route::Accounts),
    );
    let two_factor = if accounts.unprotected > 0 {
        two_factor.warn(counted(
            accounts.unprotected,
            "account without",
            "accounts without",
        ))
    } else {
        two_factor
    };
    let mut tiles = vec![all, two_factor];
    if is_short == Yes::No {
        let pending = Tile::new("Pending", accounts.pending, accounts_with("pending"));
        tiles.push(if numbers.expired > 0 {
            pending.warn(expired)
        } else {
            pending
        });
    }
    tiles
}

/// Where there are four numbers already, only when some of it failed.
fn of_mail(numbers: &Numbers, is_short: Yes) -> Option<Tile> {
    let mail = numbers.mail?;
    let split = format!("{} waiting, {} failed", mail.waiting, mail.failed);
    let tile = Tile::new("Mail to be sent", mail.waiting + mail.failed, Route::Mail);
    match mail.failed {
        0 => (is_short == Yes::No).then(|| tile.note(split)),
        _ => Some(tile.warn(split)),
    }
}

fn running(running: &Running) -> Tile {
    let tile = Tile::new("Resources", running.count, Route::Resources);
    if running.added > 0 {
        tile.note(format!("{} added this week", running.added))
    } else {
        tile
    }
}

fn month(costs: &Costs, href: String) -> Tile {
    let show = |amount| costs.currency.show(amount);
    Tile::new(
        format!("{} so far", costs.month.name()),
        show(costs.so_far),
        href,
    )
    .note(format!("{} expected", show(costs.expected)))
}

fn of_money(bill: &Bill) -> Vec<Tile> {
    let currency = bill.costs.currency;
    let mut tiles = vec![month(&bill.costs, Route::Billing.to_string())];
    if let Some(budget) = bill.budget {
        // Rounded down: only all of it is 100 %.
        let percent = i128::from(bill.costs.so_far.0) * 100 / i128::from(budget.0.max(1));
        let tile = Tile::new("Budget spent", format!("{percent}%"), Route::Billing);
        let of = format!("of {}", currency.show(budget));
        tiles.push(if percent < 80 {
            tile.note(of)
        } else {
            tile.warn(of)
        });
    }
    let unpaid = Tile::new(
        "Unpaid invoices",
        bill.open,
        format!("{}#invoices", Route::Billing),
    );
    let owed = format!("{} to pay", currency.show(bill.owed));
    tiles.push(match (bill.open, bill.overdue.len()) {
        (0, _) => unpaid,
        (_, 0) => unpaid.note(owed),
        (_, overdue) => unpaid.warn(format!("{owed}, {overdue} overdue")),
    });
    tiles
}

fn own(own: &Own) -> Vec<Tile> {
    let href = format!("{}?account={}", Route::Resources, own.account);
    let mut tiles = vec![Tile::new("Your resources", own.count, &href)];
    if own.count > 0 || own.costs.expected.0 > 0 {
        tiles.push(month(&own.costs, href));
    }
    tiles
}
