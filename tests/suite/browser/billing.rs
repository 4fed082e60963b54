//! The bill in a browser: every page and state looked at as [`super::tour`] looks at the others, and invoices on paper.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::looker::Tour;
use super::steps::{ADMIN, BILLING, MASTER, MEMBER, fill, go_on};
use crate::process::{Doorward, Launch};
use crate::webdriver::Browser;

/// What invoices are printed on: width and height in centimetres.
const PAPERS: [(&str, (f64, f64)); 2] = [("a4", (21.0, 29.7)), ("letter", (21.59, 27.94))];

#[test]
fn every_page_of_the_bill_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_the_bill_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("bill", "/billing", 200);
    browser.find_words("summary", "Show as table").click();
    tour.look("bill-as-table");
    tour.see("bill-to-pay", "/billing?invoices=open", 200);
    let newest = newest(&tour);
    let pay = format!("Mark {} as paid", newest.rsplit('/').next().unwrap());
    tour.see("invoice", &newest, 200);
    fill(&browser, "reference", &"9".repeat(101));
    go_on(&browser, &pay);
    tour.stop("invoice-wrong", 422);
    fill(&browser, "reference", "Bank 2026-12-03/7");
    go_on(&browser, &pay);
    tour.stop("invoice-paid", 200);
    tour.see("invoice-unknown", "/billing/invoices/INV-1999-001", 404);

    tour.go("/billing");
    fill(&browser, "budget", "a lot");
    go_on(&browser, "Save budget");
    tour.stop("budget-wrong", 422);
    fill(&browser, "budget", "10");
    go_on(&browser, "Save budget");
    tour.stop("budget-overspent", 200);
    fill(&browser, "budget", "");
    go_on(&browser, "Save budget");
    tour.stop("budget-none", 200);

    tour.see("settings", "/settings", 200);
    fill(&browser, "vat_number", &"9".repeat(41));
    go_on(&browser, "Save general settings");
    tour.stop("settings-wrong", 422);

    tour.sign_in(BILLING);
    tour.see("billing-bill", "/billing", 200);
    tour.sign_in(ADMIN);
    tour.see("admin-bill", "/billing", 200);
    tour.sign_in(MEMBER);
    tour.see("member-bill", "/billing", 403);
    tour.end();
}

/// The path of the newest invoice.
fn newest(tour: &Tour<'_>) -> String {
    tour.go("/billing");
    let link = tour.browser.find("#invoices .c-main a");
    tour.path(link.property("href").as_str().unwrap())
}

#[test]
fn an_invoice_goes_on_paper() {
    let Some(browser) = Browser::open("an_invoice_goes_on_paper") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    let newest = newest(&tour);
    let long = lengthen(&doorward);
    // Paper is white, whatever the screen was.
    browser.prefer(&[("prefers-color-scheme", "dark")]);
    for (name, size) in PAPERS {
        tour.go(&newest);
        let short = browser.print_on(&format!("invoice-{name}"), size);
        let pages = pages(&short);
        assert!((1..=3).contains(&pages.len()), "{pages:#?}");
        says(&pages, &["Bill to", "Price a month", "Total", "How to pay"]);
        for screen in [
            "Mark as paid",
            "Skip to",
            "Dashboard",
            "http",
            "CSV",
            "Print or",
        ] {
            assert!(!pages.concat().contains(screen), "{screen}: {pages:#?}");
        }

        tour.go(&long);
        let printed = browser.print_on(&format!("long-{name}"), size);
        let pages = self::pages(&printed);
        assert!((15..=45).contains(&pages.len()), "{} pages", pages.len());
        let whole = pages.concat();
        for number in [1, 500, 1_000] {
            let name = format!("machine-{number:04}");
            assert_eq!(whole.matches(&name).count(), 1, "{name}");
        }
        // Every page that has lines has their heads.
        for page in pages.iter().filter(|page| page.contains("machine-")) {
            assert!(page.contains("Price a month"), "{page}");
        }
        tour.go("/billing");
        browser.print_on(&format!("bill-{name}"), size);
    }
}

#[track_caller]
fn says(pages: &[String], words: &[&str]) {
    let whole = pages.concat();
    for words in words {
        assert!(whole.contains(words), "{words} in {whole}");
    }
}

/// The text of each page, as pdftotext reads it.
fn pages(pdf: &Path) -> Vec<String> {
    let read = Command::new("pdftotext")
        .args(["-layout".as_ref(), pdf.as_os_str(), "-".as_ref()])
        .output()
        .unwrap();
    assert!(read.status.success(), "{read:?}");
    let text = String::from_utf8(read.stdout).unwrap();
    let pages = text.trim_end_matches('\u{c}').split('\u{c}');
    pages.map(str::to_owned).collect()
}

/// An invoice of a thousand lines, and its path.
fn lengthen(doorward: &Doorward) -> String {
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    // The demonstration has a folder of its own in ours.
    let mut folders = files(doorward.data()).into_iter();
    let file = folders.find_map(|folder| {
        let file = folder.join("doorward.db");
        file.exists().then_some(file)
    });
    let conn = rusqlite::Connection::open(file.unwrap()).unwrap();
    conn.execute_batch(
        "INSERT INTO invoices (organisation_id, year, number, from_at, until_at, issued_at, due_at, currency, net, tax_rate,
           tax, total, issuer, payment, bill_to, owner, address, vat_number)
         SELECT organisation_id, 2001, 7, 996624000, 999302400, 999302400, 1000512000, currency, 4130000, tax_rate,
           0, 4130000, issuer, payment, bill_to, owner, address, vat_number FROM invoices LIMIT 1;
         INSERT INTO invoice_lines (organisation_id, year, number, line, resource_id, resource, kind, plan, account_id,
           account, price, from_at, until_at, amount)
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
         SELECT i.organisation_id, 2001, 7, n.n, 1, printf('machine-%04d', n.n), 'Server', '2 cores, 4 GB', o.owner_id,
           'Nguyễn Thị Hương', 4130, 996624000 + n.n % 3, 999302400, 4130
           FROM n, invoices i JOIN organisations o ON o.id = i.organisation_id WHERE i.year = 2001;",
    )
    .unwrap();
    "/billing/invoices/INV-2001-007".to_owned()
}
