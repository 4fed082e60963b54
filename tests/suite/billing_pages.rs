//! The bill in the browser: what it says of the month so far and of those before, invoices and their payment, the budget,
//! and what the organisation decides for its invoices.

use doorward::billing::{self, Terms};
use doorward::domain::id::AccountId;
use doorward::domain::invoice::InvoiceNumber;
use doorward::domain::money::{Currency, Money};
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::{DAY, HOUR, Timestamp};
use doorward::resources;

use crate::answer::between;
use crate::markup::{self, CSS};
use crate::portal::{ORGANISATION, Portal};
use crate::visitor::Visitor;
use crate::wares;

const BEA: &str = "bea@fjord.example";
const ADA: &str = "ada@fjord.example";

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

fn terms() -> Terms {
    Terms {
        issuer: "Nordlys Hosting AS\nStorgata 1\n0155 Oslo".to_owned(),
        payment: "Pay to NO93 8601 1117 947.\nName the number.".to_owned(),
        tax_rate: 2_500,
        due_days: 14,
    }
}

/// Waits until the next month has begun, with the worker at work.
fn turn_the_month(portal: &Portal) {
    let app = portal.app();
    let end = Month::of(app.now()).span().until;
    portal.travel(end.since(app.now()) + HOUR);
    portal.work();
}

/// The owner after a long time, who is asked for no second factor. What mails brought meanwhile is not looked at.
fn back(portal: &Portal) -> Visitor {
    portal.leave_mail();
    portal.tamper("UPDATE policies SET level = 'off'");
    portal.owner()
}

/// The number of the newest invoice.
fn newest(portal: &Portal) -> InvoiceNumber {
    let app = portal.app();
    let invoices = app
        .read(app.now(), |read| {
            Ok(billing::invoices(read, portal.first())?)
        })
        .unwrap();
    invoices[0].number
}

/// What the table of this caption holds, a row each, its cells as people read them; heads, rows and foot.
fn table(page: &str, caption: &str) -> Vec<Vec<String>> {
    let (_, table) = page
        .split_once(&format!("<caption class=\"vh\">{caption}</caption>"))
        .unwrap_or_else(|| panic!("no table {caption}: {page}"));
    let table = table.split("</table>").next().unwrap();
    let rows = table.split("<tr").skip(2);
    rows.map(|row| {
        let cells = row.split("<td").skip(1);
        cells
            .map(|cell| {
                let inside = cell.split_once('>').unwrap().1;
                crate::answer::words(inside.split("</td>").next().unwrap())
            })
            .collect()
    })
    .collect()
}

/// What stands in this column of the rows.
fn amounts(rows: &[Vec<String>], column: usize) -> Vec<Money> {
    let read = |row: &Vec<String>| euro().parse(row[column].trim()).unwrap();
    rows.iter().map(read).collect()
}

/// A table whose foot is the sum of its rows, which are in order; the sum.
#[track_caller]
fn summed(page: &str, caption: &str) -> Money {
    let mut amounts = amounts(&table(page, caption), 3);
    let foot = amounts.pop().unwrap();
    assert_eq!(amounts.iter().copied().sum::<Money>(), foot, "{caption}");
    assert!(amounts.is_sorted_by(|one, next| one >= next), "{caption}");
    foot
}

#[test]
fn the_sums_of_the_page_are_the_sum_of_the_lines() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.travel(7_919);
    let ada = portal.member(Role::Admin, ADA);
    wares::create(&portal, &ada, "web-2", "server/s-2");
    portal.travel(104_729);
    let ada = portal.signed_in(ADA);
    wares::create(&portal, &ada, "db-1", "database/db-1");
    for _ in 0..4 {
        portal.travel(31_337);
        owner = back(&portal);
        owner.get("/billing").answers(200);
        let page = owner.html();
        let shown = between(&page, "November so far</dt><dd class=\"value\">", "</dd>");
        let so_far = euro().parse(shown).unwrap();
        let app = portal.app();
        let charges = app
            .read(app.now(), |read| {
                let month = Month::of(read.now());
                resources::month(read, portal.first(), month, read.now())
            })
            .unwrap();
        assert_eq!(
            so_far,
            charges.iter().map(|charge| charge.amount).sum::<Money>()
        );
        assert!(so_far > Money::ZERO);
        assert_eq!(summed(&page, "This month by account"), so_far);
        assert_eq!(summed(&page, "This month by kind"), so_far);
        // The file for spreadsheets is of the same instant, and of the same lines.
        owner.get("/billing.csv").answers(200);
        let csv = owner.html();
        let lines: Vec<&str> = csv
            .split("\r\n")
            .skip(1)
            .filter(|l| !l.is_empty())
            .collect();
        assert_eq!(lines.len(), charges.len());
        let sum: Money = lines
            .iter()
            .map(|line| euro().parse(line.split(',').rev().nth(1).unwrap()).unwrap())
            .sum();
        assert_eq!(sum, so_far);
    }
}

#[test]
fn twelve_months_stand_in_the_chart_and_the_running_one_is_hatched() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    wares::create(&portal, &owner, "web-1", "server/s-1");
    turn_the_month(&portal);
    turn_the_month(&portal);
    owner = back(&portal);
    owner.get("/billing").answers(200);
    let page = owner.html();
    let rows = table(&page, "Cost by month");
    let labels: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(labels[0], "Feb 2026");
    assert_eq!(labels[11], "Jan 2027");
    assert_eq!(rows.len(), 12);
    assert_eq!(rows[0][1], "€0.00");
    assert_eq!(rows[10][1], "€12.40", "all of December");
    assert!(rows[11][1].ends_with(" so far"), "{rows:?}");
    let november = euro().parse(&rows[9][1]).unwrap();
    let invoices = table(&page, "Invoices");
    let number = &invoices[0][0];
    assert_eq!(number, "INV-2026-002", "{invoices:?}");
    assert_eq!(euro().parse(&invoices[1][2]), Ok(november), "{invoices:?}");
    assert_eq!(page.matches("url(#months-hatch)").count(), 1);
    owner.sees("Whole months").sees("January so far");
}

#[test]
fn a_month_that_is_over_and_not_closed_is_counted_all_the_same() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let began = portal.app().now();
    portal.travel(Month::of(began).span().until.since(began) + HOUR);
    owner = back(&portal);
    owner
        .get("/billing")
        .sees("November 2026 is over. Its invoice is being made, if there is anything to pay.");
    let before = table(&owner.html(), "Cost by month");
    portal.work();
    owner.get("/billing").sees_not("is over.");
    let after = table(&owner.html(), "Cost by month");
    assert_eq!(before[10], after[10]);
    assert_ne!(after[10][1], "€0.00");
}

#[test]
fn nothing_yet_is_said_at_each_step() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut bea = portal.member(Role::Billing, BEA);
    owner
        .get("/billing")
        .answers(200)
        .sees("Sub-accounts share billing with the master account: everything is on one bill, to Fjord Supply.")
        .sees("Whoever runs this Portal imports a catalogue first")
        .sees_not("Budget");
    owner
        .post("/billing/budget", &[("budget", "10")])
        .answers(403)
        .sees("There is no catalogue yet");
    owner.get("/billing.csv").answers(200);
    assert_eq!(owner.html().matches("\r\n").count(), 1, "the heads alone");

    wares::stock(&portal);
    owner
        .get("/billing")
        .sees("The bill begins with the first resource.")
        .sees("Create resource")
        .sees("Budget of a month, in EUR");
    bea.get("/billing")
        .sees("The bill begins with the first resource.")
        .sees_not("Create resource");

    wares::create(&portal, &owner, "web-1", "server/s-1");
    owner
        .get("/billing")
        .sees("The first invoice comes on 1 December.")
        .sees("Next invoice 1 Dec")
        .sees_not("The bill begins");
    let organisation = portal.first().number();
    portal.tamper(&format!(
        "DELETE FROM runs WHERE organisation_id = {organisation}"
    ));
    owner
        .get("/billing")
        .sees("There is no invoice yet: a month in which nothing is to be paid has none.");
}

#[test]
fn who_looks_after_the_bill_sees_what_else_they_may_do() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::resource(&portal, &owner);
    portal.travel(DAY);
    owner = back(&portal);
    let mut admin = portal.member(Role::Admin, ADA);
    let mut bea = portal.member(Role::Billing, BEA);
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    let details = "href=\"/settings#billing\"";
    let account = format!("href=\"/iam/accounts/{}\"", owner.account().id);
    for (visitor, changes, looks) in [
        (&mut owner, true, true),
        (&mut admin, false, true),
        (&mut bea, false, false),
    ] {
        visitor.get("/billing").answers(200).sees("By account");
        let page = visitor.html();
        assert_eq!(page.contains(details), changes, "{}", visitor.email);
        assert_eq!(page.contains(&account), looks, "{}", visitor.email);
    }
    let number = "INV-2026-001";
    for path in [
        "/billing".to_owned(),
        "/billing.csv".to_owned(),
        format!("/billing/invoices/{number}"),
        format!("/billing/invoices/{number}.csv"),
    ] {
        mia.get(path).answers(403).sees("Manage billing");
    }
    for path in ["INV-2026-001", "INV-2026-001.csv", "INV-9999-123456789"] {
        owner.get(format!("/billing/invoices/{path}")).answers(404);
    }
}

#[test]
fn an_invoice_says_all_that_it_must() {
    let portal = Portal::start();
    portal.restart(|settings, _| settings.billing = terms());
    let mut owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    wares::create(&portal, &owner, "db-1", "database/db-1");
    let details = ["Havnegata 7\r\n7010 Trondheim", "NO 123 456 789 MVA"];
    general(&mut owner, details).answers(303);
    turn_the_month(&portal);
    portal.travel(DAY);
    turn_the_month(&portal);
    owner = back(&portal);
    let number = newest(&portal);
    assert_eq!(number.to_string(), "INV-2026-002");
    owner
        .get(format!("/billing/invoices/{number}"))
        .answers(200)
        .sees("Invoice INV-2026-002")
        .sees("Nordlys Hosting AS Storgata 1 0155 Oslo")
        .sees("Bill to Fjord Supply Attn. Olivia Berg Havnegata 7 7010 Trondheim VAT number NO 123 456 789 MVA")
        .sees("Month December 2026")
        .sees("Issued 1 Jan 2027")
        .sees("Due 15 Jan 2027")
        .sees("web-1")
        .sees("Server, 1 core, 2 GB Olivia Berg 1 to 31 Dec 12.40 EUR 12.40 EUR")
        .sees("Server 12.40 EUR Database 88.00 EUR Net 100.40 EUR Tax, 25 % 25.10 EUR Total 125.50 EUR")
        .sees("Pay to NO93 8601 1117 947. Name the number.")
        .sees("Open Due 15 Jan 2027");
    // The first month began in its middle, and says from when.
    owner
        .get("/billing/invoices/INV-2026-001")
        .sees("24 Nov, 13:")
        .sees(" to 30 Nov, 24:00");
    owner.get("/billing").sees("before tax");
    let invoices = table(&owner.html(), "Invoices");
    assert_eq!(invoices[0][2], "€125.50", "{invoices:?}");
    let months = table(&owner.html(), "Cost by month, before tax");
    assert_eq!(months[10][1], "€100.40", "{months:?}");

    owner.get(format!("/billing/invoices/{number}.csv"));
    owner.answers(200);
    let saved = owner.header("Content-Disposition").unwrap();
    assert_eq!(saved, "attachment; filename=\"INV-2026-002.csv\"");
    let csv = owner.html();
    assert!(csv.contains("2026-12,INV-2026-002,web-1,"), "{csv}");
    let period = "2026-12-01T00:00:00Z,2027-01-01T00:00:00Z,12.40,12.40,EUR\r\n";
    assert!(csv.contains(period), "{csv}");
}

#[test]
fn without_a_tax_or_terms_nothing_is_said_of_them() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let number = wares::invoice(&portal, &owner);
    owner
        .get(format!("/billing/invoices/{number}"))
        .answers(200)
        .sees("Total 12.40 EUR")
        .sees_not("Tax")
        .sees_not("Net")
        .sees_not("VAT")
        .sees_not("How to pay");
    assert!(!owner.html().contains("letterhead"));
    owner.get("/billing").sees_not("before tax");
}

#[test]
fn an_invoice_stands_as_the_time_says_until_it_is_paid() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let number = wares::invoice(&portal, &owner);
    let path = format!("/billing/invoices/{number}");
    owner.get("/billing").sees("Open Due 8 Dec 2026");
    // It is due until the end of that day.
    let app = portal.app();
    let end = Timestamp(app.now().0.div_euclid(DAY) * DAY).plus(15 * DAY);
    portal.travel(end.since(app.now()) - HOUR);
    owner = back(&portal);
    owner.get(&path).sees("Open Due 8 Dec 2026");
    portal.travel(HOUR);
    owner.get(&path).sees("Overdue It was due 8 Dec 2026");
    owner.get("/billing").sees("Overdue It was due 8 Dec 2026");

    let pay = format!("{path}/paid");
    let long = "9".repeat(101);
    owner
        .post(&pay, &[("reference", &long)])
        .answers(422)
        .sees("At most 100 characters.");
    assert!(owner.html().contains(&format!("value=\"{long}\"")));
    assert!(owner.html().contains("<title>Error: "));
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM payments"), [0]);
    owner
        .post(&pay, &[("reference", "Bank 2026/12 <b>")])
        .answers(303)
        .goes_to(&path)
        .follow()
        .sees(&format!("{number} is marked as paid."))
        .sees("Paid 9 Dec 2026")
        .sees("by Olivia Berg, reference Bank 2026/12 <b>")
        .sees_not("Mark as paid");
    // What was typed stands where it can be erased, and not among the facts, which are logged.
    let facts = "SELECT details FROM audit_events WHERE action = 'invoice.paid'";
    assert!(!portal.ask::<String>(facts)[0].contains("2026/12"));
    let typed = "SELECT text FROM audit_texts WHERE text LIKE '%2026/12%'";
    assert_eq!(portal.ask::<String>(typed), ["Bank 2026/12 <b>"]);
    owner
        .get("/billing")
        .sees("Paid 9 Dec 2026")
        .sees_not("Overdue");
    owner
        .post(&pay, &[("reference", "again")])
        .answers(403)
        .sees("is marked as paid already");
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM payments"), [1]);
}

#[test]
fn many_invoices_can_be_narrowed_to_those_to_pay() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::resource(&portal, &owner);
    for _ in 0..13 {
        turn_the_month(&portal);
    }
    portal.leave_mail();
    owner = back(&portal);
    owner.get("/billing").sees("All 13").sees("To pay 13");
    let rows = table(&owner.html(), "Invoices");
    // A heading for each year, and a line for each invoice.
    assert_eq!(rows.len(), 15, "{rows:?}");
    let number = newest(&portal);
    owner
        .post(
            format!("/billing/invoices/{number}/paid"),
            &[("reference", "")],
        )
        .answers(303);
    owner
        .get("/billing?invoices=open")
        .sees("All 13")
        .sees("To pay 12");
    assert!(!owner.html().contains(&format!("invoices/{number}\"")));
    owner
        .get("/billing?invoices=closed")
        .sees(&number.to_string());
    portal.tamper(
        "INSERT INTO payments (organisation_id, year, number, paid_at, reference)
         SELECT organisation_id, year, number, issued_at, '' FROM invoices WHERE true ON CONFLICT DO NOTHING",
    );
    owner
        .get("/billing?invoices=open")
        .sees("Nothing is left to pay. Show all invoices.");
    owner.get("/billing").sees_not("To pay");
}

#[test]
fn a_budget_is_set_shown_and_taken_away() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member(Role::Billing, BEA);
    wares::stock(&portal);
    for number in 0..10 {
        wares::create(&portal, &owner, &format!("db-{number}"), "database/db-1");
    }
    portal.travel(3 * DAY);
    owner = back(&portal);
    owner
        .get("/billing")
        .sees("BEA Vik and Olivia Berg get a mail when 50, 80 and 100 % of it are spent, once each a month.");
    assert!(!owner.html().contains("#budget"), "no tile without one");
    for (typed, why) in [
        ("0", "Write an amount above zero"),
        ("-5", "Write an amount like 1470.00."),
        ("1.005", "Write an amount like 1470.00."),
        ("99999999999999", "Write an amount above zero"),
    ] {
        owner
            .post("/billing/budget", &[("budget", typed)])
            .answers(422)
            .sees(why);
        assert!(owner.html().contains(&format!("value=\"{typed}\"")));
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM billing"), [0]);
    owner
        .post("/billing/budget", &[("budget", "€1,470")])
        .answers(303)
        .goes_to("/billing")
        .follow()
        .sees("The budget of a month is now €1,470.00.");
    assert!(owner.html().contains("value=\"1,470.00\""));
    owner
        .post("/billing/budget", &[("budget", "1470.00")])
        .follow()
        .sees("Nothing to save: it is so already.");

    // 880 a month: after three days of thirty 88 are spent, and a little more.
    for (budget, percent, words, class) in [
        ("8800", "1", " of €8,800.00", "sub"),
        ("105", "83", " of €105.00, nearly spent", "sub warn"),
        ("88", "100", " of €88.00, spent", "sub bad"),
        ("44", "200", " of €44.00, overspent", "sub bad"),
    ] {
        owner
            .post("/billing/budget", &[("budget", budget)])
            .answers(303)
            .follow()
            .sees(words);
        let page = owner.html();
        let tile = between(&page, "Budget</a></dt>", "</div>");
        assert!(
            tile.starts_with(&format!("<dd class=\"value\">{percent}\u{a0}%</dd>")),
            "{tile}"
        );
        assert!(tile.contains(&format!("class=\"{class}\"")), "{tile}");
    }
    owner
        .post("/billing/budget", &[("budget", "")])
        .follow()
        .sees("There is no budget any more.");
    assert!(!owner.html().contains("#budget"));
}

#[test]
fn names_are_words_and_never_markup_or_formulas() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "=<b>1</b>", "server/s-1");
    let id = owner.account().id.number();
    portal.tamper(&format!(
        "UPDATE accounts SET name = '<i>Olivia</i> & Co' WHERE id = {id}"
    ));
    let details = ["<script>alert(1)</script>\nA & B", "\"><u>"];
    general(&mut owner, details).answers(303);
    turn_the_month(&portal);
    portal.travel(DAY);
    owner = back(&portal);
    let number = newest(&portal);
    for path in ["/billing".to_owned(), format!("/billing/invoices/{number}")] {
        owner.get(&path).answers(200);
        let page = owner.html();
        for raw in ["<b>1", "<i>Olivia", "<script>alert", "<u>"] {
            assert!(!page.contains(raw), "{raw} on {path}");
        }
        assert!(page.contains("&lt;i&gt;Olivia"), "{path}");
        assert_eq!(markup::problems(&page), Vec::<String>::new());
    }
    for path in [
        "/billing.csv".to_owned(),
        format!("/billing/invoices/{number}.csv"),
    ] {
        owner.get(&path).answers(200);
        let csv = owner.html();
        assert!(csv.contains(",'=<b>1</b>,"), "{csv}");
    }
}

#[test]
fn whoever_was_deleted_keeps_their_name_on_the_bill() {
    let portal = Portal::start();
    let ada = portal.member(Role::Admin, ADA);
    wares::stock(&portal);
    wares::create(&portal, &ada, "web-1", "server/s-1");
    portal.travel(DAY);
    let mut owner = back(&portal);
    let id = ada.account().id;
    owner
        .post(format!("/iam/accounts/{id}/delete"), &[("email", ADA)])
        .answers(303);
    owner.get("/billing").sees("ADA Vik");
    let link = format!("/iam/accounts/{id}\"");
    assert!(!owner.html().contains(&link), "there is nothing to open");
}

#[test]
fn of_many_accounts_the_largest_are_named_and_the_rest_summed() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::resource(&portal, &owner);
    let organisation = portal.first().number();
    // Twelve more, who hold one each.
    for number in 0..12 {
        let email = format!("p{number}@fjord.example");
        let id = portal.invite(&owner, Role::Member, &email).number();
        let resource = wares::resource(&portal, &owner).number();
        portal.tamper(&format!(
            "UPDATE accounts SET name = 'Person {number}' WHERE id = {id};
             UPDATE resources SET holder_id = {id} WHERE id = {resource};
             UPDATE runs SET holder_id = {id} WHERE resource_id = {resource} AND organisation_id = {organisation};"
        ));
    }
    portal.leave_mail();
    portal.travel(DAY);
    owner = back(&portal);
    owner.get("/billing").answers(200).sees("3 other accounts");
    let rows = table(&owner.html(), "This month by account");
    assert_eq!(rows.len(), 12, "{rows:?}");
    let mut amounts = amounts(&rows, 3);
    let foot = amounts.pop().unwrap();
    assert_eq!(amounts.into_iter().sum::<Money>(), foot);
}

/// What stands of the organisation on invoices; its name and time zone stay.
fn general<'v>(visitor: &'v mut Visitor, [address, vat_number]: [&str; 2]) -> &'v mut Visitor {
    let fields = [
        ("organisation", ORGANISATION),
        ("address", address),
        ("vat_number", vat_number),
        ("timezone", "Europe/Oslo"),
    ];
    visitor.post("/settings/general", &fields)
}

fn contact<'v>(visitor: &'v mut Visitor, contact: &str) -> &'v mut Visitor {
    visitor.post("/settings/billing", &[("contact", contact)])
}

#[test]
fn billing_details_are_saved_in_the_settings() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let bea = portal.member(Role::Billing, BEA);
    let mia = portal.member(Role::Member, "mia@fjord.example");
    let chosen = bea.account().id.to_string();
    owner.get("/settings").answers(200).sees("Billing contact");
    assert!(
        owner
            .html()
            .contains("<option value=\"\" selected>The owner (Olivia Berg)</option>")
    );
    general(
        &mut owner,
        [" Havnegata 7 \r\n7010 Trondheim\r\n", " NO 1 "],
    )
    .answers(303)
    .goes_to("/settings")
    .follow()
    .sees("Address and VAT number are saved. They stand on every invoice from the next on.");
    contact(&mut owner, &chosen)
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("The billing contact is saved: invoices go there from the next on.");
    let all = "SELECT address || '|' || vat_number || '|' || (contact_id IS NOT NULL) FROM billing";
    // Neither form takes away what stands in the other.
    assert_eq!(
        portal.ask::<String>(all),
        ["Havnegata 7 \n7010 Trondheim|NO 1|1"]
    );
    let selected = format!("<option value=\"{chosen}\" selected>BEA Vik, Billing</option>");
    assert!(owner.html().contains(&selected), "{}", owner.html());
    general(&mut owner, ["Havnegata 7 \n7010 Trondheim", "NO 1"])
        .follow()
        .sees("Nothing to save: it is so already.");
    contact(&mut owner, &chosen)
        .follow()
        .sees("Nothing to save: it is so already.");
    // Nor does a name that is sent alone.
    let name = [("organisation", ORGANISATION), ("timezone", "Europe/Oslo")];
    owner
        .post("/settings/general", &name)
        .follow()
        .sees("Nothing to save: it is so already.");

    // What cannot be taken is kept, and says why.
    let long = "x".repeat(501);
    general(&mut owner, [&long, &"1".repeat(41)])
        .answers(422)
        .sees("At most 500 characters.")
        .sees("At most 40 characters.");
    assert!(owner.html().contains(&long));
    contact(&mut owner, &mia.account().id.to_string())
        .answers(422)
        .sees("Invoices go to an Active account that manages billing. Choose another.");
    general(&mut owner, ["a\u{7}b", ""])
        .answers(422)
        .sees("This holds characters that cannot be seen.");
    contact(&mut owner, "nobody").answers(400);
    let stranger: AccountId = "acc_bbbbbbbbbbbbb".parse().unwrap();
    contact(&mut owner, &stranger.to_string()).answers(422);
    let other = portal.organisation("Other Works").account().id;
    contact(&mut owner, &other.to_string()).answers(422);
    assert_eq!(
        portal.ask::<String>(all),
        ["Havnegata 7 \n7010 Trondheim|NO 1|1"]
    );
    let changed = portal.audit(Some(portal.first()));
    let changed = changed
        .iter()
        .filter(|one| one.action == "billing.details_changed");
    assert_eq!(changed.count(), 2);
}

#[test]
fn a_contact_that_may_not_any_more_is_told_of() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let bea = portal.member(Role::Billing, BEA);
    let id = bea.account().id;
    contact(&mut owner, &id.to_string()).answers(303);
    owner.get("/settings").sees_not("Until you choose another");
    owner
        .post(format!("/iam/accounts/{id}/role"), &[("role", "member")])
        .answers(303);
    owner.get("/settings").sees(
        "BEA Vik does not manage billing any more. Until you choose another, invoices go to the owner, Olivia Berg.",
    );
    // Another address alone leaves the choice as it is, and so does saving it once more.
    general(&mut owner, ["Havnegata 8", ""]).answers(303);
    contact(&mut owner, &id.to_string()).answers(303);
    owner
        .post(format!("/iam/accounts/{id}/disable"), &[])
        .answers(303);
    owner.get("/settings").sees("BEA Vik is disabled. Until");
    owner
        .post(format!("/iam/accounts/{id}/delete"), &[("email", BEA)])
        .answers(303);
    owner.get("/settings").sees("is deleted. Until");
    contact(&mut owner, "").answers(303);
    owner.get("/settings").sees_not("Until you choose another");
    contact(&mut owner, &id.to_string()).answers(422);
}

#[test]
fn a_form_with_more_than_ours_does_nothing() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let number = wares::invoice(&portal, &owner);
    for path in [
        "/billing/budget".to_owned(),
        format!("/billing/invoices/{number}/paid"),
        "/settings/billing".to_owned(),
    ] {
        let draft = owner.draft(Method::Post, &path).proven();
        draft.field("more", "than ours").send();
        owner.answers(400);
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM payments"), [0]);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM billing"), [0]);
}

#[test]
fn on_paper_stands_the_invoice_alone() {
    let portal = Portal::start();
    portal.restart(|settings, _| settings.billing = terms());
    let mut owner = portal.owner();
    let number = wares::invoice(&portal, &owner);
    owner
        .get(format!("/billing/invoices/{number}"))
        .answers(200);
    let (elements, _) = markup::parse(&owner.html());
    let print = CSS.split("@layer print {").nth(1).unwrap();
    let hidden = between(print, ".side,", "{ display: none !important }");
    assert!(print.contains("thead { display: table-header-group }"));
    assert!(print.contains("@page { margin: 18mm;"));
    for class in [".screen-only", ".back", ".btn", ".unscripted"] {
        assert!(hidden.contains(class), "{class} in {hidden}");
    }
    // Every form of the page itself stands in a part that is left out.
    let main = elements.iter().position(|one| one.name == "main").unwrap();
    let forms = elements
        .iter()
        .filter(|one| one.name == "form" && one.around.contains(&main));
    let mut count = 0;
    for form in forms {
        count += 1;
        let is_left_out = form.around.iter().any(|index| {
            let class = elements[*index].get("class").unwrap_or_default();
            class.split(' ').any(|class| class == "screen-only")
        });
        assert!(is_left_out, "{}", form.shown());
    }
    assert_eq!(count, 1);
}
