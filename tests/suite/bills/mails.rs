//! What the mails about the bill say: an invoice to its contact, a budget to those who look after it.

use doorward::billing;
use doorward::domain::money::Money;
use doorward::kit::mail::Message;
use doorward::kit::time::DAY;
use doorward::scope::Allowed;

use super::{invoices, turn_the_month};
use crate::mail::{Kind, assert_links, newest, says};
use crate::portal::{OWNER, Portal};
use crate::wares;

/// A portal whose operator has decided everything about invoices, with a server and a database in December.
fn decided() -> Portal {
    let portal = Portal::build()
        .settings(|settings| {
            settings.billing.issuer = "Halden Hosting AS\nStorgata 5".to_owned();
            settings.billing.payment = "Bank transfer to NO93 8601\n\nWith the <number>".to_owned();
            settings.billing.tax_rate = 810;
            settings.billing.due_days = 10;
        })
        .start();
    let owner = portal.owner();
    wares::stock(&portal);
    turn_the_month(&portal);
    portal.work();
    let mut owner = owner.elsewhere();
    owner.sign_in();
    wares::create(&portal, &owner, "web-1", "server/s-1");
    wares::create(&portal, &owner, "web-2", "server/s-2");
    wares::create(&portal, &owner, "db-1", "database/db-1");
    portal.work();
    portal
}

/// The fact of this name in both parts.
#[track_caller]
fn states(mail: &Message, name: &str, value: &str) {
    let line = |line: &&str| {
        line.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| rest.trim() == value)
    };
    assert!(
        mail.text.lines().any(|one| line(&one)),
        "{name}: {value} is not in\n{}",
        mail.text
    );
    let fact = format!("{name}: <b>{value}</b>");
    assert!(mail.html.contains(&fact), "{fact}\n{}", mail.html);
}

/// The one link that it has.
#[track_caller]
fn leads_to(mail: &Message, link: &str) {
    assert_links(mail, Kind::Other);
    assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
}

#[test]
fn an_invoice_says_how_much_for_what_until_when_and_how_to_pay() {
    let portal = decided();
    turn_the_month(&portal);
    portal.work();
    let mail = newest(&portal, OWNER);
    let invoice = &invoices(&portal, portal.first())[0];
    // 12.40 + 24.80 + 88.00, and 8.1 % of them: 10.1412.
    assert_eq!(invoice.net, Money(12_520));
    assert_eq!(invoice.tax, Money(1_014));
    assert_eq!(mail.subject, "Invoice INV-2026-001, €135.34");
    says(
        &mail,
        &[
            "The invoice of Halden Hosting AS for December 2026 comes to 135.34 EUR. Please pay it by Monday 11 January 2027.",
            "How to pay: Bank transfer to NO93 8601 With the <number>",
            "You get this as the owner of Fjord Supply. A billing contact can be chosen in Settings.",
        ],
    );
    for (name, value) in [
        ("Number", "INV-2026-001"),
        ("Month", "December 2026"),
        ("Billed to", "Fjord Supply"),
        ("Server", "37.20\u{a0}EUR"),
        ("Database", "88.00\u{a0}EUR"),
        ("Sum", "125.20\u{a0}EUR"),
        ("Tax 8.1 %", "10.14\u{a0}EUR"),
        ("Total", "135.34\u{a0}EUR"),
        ("Due", "Monday 11 January 2027"),
    ] {
        states(&mail, name, value);
    }
    assert!(
        mail.text
            .contains("Bank transfer to NO93 8601\n\nWith the <number>\n")
    );
    assert!(
        mail.html
            .contains("Bank transfer to NO93 8601<br><br>With the &lt;number&gt;")
    );
    leads_to(
        &mail,
        "https://portal.example.com/billing/invoices/INV-2026-001",
    );
}

#[test]
fn an_invoice_that_was_paid_before_its_mail_could_leave_asks_for_nothing() {
    let portal = decided();
    turn_the_month(&portal);
    let app = portal.app();
    app.housekeep(app.now(), |tx| {
        billing::close_next(tx, &doorward::scope::By::system(), &app.settings.billing)
    })
    .unwrap()
    .unwrap();
    let number = invoices(&portal, portal.first())[0].number;
    let by = Allowed::operator(portal.first());
    app.write(app.now(), |tx| billing::mark_paid(tx, &by, number, "RE-1"))
        .unwrap();
    portal.work();
    let mail = newest(&portal, OWNER);
    says(
        &mail,
        &["It was marked as paid on Friday 1 January 2027: there is nothing left to do."],
    );
    assert!(!mail.text.contains("Please pay") && !mail.text.contains("How to pay"));
}

#[test]
fn an_invoice_without_tax_has_no_line_of_it() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    turn_the_month(&portal);
    portal.work();
    let mail = newest(&portal, OWNER);
    assert!(
        !mail.text.contains("Tax") && !mail.text.contains("Sum"),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains("How to pay"));
}

#[test]
fn a_budget_says_what_is_spent_and_what_is_to_be_expected() {
    let portal = decided();
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    app.write_if(app.now(), |tx| {
        billing::set_budget(tx, &by, Some(Money(10_000)))
    })
    .unwrap();
    portal.travel(13 * DAY);
    portal.work();
    let mail = newest(&portal, OWNER);
    assert_eq!(
        mail.subject,
        "50 % of December's budget is spent at Fjord Supply"
    );
    let spent = app
        .read(app.now(), |read| billing::so_far(read, portal.first()))
        .unwrap();
    let shown = format!("€{}.{:02}", spent.0 / 100, spent.0 % 100);
    says(
        &mail,
        &[
            &format!(
                "Fjord Supply has spent {shown} of the €100.00 that it set for December 2026."
            ),
            "If everything goes on as it is, the month comes to €125.20: €25.20 more than the budget.",
            "Nothing is switched off by it: the budget is a mark, not a limit.",
            "All amounts are before tax.",
            "You get this because you manage the billing of Fjord Supply.",
        ],
    );
    states(&mail, "Expected", "125.20\u{a0}EUR");
    states(&mail, "Budget", "100.00\u{a0}EUR");
    leads_to(&mail, "https://portal.example.com/billing");
    portal.travel(14 * DAY);
    portal.work();
    let mail = newest(&portal, OWNER);
    assert_eq!(mail.subject, "December's budget is spent at Fjord Supply");
}
