//! A real Chromium, spoken to through chromedriver by the W3C's WebDriver protocol:
//! as much of it as our tests use, and Chromium's own commands where the protocol
//! has none. Every method fails the test, with the page's address, when the browser
//! refuses; none returns an error to be ignored.
//!
//! The browser tests run when `DOORWARD_BROWSER` is `1`, which `tests/run` sets.

mod axe;
mod driver;
mod element;
mod logs;

use std::cell::RefCell;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};

pub(crate) use element::{Element, key};

use crate::wait;
use driver::Session;
use logs::Logs;
pub(crate) use logs::Request;

/// How long a page may take to become what a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Viewports below this width are those of a telephone: `meta viewport` counts.
const TELEPHONE_BELOW: u32 = 600;

/// A browser window with a profile of its own, empty at first.
pub(crate) struct Browser {
    session: Session,
    logs: RefCell<Logs>,
    pictures: PathBuf,
}

/// A cookie as the browser holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
    /// Whether scripts cannot read it.
    pub(crate) http_only: bool,
    /// `Strict`, `Lax` or `None`.
    pub(crate) same_site: String,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scripts {
    Run,
    Off,
}

impl Browser {
    /// A browser for the test of this name, or `None`, and a line that says so, where
    /// browser tests are not asked for. The name must be that of the test function:
    /// its folder below `target/screenshots` is how `tests/run` knows that it ran.
    pub(crate) fn open(test: &str) -> Option<Self> {
        Self::open_with(test, Scripts::Run)
    }

    /// The same, for somebody who has switched scripts off. Ours still run, but what
    /// waits for later (`execute_async`, `axe`) never comes.
    pub(crate) fn open_without_scripts(test: &str) -> Option<Self> {
        Self::open_with(test, Scripts::Off)
    }

    fn open_with(test: &str, scripts: Scripts) -> Option<Self> {
        if !driver::is_wanted() {
            // To the stream itself: the test harness would keep back what is printed.
            writeln!(
                stderr(),
                "Not run: {test} needs a browser; tests/run brings one."
            )
            .ok();
            return None;
        }
        let pictures = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/screenshots")
            .join(test);
        std::fs::create_dir_all(&pictures).unwrap();
        let browser = Self {
            session: Session::new(scripts),
            logs: RefCell::default(),
            pictures,
        };
        browser.resize(1280, 800);
        Some(browser)
    }

    /// Sets the size of the viewport, in CSS pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": width < TELEPHONE_BELOW,
        });
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Sets what the person prefers: pairs such as `("prefers-color-scheme", "dark")`.
    /// Preferences set before are forgotten.
    pub(crate) fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<_> = features
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let features = json!({ "media": "", "features": features });
        self.chromium("Emulation.setEmulatedMedia", &features);
    }

    /// Shows pages as they are printed; `prefer` shows them on a screen again.
    pub(crate) fn print(&self) {
        let paper = json!({ "media": "print", "features": [] });
        self.chromium("Emulation.setEmulatedMedia", &paper);
    }

    /// Does what saves a file, and waits until all of it is there.
    pub(crate) fn saving(&self, act: impl FnOnce()) -> PathBuf {
        let folder = self.session.home().join("saved");
        std::fs::create_dir_all(&folder).unwrap();
        let files = || -> Vec<PathBuf> {
            let entries = std::fs::read_dir(&folder).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let before = files();
        let place = json!({ "behavior": "allow", "downloadPath": folder });
        self.chromium("Browser.setDownloadBehavior", &place);
        act();
        let saved = wait::until(PATIENCE, || {
            // Under another name until it is whole, and empty for a moment before that.
            files().into_iter().find(|file| {
                let is_whole = file.extension().is_none_or(|end| end != "crdownload");
                let is_empty = file.metadata().is_ok_and(|about| about.len() == 0);
                is_whole && !is_empty && !before.contains(file)
            })
        });
        saved.unwrap_or_else(|| panic!("nothing was saved:\n{}", self.describe()))
    }

    /// Puts a text where Ctrl+V takes it from, as another program would. Only where the page is one of a secure context.
    pub(crate) fn set_clipboard(&self, text: &str) {
        self.may_use_clipboard();
        let write = "const done = arguments[1];
            navigator.clipboard.writeText(arguments[0]).then(() => done(true), error => done(String(error)))";
        assert_eq!(self.execute_async(write, &[json!(text)]), true);
    }

    /// What was copied last.
    pub(crate) fn clipboard(&self) -> String {
        self.may_use_clipboard();
        let read = "const done = arguments[0];
            navigator.clipboard.readText().then(done, error => done(String(error)))";
        text(&self.execute_async(read, &[]))
    }

    fn may_use_clipboard(&self) {
        let permissions = json!(["clipboardReadWrite", "clipboardSanitizedWrite"]);
        let permissions = json!({ "permissions": permissions });
        self.chromium("Browser.grantPermissions", &permissions);
    }

    /// Opens a page, and waits until it is loaded.
    pub(crate) fn go(&self, url: &str) {
        self.session.post("url", &json!({ "url": url }));
    }

    /// Goes back one page, as with the browser's button.
    pub(crate) fn back(&self) {
        self.session.post("back", &json!({}));
    }

    /// The address of the page.
    pub(crate) fn url(&self) -> String {
        text(&self.session.get("url"))
    }

    /// The title of the page.
    pub(crate) fn title(&self) -> String {
        text(&self.session.get("title"))
    }

    /// The first element that a CSS selector finds; the test fails without one.
    pub(crate) fn find(&self, css: &str) -> Element<'_> {
        self.find_all(css)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {css} on this page:\n{}", self.describe()))
    }

    /// The elements that a CSS selector finds, in the order of the page.
    pub(crate) fn find_all(&self, css: &str) -> Vec<Element<'_>> {
        let query = json!({ "using": "css selector", "value": css });
        let found = self.session.post("elements", &query);
        let elements = found.as_array().unwrap().iter();
        elements
            .map(|found| Element::new(&self.session, found))
            .collect()
    }

    /// The first element that a CSS selector finds, that is shown and has just these words.
    pub(crate) fn find_words(&self, css: &str, words: &str) -> Element<'_> {
        let find = "return [...document.querySelectorAll(arguments[0])]
            .find(one => one.checkVisibility() && one.innerText.trim() === arguments[1]) ?? null";
        let found = self.execute(find, &[json!(css), json!(words)]);
        assert!(
            !found.is_null(),
            "no {css} says {words:?} on this page:\n{}",
            self.describe()
        );
        Element::new(&self.session, &found)
    }

    /// The element that has the focus.
    pub(crate) fn focused(&self) -> Element<'_> {
        Element::new(&self.session, &self.session.get("element/active"))
    }

    /// Presses and releases keys one after the other, wherever the focus is; [`key`]
    /// has those without a letter.
    pub(crate) fn press(&self, keys: &str) {
        let mut strokes = Vec::new();
        for key in keys.chars() {
            strokes.push(json!({ "type": "keyDown", "value": key }));
            strokes.push(json!({ "type": "keyUp", "value": key }));
        }
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.session
            .post("actions", &json!({ "actions": [keyboard] }));
    }

    /// Waits until a CSS selector finds something.
    pub(crate) fn wait_until(&self, css: &str) -> Element<'_> {
        wait::until(PATIENCE, || self.find_all(css).into_iter().next())
            .unwrap_or_else(|| panic!("{css} never came:\n{}", self.describe()))
    }

    /// Does what leads to another page, and waits until that page is there. A click or
    /// a key by itself does not wait: the browser sets out only after it has answered.
    pub(crate) fn leaving(&self, act: impl FnOnce()) {
        let page = self.find("html");
        act();
        if wait::until(PATIENCE, || page.is_gone().then_some(())).is_none() {
            panic!("this page was not left:\n{}", self.describe());
        }
    }

    /// Does what opens another window, and goes on in that one.
    pub(crate) fn in_new_window(&self, act: impl FnOnce()) {
        let handles = || self.session.get("window/handles");
        let before = handles();
        act();
        let opened = wait::until(PATIENCE, || {
            let mut now = handles().as_array().unwrap().clone();
            now.retain(|handle| !before.as_array().unwrap().contains(handle));
            now.pop()
        });
        let opened = opened.unwrap_or_else(|| panic!("no window opened:\n{}", self.describe()));
        self.session.post("window", &json!({ "handle": opened }));
    }

    /// What the body of a function returns, run in the page; the protocol is not held
    /// to the page's content security policy.
    pub(crate) fn execute(&self, body: &str, arguments: &[Value]) -> Value {
        let script = json!({ "script": body, "args": arguments });
        self.session.post("execute/sync", &script)
    }

    /// The same for a body that ends by calling its last argument.
    pub(crate) fn execute_async(&self, body: &str, arguments: &[Value]) -> Value {
        let script = json!({ "script": body, "args": arguments });
        self.session.post("execute/async", &script)
    }

    /// The cookies that the page would be sent with.
    pub(crate) fn cookies(&self) -> Vec<Cookie> {
        let cookies = self.session.get("cookie");
        let read = |cookie: &Value| Cookie {
            name: text(&cookie["name"]),
            value: text(&cookie["value"]),
            http_only: cookie["httpOnly"] == true,
            same_site: text(&cookie["sameSite"]),
        };
        cookies.as_array().unwrap().iter().map(read).collect()
    }

    /// Drops the cookies that the page would be sent with.
    pub(crate) fn forget_cookies(&self) {
        self.session.delete("cookie");
    }

    /// Takes a picture of the whole page, beyond the viewport too, into the test's
    /// folder below `target/screenshots`. It is scrolled to its top: what sticks there is
    /// drawn where it then stands.
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        self.execute("scrollTo(0, 0)", &[]);
        self.picture(
            name,
            &json!({ "format": "png", "captureBeyondViewport": true }),
        )
    }

    /// The same of what is in view.
    pub(crate) fn screenshot_of_view(&self, name: &str) -> PathBuf {
        self.picture(name, &json!({ "format": "png" }))
    }

    fn picture(&self, name: &str, how: &Value) -> PathBuf {
        let shot = self.chromium("Page.captureScreenshot", how);
        let png = BASE64.decode(text(&shot["data"]).as_bytes()).unwrap();
        let path = self.pictures.join(format!("{name}.png"));
        std::fs::write(&path, png).unwrap();
        path
    }

    /// Prints the page as a browser does when nobody changes what it proposes, on paper of this width and height in
    /// centimetres, into the test's folder below `target/screenshots`.
    pub(crate) fn print_on(&self, name: &str, (width, height): (f64, f64)) -> PathBuf {
        // Chromium's own command: the protocol's gives up after ten seconds, which a long page needs on a busy machine.
        let inches = |centimetres: f64| centimetres / 2.54;
        let how = json!({ "paperWidth": inches(width), "paperHeight": inches(height) });
        let printed = self.chromium("Page.printToPDF", &how);
        let pdf = BASE64.decode(text(&printed["data"]).as_bytes()).unwrap();
        let path = self.pictures.join(format!("{name}.pdf"));
        std::fs::write(&path, pdf).unwrap();
        path
    }

    /// Gives Chromium a command of its developer tools, and returns its answer.
    pub(crate) fn chromium(&self, command: &str, parameters: &Value) -> Value {
        let answer = self.try_chromium(command, parameters);
        answer.unwrap_or_else(|fault| panic!("{command}: {fault}"))
    }

    /// The same, or what Chromium says instead.
    pub(crate) fn try_chromium(&self, command: &str, parameters: &Value) -> Result<Value, String> {
        let command = json!({ "cmd": command, "params": parameters });
        self.session.try_post("goog/cdp/execute", &command)
    }

    /// What a person needs to see when a test fails.
    fn describe(&self) -> String {
        let words = self.execute("return document.body.innerText", &[]);
        let words = words.as_str().unwrap_or_default();
        format!("{} ({})\n{words}", self.url(), self.title())
    }
}

/// A string of the protocol; empty where there is none.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
