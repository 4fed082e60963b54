//! What must hold for every page we write, whatever is on it: it is well formed, its ids are unique and pointed to,
//! each field has a label, each button a name, no style or script stands in it, every class and icon exists.
//! `problems(page)` tells all that does not hold; an empty list is a good page.

mod parse;

use std::collections::BTreeSet;

pub(crate) use parse::Element;
pub(crate) use parse::parse;

/// The style sheet, as it is written.
pub(crate) const CSS: &str = concat!(
    include_str!("../../../assets/portal.css"),
    include_str!("../../../assets/shell.css")
);
const SCRIPT: &str = concat!(
    include_str!("../../../assets/portal.js"),
    include_str!("../../../assets/shell.js")
);
const SPRITE: &str = include_str!("../../../assets/icons.svg");

/// Everything that is wrong with a page.
pub(crate) fn problems(page: &str) -> Vec<String> {
    let (elements, mut problems) = parse(page);
    if !page.starts_with("<!DOCTYPE html>") {
        problems.push("the page does not begin with its doctype".to_owned());
    }
    ids(&elements, &mut problems);
    document(&elements, &mut problems);
    let classes = classes(CSS);
    for element in &elements {
        policy(element, &mut problems);
        contract(element, &classes, &mut problems);
        nesting(element, &elements, &mut problems);
        names(element, &elements, &mut problems);
    }
    problems
}

/// Ids are unique, and what points to one finds it.
fn ids(elements: &[Element], problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for element in elements {
        if let Some(id) = element.get("id") {
            if id.is_empty() || id.contains(char::is_whitespace) {
                problems.push(format!("{id:?} is no id"));
            }
            if !seen.insert(id) {
                problems.push(format!("the id {id} stands twice"));
            }
        }
    }
    const POINTERS: [&str; 8] = [
        "for",
        "aria-describedby",
        "aria-labelledby",
        "aria-controls",
        "form",
        "data-copy",
        "data-reveal",
        "data-rules",
    ];
    for element in elements {
        for pointer in POINTERS {
            for id in element.get(pointer).unwrap_or_default().split_whitespace() {
                if !seen.contains(id) {
                    problems.push(format!("{} points to nothing", element.shown()));
                }
            }
        }
        if let Some(id) = element.get("href").and_then(|href| href.strip_prefix('#'))
            && !id.is_empty()
            && !seen.contains(id)
        {
            problems.push(format!("{} leads nowhere on the page", element.shown()));
        }
    }
}

/// What a whole page has once.
fn document(elements: &[Element], problems: &mut Vec<String>) {
    let count = |name: &str| {
        elements
            .iter()
            .filter(|element| element.name == name)
            .count()
    };
    for name in ["html", "head", "title", "body", "main", "h1"] {
        if count(name) != 1 {
            problems.push(format!("{} <{name}> instead of one", count(name)));
        }
    }
    let focused = elements.iter().filter(|element| element.has("autofocus"));
    if focused.count() > 1 {
        problems.push("more than one autofocus".to_owned());
    }
    let robots = elements.iter().any(|element| {
        element.get("name") == Some("robots") && element.get("content") == Some("noindex")
    });
    if !robots {
        problems.push("no noindex".to_owned());
    }
    let lang = elements
        .iter()
        .any(|element| element.name == "html" && element.has("lang"));
    if !lang {
        problems.push("no language".to_owned());
    }
}

/// What the content security policy forbids, and what no page of ours needs.
fn policy(element: &Element, problems: &mut Vec<String>) {
    let mut bad = |why: &str| problems.push(format!("{why}: {}", element.shown()));
    if element.name == "style" || element.has("style") {
        bad("inline style");
    }
    if element.name == "script" && (!element.has("src") || !element.text.is_empty()) {
        bad("inline script");
    }
    if element.attributes.keys().any(|name| name.starts_with("on")) {
        bad("inline handler");
    }
    for name in ["href", "src", "action", "formaction"] {
        let address = element.get(name).unwrap_or_default().to_ascii_lowercase();
        // A text that is saved from the page itself is loaded from nowhere.
        if element.has("download") && address.starts_with("data:text/plain;charset=utf-8,") {
            continue;
        }
        if ["javascript:", "data:", "http:", "https:", "//"]
            .iter()
            .any(|scheme| address.starts_with(scheme))
        {
            bad("an address outside the portal");
        }
    }
    if element.get("class") == Some("") {
        bad("empty class");
    }
}

/// Classes are in the style sheet, icons in the sprite, data attributes in the script.
fn contract(element: &Element, classes: &BTreeSet<String>, problems: &mut Vec<String>) {
    for class in element.get("class").unwrap_or_default().split_whitespace() {
        if !classes.contains(class) {
            problems.push(format!(
                "no class {class} in portal.css: {}",
                element.shown()
            ));
        }
    }
    if element.name == "use" {
        let icon = element.get("href").and_then(|href| href.split_once('#'));
        let known = icon.is_some_and(|(sprite, name)| {
            sprite.starts_with("/assets/icons.")
                && SPRITE.contains(&format!("<symbol id=\"{name}\""))
        });
        if !known {
            problems.push(format!("no such icon: {}", element.shown()));
        }
    }
    for name in element.attributes.keys() {
        let Some(data) = name.strip_prefix("data-") else {
            continue;
        };
        let mut camel = data.split('-');
        let first = camel.next().unwrap_or_default().to_owned();
        let camel = camel.fold(first, |all, word| {
            let (head, tail) = word.split_at(1);
            all + &head.to_ascii_uppercase() + tail
        });
        if !CSS.contains(name)
            && !SCRIPT.contains(name)
            && !SCRIPT.contains(&format!("dataset.{camel}"))
        {
            problems.push(format!("nothing looks for {name}: {}", element.shown()));
        }
    }
}

/// What may not stand in what.
fn nesting(element: &Element, elements: &[Element], problems: &mut Vec<String>) {
    let inside = |names: &[&str]| {
        element
            .around
            .iter()
            .any(|index| names.contains(&elements[*index].name.as_str()))
    };
    let wrong = match element.name.as_str() {
        "form" => inside(&["form", "p", "button", "a"]),
        "a" | "button" | "input" | "select" | "textarea" | "details" => inside(&["a", "button"]),
        "div" | "ul" | "ol" | "dl" | "table" | "section" | "p" | "h1" | "h2" | "h3" => {
            inside(&["p", "span", "button", "h1", "h2", "h3", "label"])
        }
        _ => false,
    };
    if wrong {
        problems.push(format!("{} may not stand there", element.shown()));
    }
    let parent = element
        .around
        .last()
        .map(|index| elements[*index].name.as_str());
    let needs = match element.name.as_str() {
        "li" => &["ul", "ol"][..],
        "tr" => &["thead", "tbody", "tfoot"],
        "td" | "th" => &["tr"],
        "dt" | "dd" => &["div", "dl"],
        "option" => &["select"],
        "legend" => &["fieldset"],
        "summary" => &["details"],
        _ => return,
    };
    if !parent.is_some_and(|parent| needs.contains(&parent)) {
        problems.push(format!("{} does not stand in {needs:?}", element.shown()));
    }
}

/// Fields have labels, buttons and links have names, forms have their token.
fn names(element: &Element, elements: &[Element], problems: &mut Vec<String>) {
    let named = !element.text.trim().is_empty() || element.has("aria-label");
    match element.name.as_str() {
        "button" | "a" | "summary" | "h1" | "h2" | "h3" | "label" | "title" | "caption"
            if !named =>
        {
            problems.push(format!("{} has no name", element.shown()));
        }
        "input" | "select" | "textarea" if element.get("type") != Some("hidden") => {
            let labelled = element.get("id").is_some_and(|id| {
                elements
                    .iter()
                    .any(|label| label.name == "label" && label.get("for") == Some(id))
            });
            if !labelled {
                problems.push(format!("{} has no label", element.shown()));
            }
            // A tick that the browser asks for before the form goes on is for the person alone.
            // So is one that only ticks others.
            let is_promise = element.get("type") == Some("checkbox")
                && (element.has("required") || element.has("data-all"))
                && !element.has("name");
            if element.get("name").is_none_or(str::is_empty) && !is_promise {
                problems.push(format!("{} is not sent", element.shown()));
            }
            if element.get("type") == Some("password") && element.has("value") {
                problems.push(format!("{} shows a password", element.shown()));
            }
        }
        "form" if element.get("method") == Some("post") => {
            let index = elements
                .iter()
                .position(|other| std::ptr::eq(other, element));
            let token = elements.iter().any(|input| {
                input.get("name") == Some("csrf")
                    && index.is_some_and(|index| input.around.contains(&index))
            });
            if !token {
                problems.push(format!("{} has no csrf", element.shown()));
            }
        }
        "dialog" | "nav" | "aside"
            if !element.has("aria-label") && !element.has("aria-labelledby") =>
        {
            problems.push(format!("{} has no name", element.shown()));
        }
        _ => {}
    }
}

/// The classes that a style sheet speaks of.
pub(crate) fn classes(css: &str) -> BTreeSet<String> {
    let mut classes = BTreeSet::new();
    let mut bare = String::new();
    for (index, part) in css.split("/*").enumerate() {
        let code = if index == 0 {
            part
        } else {
            part.split_once("*/").map_or("", |(_, code)| code)
        };
        bare.push_str(code);
    }
    // Addresses and strings hold dots that begin no class.
    for part in bare.split('.').skip(1) {
        let class: String = part
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        if class.starts_with(|c: char| c.is_ascii_alphabetic()) {
            classes.insert(class);
        }
    }
    classes
}

const GOOD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta name=\"robots\" content=\"noindex\"><title>T</title></head>\
                    <body><main id=\"main\"><h1>H</h1>@</main></body></html>";

#[test]
fn a_good_page_has_no_problems() {
    let page = GOOD.replace(
        '@',
        "<form method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"a &gt; b\">\
         <label for=\"e\">E</label><input id=\"e\" name=\"e\" required><button class=\"btn\">Go</button></form>",
    );
    assert_eq!(problems(&page), Vec::<String>::new());
}

#[test]
fn each_fault_is_found() {
    for (fault, told) in [
        ("<p>", "should be closed"),
        ("</p>", "should be closed"),
        ("<p id=\"main\"></p>", "stands twice"),
        ("<p id=\"a\" id=\"b\"></p>", "stands twice"),
        ("<p aria-describedby=\"x\"></p>", "points to nothing"),
        ("<a href=\"#x\">x</a>", "leads nowhere"),
        ("<p style=\"color: red\"></p>", "inline style"),
        ("<script>1</script>", "inline script"),
        ("<p onclick=\"1\"></p>", "inline handler"),
        ("<a href=\"javascript:1\">x</a>", "outside the portal"),
        ("<img src=\"data:x\">", "outside the portal"),
        ("<p class=\"nonesuch\"></p>", "no class nonesuch"),
        (
            "<svg><use href=\"/assets/icons.1.svg#nonesuch\"></use></svg>",
            "no such icon",
        ),
        ("<p data-nonesuch></p>", "nothing looks for data-nonesuch"),
        ("<p><div></div></p>", "may not stand there"),
        (
            "<a href=\"/\"><button>x</button></a>",
            "may not stand there",
        ),
        ("<li>x</li>", "does not stand in"),
        ("<button></button>", "has no name"),
        ("<input name=\"x\">", "has no label"),
        ("<form method=\"post\"></form>", "has no csrf"),
        ("<h1>Two</h1>", "2 <h1>"),
        ("<p class=shout></p>", "no quotes"),
        (
            "<label for=\"p\">P</label><input id=\"p\" name=\"p\" type=\"password\" value=\"x\">",
            "shows a password",
        ),
        (
            "<p autofocus></p><p autofocus></p>",
            "more than one autofocus",
        ),
    ] {
        let found = problems(&GOOD.replace('@', fault));
        assert!(
            found.iter().any(|problem| problem.contains(told)),
            "{fault}: {found:?}"
        );
    }
}
