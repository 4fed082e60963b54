//! One invoice, on the screen and on paper. Every instant on it is in UTC, every amount has its currency's code.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{standing, utc_day};
use crate::billing::{self, Invoice, InvoiceLine, Payment, REFERENCE_FIELD, REFERENCE_MAX};
use crate::domain::money::Money;
use crate::domain::month::{Month, Span};
use crate::kit::dates;
use crate::kit::html::button::Button;
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::stats::{self, details};
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::http::form::Form;
use crate::kit::time::{DAY, MINUTE, Timestamp};
use crate::routes::Route;

/// The longest name that is kept in one line, in code points.
const SHORT: usize = 24;

/// The page of an invoice.
#[derive(Debug)]
pub struct Paper<'p> {
    /// The invoice.
    pub invoice: &'p Invoice,
    /// Its lines, in their order.
    pub lines: &'p [InvoiceLine],
    /// Who noted that it was paid, if an account did.
    pub noted_by: Option<&'p str>,
    /// A reference that was typed and could not be taken.
    pub refused: Option<&'p Form>,
    /// The instant of the page.
    pub now: Timestamp,
    /// The token of its forms.
    pub csrf: &'p str,
}

/// All of it.
#[must_use]
pub fn paper(paper: &Paper<'_>) -> Markup {
    let invoice = paper.invoice;
    let title = format!("Invoice {}", invoice.number);
    let csv = Route::InvoiceCsv(invoice.number).to_string();
    let actions = html! {
        (Button::print("Print or save as PDF"))
        (Button::link("CSV", &csv).icon(Icon::Download))
    };
    html! {
        (back("Billing", &Route::Billing.to_string()))
        (page_head(&title, Some(&invoice.month.label()), Some(&actions)))
        p.hint.unscripted { "To keep it as a PDF, print this page with your browser and choose to save it as a file." }
        @if !invoice.issuer.is_empty() { (letterhead(&invoice.issuer)) }
        div.pair.keep {
            (parties(invoice))
            (facts(paper))
        }
        (lines(invoice, paper.lines))
        // On paper the sums and how to pay them stand on one sheet.
        div.stack.keep {
            (totals(invoice, paper.lines))
            @if !invoice.payment.is_empty() {
                section.stack-2 { h2 { "How to pay" } p.lines { (invoice.payment) } }
            }
        }
        @if invoice.paid.is_none() { (mark_as_paid(paper)) }
    }
}

/// Who sends it. The first line is the name.
fn letterhead(issuer: &str) -> Markup {
    let (name, rest) = issuer.split_once('\n').unwrap_or((issuer, ""));
    html! { p.letterhead.lines { b { (name) } "\n" (rest) } }
}

fn parties(invoice: &Invoice) -> Markup {
    html! {
        section.stack-2 {
            h2 { "Bill to" }
            p.lines {
                b { (invoice.bill_to) } "\n"
                "Attn. " (invoice.owner) "\n"
                @if !invoice.address.is_empty() { (invoice.address) "\n" }
                @if !invoice.vat_number.is_empty() { "VAT number " (invoice.vat_number) }
            }
        }
    }
}

fn facts(paper: &Paper<'_>) -> Markup {
    let invoice = paper.invoice;
    let total = invoice.currency.write(invoice.total);
    let mut facts = vec![
        ("Number", html! { (invoice.number) }),
        ("Month", html! { (invoice.month.label()) }),
        ("Issued", html! { (utc_day(invoice.issued_at)) }),
        ("Due", html! { (utc_day(invoice.due_at)) }),
        ("Total", html! { b { (total) } }),
        ("State", standing(invoice, paper.now)),
    ];
    if let Some(paid) = &invoice.paid {
        facts.push(("Payment", payment(paid, paper.noted_by)));
    }
    details(&facts)
}

/// When it was noted, by whom, with which reference.
fn payment(paid: &Payment, noted_by: Option<&str>) -> Markup {
    let by = noted_by.unwrap_or("whoever runs this Portal");
    html! {
        "Noted " (dates::utc(paid.at)) " by " (by)
        @if paid.reference.is_empty() { ", without a reference" } @else { ", reference " (paid.reference) }
    }
}

fn lines(invoice: &Invoice, lines: &[InvoiceLine]) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Resource"),
        Column::new(Cell::Detail, "Kind and plan"),
        Column::new(Cell::Extra, "Account"),
        Column::new(Cell::Extra, "Period (UTC)"),
        Column::new(Cell::Number, "Price a month"),
        Column::new(Cell::Amount, "Amount"),
    ];
    let amount = |amount: Money| html! { span.nowrap { (invoice.currency.write(amount)) } };
    let rows = html! {
        @for line in lines {
            @let when = period(line.span, invoice.month);
            (row(&[
                // A telephone has no room for the columns: what they hold stands under the name.
                (Cell::Main, html! {
                    div.two { (line.resource) small.small-only { (line.account) ", " (when) } }
                }),
                (Cell::Detail, html! { (line.kind) ", " (line.plan) }),
                (Cell::Extra, unbroken(&line.account)),
                (Cell::Extra, html! { (when) }),
                (Cell::Number, amount(line.price)),
                (Cell::Amount, amount(line.amount)),
            ]))
        }
    };
    html! {
        div.break { (Table { caption: "Lines", shape: Shape::Cards, columns: &columns, rows, foot: None }) }
    }
}

/// A name of usual length in one line, so that lines of the invoice are as high as each other.
fn unbroken(name: &str) -> Markup {
    let is_short = name.chars().count() <= SHORT;
    html! { span.nowrap[is_short] { (name) } }
}

/// "1 to 31 Oct" for all of the month; else to the minute, or the second where it matters. Midnight at the end of a day
/// is its 24:00, so that a month ends in itself.
fn period(span: Span, month: Month) -> String {
    let last = dates::zoned(span.until.minus(1), &TimeZone::UTC);
    if span == month.span() {
        return format!("1 to {}", last.strftime("%-d %b"));
    }
    let clock = |instant: Timestamp| {
        let format = if instant.0.rem_euclid(MINUTE) == 0 {
            "%-d %b, %H:%M"
        } else {
            "%-d %b, %H:%M:%S"
        };
        dates::zoned(instant, &TimeZone::UTC)
            .strftime(format)
            .to_string()
    };
    let until = if span.until.0.rem_euclid(DAY) == 0 {
        last.strftime("%-d %b, 24:00").to_string()
    } else {
        clock(span.until)
    };
    format!("{} to {until}", clock(span.from))
}

/// The sums: of each kind where there are several, of all, the tax where there is one.
fn totals(invoice: &Invoice, lines: &[InvoiceLine]) -> Markup {
    let mut kinds: Vec<(&str, Money)> = Vec::new();
    for line in lines {
        match kinds.iter_mut().find(|(kind, _)| *kind == line.kind) {
            Some((_, sum)) => *sum = sum.plus(line.amount),
            None => kinds.push((&line.kind, line.amount)),
        }
    }
    if kinds.len() == 1 {
        kinds.clear();
    }
    let pair = |name: &str, sum: Money| (name.to_owned(), html! { (invoice.currency.write(sum)) });
    let mut pairs: Vec<(String, Markup)> = kinds
        .into_iter()
        .map(|(kind, sum)| pair(kind, sum))
        .collect();
    if invoice.tax_rate > 0 {
        pairs.push(pair("Net", invoice.net));
        let tax = format!("Tax, {}\u{a0}%", billing::percent(invoice.tax_rate));
        pairs.push(pair(&tax, invoice.tax));
    }
    pairs.push(pair("Total", invoice.total));
    stats::totals(&pairs)
}

fn mark_as_paid(paper: &Paper<'_>) -> Markup {
    let number = paper.invoice.number;
    let typed = paper.refused.map(|form| form.typed(REFERENCE_FIELD));
    let error = paper.refused.and_then(|form| form.error(REFERENCE_FIELD));
    let focus = paper.refused.and_then(Form::first_problem);
    let hint = format!(
        "Such as the bank's, to find the payment again. Up to {REFERENCE_MAX} characters; may stay empty."
    );
    let label = format!("Mark {number} as paid");
    let body = html! {
        (Field::text(REFERENCE_FIELD, "Reference").value(typed.unwrap_or_default()).focus(focus.unwrap_or_default())
            .hint(hint).error(error))
        (Button::submit(&label, "Saving…"))
    };
    html! {
        section.stack.narrow.screen-only {
            h2 { "Mark as paid" }
            p { "Once the money is there. It is noted with your name, and cannot be taken back." }
            (post(&Route::PayInvoice(number).to_string(), paper.csrf, &body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This second of October 2026.
    fn october(day: i64, second: i64) -> Timestamp {
        let month: Month = "2026-10".parse().unwrap();
        month.start().plus((day - 1) * DAY + second)
    }

    #[test]
    fn a_period_is_as_exact_as_it_must_be() {
        for (from, until, words) in [
            ((1, 0), (32, 0), "1 to 31 Oct"),
            ((4, 48_000), (32, 0), "4 Oct, 13:20 to 31 Oct, 24:00"),
            ((1, 0), (17, 32_707), "1 Oct, 00:00 to 17 Oct, 09:05:07"),
            ((4, 0), (5, 0), "4 Oct, 00:00 to 4 Oct, 24:00"),
            ((4, 1), (4, 2), "4 Oct, 00:00:01 to 4 Oct, 00:00:02"),
        ] {
            let span = Span {
                from: october(from.0, from.1),
                until: october(until.0, until.1),
            };
            assert_eq!(period(span, "2026-10".parse().unwrap()), words);
        }
    }
}
