//! What the browser noted while pages were open: its console, and what it fetched.
//! chromedriver gives each entry once; they are kept here for the whole test.

use serde_json::{Value, json};

use super::{Browser, PATIENCE, text};
use crate::wait;

#[derive(Default)]
pub(super) struct Logs {
    console: Vec<Entry>,
    requests: Vec<Request>,
}

/// A line of the console.
struct Entry {
    level: String,
    message: String,
}

/// Something the browser fetched, or tried to.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its address.
    pub(crate) url: String,
    /// `Document`, `Stylesheet`, `Script`, `Image`, `Font`, `Fetch` and so on.
    pub(crate) kind: String,
    /// The status of the answer, if one came.
    pub(crate) status: Option<u16>,
    /// What came over the wire for it, head and body, as compressed; from a cache, 0.
    pub(crate) bytes: u64,
    number: String,
}

impl Browser {
    /// The errors in the console since the browser was opened. An answer of 400 or
    /// more is one, a page's own too.
    pub(crate) fn console_errors(&self) -> Vec<String> {
        self.console(|entry| entry.level == "SEVERE")
    }

    /// The console's lines about breaches of a content security policy, reported
    /// ones too.
    pub(crate) fn csp_violations(&self) -> Vec<String> {
        self.console(|entry| entry.message.contains("Content Security Policy"))
    }

    /// All that was fetched since the browser was opened, redirects one by one. What
    /// the browser's own pages (`chrome:`) fetch is left out: it opens one at its start.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let entries = self.log("performance");
        let mut logs = self.logs.borrow_mut();
        for entry in entries {
            let entry: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            note(&mut logs.requests, &entry["message"]);
        }
        logs.requests.clone()
    }

    /// The page as it came over the wire, before any script saw it.
    pub(crate) fn source(&self) -> String {
        // A page that loads itself anew may be another by the time it is asked for.
        let body = wait::until(PATIENCE, || {
            let number = json!({ "requestId": self.document().number });
            self.try_chromium("Network.getResponseBody", &number).ok()
        });
        let body = body.unwrap_or_else(|| panic!("{} has no source", self.url()));
        assert_eq!(body["base64Encoded"], false, "{}", self.url());
        text(&body["body"])
    }

    /// The status with which the page came.
    pub(crate) fn status(&self) -> u16 {
        let document = self.document();
        let status = document.status;
        status.unwrap_or_else(|| panic!("{} was not answered", document.url))
    }

    /// The newest request for the page that is shown.
    fn document(&self) -> Request {
        let url = self.url();
        let (url, _) = url.split_once('#').unwrap_or((&url, ""));
        let mut newest_first = self.requests().into_iter().rev();
        newest_first
            .find(|request| request.kind == "Document" && request.url == url)
            .unwrap_or_else(|| panic!("{url} was never fetched"))
    }

    fn console(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<String> {
        let entries = self.log("browser");
        let mut logs = self.logs.borrow_mut();
        logs.console.extend(entries.iter().map(|entry| Entry {
            level: text(&entry["level"]),
            message: text(&entry["message"]),
        }));
        let wanted = logs.console.iter().filter(|entry| wanted(entry));
        wanted.map(|entry| entry.message.clone()).collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.session.post("se/log", &json!({ "type": kind }));
        entries.as_array().unwrap().clone()
    }
}

/// Takes in one event of the developer tools' network domain.
fn note(requests: &mut Vec<Request>, event: &Value) {
    let parameters = &event["params"];
    let number = text(&parameters["requestId"]);
    match event["method"].as_str() {
        Some("Network.requestWillBeSent") => {
            if text(&parameters["documentURL"]).starts_with("chrome:") {
                return;
            }
            // A redirect keeps the number of what it answers.
            if let Some(before) = last(requests, &number) {
                answered(before, &parameters["redirectResponse"]);
            }
            requests.push(Request {
                url: text(&parameters["request"]["url"]),
                kind: text(&parameters["type"]),
                status: None,
                bytes: 0,
                number,
            });
        }
        Some("Network.responseReceived") => {
            if let Some(request) = last(requests, &number) {
                answered(request, &parameters["response"]);
            }
        }
        Some("Network.loadingFinished") => {
            if let Some(request) = last(requests, &number) {
                request.bytes = bytes(parameters);
            }
        }
        _ => {}
    }
}

fn answered(request: &mut Request, response: &Value) {
    let status = response["status"].as_u64();
    request.status = status.and_then(|status| u16::try_from(status).ok());
    request.bytes = bytes(response);
}

fn last<'a>(requests: &'a mut [Request], number: &str) -> Option<&'a mut Request> {
    let mut newest_first = requests.iter_mut().rev();
    newest_first.find(|request| request.number == number)
}

/// Chromium writes whole numbers as fractions here.
fn bytes(object: &Value) -> u64 {
    object["encodedDataLength"].as_f64().unwrap_or(0.0) as u64
}
