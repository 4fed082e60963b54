//! Somebody who looks at a page on a desk and on a telephone, in light and in dark, and writes down what is wrong.

use std::cell::RefCell;

use serde_json::json;

use super::steps::{PASSWORD, is_calm, link_on_page, sign_in, stays_at};
use crate::markup;
use crate::process::Doorward;
use crate::wait;
use crate::webdriver::{Browser, PATIENCE};

/// The widths at which nothing may scroll sideways.
const WIDTHS: [u32; 6] = [320, 390, 600, 900, 1280, 1600];
/// What is looked at: width and height.
const DESK: (u32, u32) = (1280, 800);
pub(super) const TELEPHONE: (u32, u32) = (390, 844);
/// What pages may answer with on this tour.
const STATUSES: [u16; 9] = [400, 403, 404, 405, 410, 413, 422, 429, 431];

/// Whether each page is looked at in both themes at both widths: `DOORWARD_TOUR=whole`.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, not a setting"
)]
fn is_whole() -> bool {
    std::env::var("DOORWARD_TOUR").is_ok_and(|value| value == "whole")
}

/// Somebody who looks at pages, and writes down what is wrong with them.
pub(super) struct Tour<'t> {
    /// In front of which one sits.
    pub(super) browser: &'t Browser,
    /// What is looked at.
    pub(super) doorward: &'t Doorward,
    faults: RefCell<Vec<String>>,
}

impl<'t> Tour<'t> {
    pub(super) fn of(browser: &'t Browser, doorward: &'t Doorward) -> Self {
        Self {
            browser,
            doorward,
            faults: RefCell::default(),
        }
    }

    /// Tells what was found, and that is a failure.
    pub(super) fn end(self) {
        let faults = self.faults.into_inner();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        is_calm(self.browser, &STATUSES);
        stays_at(self.browser, self.doorward.address());
    }

    pub(super) fn go(&self, path: &str) {
        self.browser
            .go(&format!("{}{path}", self.doorward.address()));
    }

    /// Opens a page and looks at it.
    pub(super) fn see(&self, name: &str, path: &str, status: u16) {
        self.go(path);
        self.stop(name, status);
    }

    /// Looks at the page as it is, which came with this status.
    pub(super) fn stop(&self, name: &str, status: u16) {
        let came = self.browser.status();
        if came != status {
            self.fault(name, &format!("status {came}, not {status}"));
        }
        for problem in markup::problems(&self.browser.source()) {
            self.fault(name, &problem);
        }
        self.look(name);
    }

    /// The same without a look at the markup.
    pub(super) fn look(&self, name: &str) {
        for (size, (width, height)) in [("desk", DESK), ("telephone", TELEPHONE)] {
            self.browser.resize(width, height);
            // Each width in one theme, and each theme at one width; all four by hand, since they take twice as long.
            let usual = if size == "desk" { "light" } else { "dark" };
            for theme in ["light", "dark"] {
                if theme != usual && !is_whole() {
                    continue;
                }
                self.browser.prefer(&[("prefers-color-scheme", theme)]);
                for violation in self.browser.axe() {
                    self.fault(
                        &format!("{name}, {size}, {theme}"),
                        &format!("{violation:#?}"),
                    );
                }
                self.browser.screenshot(&format!("{name}-{size}-{theme}"));
            }
        }
        for width in WIDTHS {
            self.browser.resize(width, 844);
            let needed = self
                .browser
                .execute("return document.documentElement.scrollWidth", &[]);
            if needed.as_u64() != Some(width.into()) {
                self.fault(name, &format!("{needed} wide in {width}"));
            }
        }
        self.browser.resize(DESK.0, DESK.1);
        self.browser.prefer(&[("prefers-color-scheme", "light")]);
    }

    fn fault(&self, name: &str, what: &str) {
        self.faults.borrow_mut().push(format!("{name}: {what}"));
    }

    pub(super) fn sign_in(&self, email: &str) {
        self.leave();
        sign_in(self.browser, self.doorward, email, PASSWORD);
    }

    /// As if it were somebody else's browser.
    pub(super) fn leave(&self) {
        self.go("/sign-in");
        self.browser.forget_cookies();
    }

    /// The address of the page of this account.
    pub(super) fn account(&self, email: &str) -> String {
        self.go(&format!("/iam/accounts?q={email}"));
        let link = self.browser.find("tbody a").property("href");
        self.path(link.as_str().unwrap())
    }

    /// The newest mail to somebody with this subject: its path, and the link in it.
    pub(super) fn mail(&self, email: &str, subject: &str, path: &str) -> (String, String) {
        let find = "return [...document.querySelectorAll('tbody tr')].find(row =>
            row.innerText.includes(arguments[0]) && row.innerText.includes(arguments[1])
            && row.innerText.includes('Sent'))?.querySelector('a').href ?? null";
        let address = wait::until(PATIENCE, || {
            // The newest stand first, on as many pages as they need.
            (1..=3).find_map(|page| {
                self.go(&format!("/mail?page={page}"));
                let found = self.browser.execute(find, &[json!(email), json!(subject)]);
                found.as_str().map(str::to_owned)
            })
        });
        let address = address.unwrap_or_else(|| panic!("no {subject:?} to {email}"));
        self.browser.go(&address);
        let link = link_on_page(self.browser, path);
        (self.path(&address), self.path(&link))
    }

    pub(super) fn path(&self, address: &str) -> String {
        let path = address.strip_prefix(self.doorward.address());
        path.unwrap_or_else(|| panic!("{address} leads elsewhere"))
            .to_owned()
    }
}
