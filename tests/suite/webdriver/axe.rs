//! axe-core, the accessibility engine: put into the page and asked for its verdict.
//! The file is fetched by `tests/run`; none of it is in this repository.

use std::path::Path;

use serde_json::{Value, json};

use super::{Browser, text};

/// The rules that are asked for.
const TAGS: &[&str] = &[
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
];

const RUN: &str = "const done = arguments[1];
    axe.run(document, { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] })
        .then(found => done(found.violations), error => done(String(error)));";

/// A rule that the page breaks.
#[derive(Debug)]
pub(crate) struct Violation {
    /// The rule's name: `color-contrast`.
    pub(crate) rule: String,
    /// `minor`, `moderate`, `serious` or `critical`.
    pub(crate) impact: String,
    /// The rule as a sentence.
    pub(crate) help: String,
    /// The elements that break it: their markup, and how to repair them.
    pub(crate) elements: Vec<String>,
}

impl Browser {
    /// What is wrong with the page as it is shown now.
    pub(crate) fn axe(&self) -> Vec<Violation> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/axe.min.js");
        let Ok(engine) = std::fs::read_to_string(&file) else {
            panic!("axe-core is not there; tests/run fetches it and runs these tests");
        };
        // Large, and kept by the page until it is left.
        if self.execute("return typeof axe", &[]) == "undefined" {
            self.execute(&engine, &[]);
        }
        let found = self.execute_async(RUN, &[json!(TAGS)]);
        let Some(found) = found.as_array() else {
            panic!("axe gave no verdict: {found}");
        };
        found.iter().map(Violation::read).collect()
    }
}

impl Violation {
    fn read(found: &Value) -> Self {
        let elements = found["nodes"].as_array().unwrap().iter();
        let describe =
            |node: &Value| format!("{}: {}", text(&node["html"]), text(&node["failureSummary"]));
        Self {
            rule: text(&found["id"]),
            impact: text(&found["impact"]),
            help: text(&found["help"]),
            elements: elements.map(describe).collect(),
        }
    }
}
