//! The browser itself, as our tests drive it, against a page that is known.

use serde_json::json;

use crate::stand_in::{Answer, Asked, StandIn};
use crate::webdriver::{Browser, key};

const PAGE: &str = r##"<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Stand-in</title>
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/page.css"><script src="/page.js" defer></script></head>
<body><main><h1>Stand-in</h1><form action="/greeting"><label for="name">Name</label>
<input id="name" name="name" autocomplete="name"> <button>Greet</button></form>
<p><a href="#late" id="more">More</a> <span hidden id="unseen">Unseen</span></p>
<noscript><p id="bare">Works without scripts.</p></noscript></main></body></html>"##;

const ICON: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>"#;

const STYLE: &str =
    "body { font: 1rem/1.5 sans-serif; background: #fff; color: #222; margin: 2rem }
main { min-height: 1500px; border-bottom: 4px solid #a00 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } a { color: #9cf } }";

const SCRIPT: &str = "addEventListener('keydown', event => {
    if (event.key === 'Escape') document.title = 'Escaped'; });
document.getElementById('more').addEventListener('click', () => {
    setTimeout(() => { const late = document.createElement('p');
        late.id = 'late'; late.textContent = 'Late'; document.querySelector('main').append(late); }, 60);
});";

const BROKEN: &str = r#"<!doctype html><html><head><title>Broken</title></head><body>
<img src="/missing.png"><input name="unnamed"><script>var ran = true;</script>
<script src="/broken.js"></script></body></html>"#;

fn answer(asked: &Asked) -> Answer {
    let (path, _) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let as_kind = |kind: &str, body| {
        let policy = "Content-Security-Policy: default-src 'self'".to_owned();
        let cookie = "Set-Cookie: seen=yes; HttpOnly; SameSite=Lax".to_owned();
        Answer(
            200,
            vec![format!("Content-Type: {kind}"), policy, cookie],
            body,
        )
    };
    match path {
        "/" => as_kind("text/html", PAGE),
        "/page.css" => as_kind("text/css", STYLE),
        "/page.js" => as_kind("text/javascript", SCRIPT),
        "/icon.svg" => as_kind("image/svg+xml", ICON),
        "/broken.js" => as_kind("text/javascript", "console.error('oh dear');"),
        "/broken" => as_kind("text/html", BROKEN),
        "/greeting" => Answer(303, vec!["Location: /".to_owned()], ""),
        _ => Answer(404, Vec::new(), ""),
    }
}

#[test]
fn a_page_is_read_typed_into_and_clicked() {
    let Some(browser) = Browser::open("a_page_is_read_typed_into_and_clicked") else {
        return;
    };
    let server = StandIn::serve(answer);
    browser.go(&server.url());

    assert_eq!(browser.title(), "Stand-in");
    assert_eq!(browser.find("h1").text(), "Stand-in");
    assert_eq!(browser.find_all("p").len(), 1);
    assert!(!browser.find("#unseen").is_shown());

    browser.press(key::TAB);
    assert_eq!(browser.focused().attribute("id").as_deref(), Some("name"));
    browser.press("Ann");
    let name = browser.find("#name");
    name.keys(" Bo");
    assert_eq!(name.property("value"), "Ann Bo");
    browser.press(key::ESCAPE);
    assert_eq!(browser.title(), "Escaped");
    name.clear();
    assert_eq!(name.property("value"), "");

    browser.find("#more").click();
    assert_eq!(browser.wait_until("#late").text(), "Late");

    let cookies = browser.cookies();
    assert_eq!(
        (cookies[0].name.as_str(), cookies[0].value.as_str()),
        ("seen", "yes")
    );
    assert!(cookies[0].http_only);
    assert_eq!(cookies[0].same_site, "Lax");
    browser.forget_cookies();
    assert_eq!(browser.cookies(), []);

    browser.leaving(|| browser.find("button").click());
    assert_eq!(browser.url(), format!("{}/", server.url()));
    browser.back();
    assert!(browser.url().ends_with("#late"), "{}", browser.url());
    assert_eq!(browser.console_errors(), [""; 0]);
    assert_eq!(browser.csp_violations(), [""; 0]);
}

#[test]
fn a_sound_page_passes_and_is_weighed() {
    let Some(browser) = Browser::open("a_sound_page_passes_and_is_weighed") else {
        return;
    };
    let server = StandIn::serve(answer);
    browser.go(&format!("{}/greeting", server.url()));

    let requests = browser.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| {
            (
                request.url.strip_prefix(&server.url()),
                request.kind.as_str(),
                request.status,
            )
        })
        .collect();
    let expected = [
        (Some("/greeting"), "Document", Some(303)),
        (Some("/"), "Document", Some(200)),
        (Some("/page.css"), "Stylesheet", Some(200)),
        (Some("/page.js"), "Script", Some(200)),
    ];
    assert_eq!(seen[..4], expected, "{requests:#?}");
    let weight: u64 = requests[1..4].iter().map(|request| request.bytes).sum();
    let bodies = u64::try_from(PAGE.len() + STYLE.len() + SCRIPT.len()).unwrap();
    assert!(
        (bodies + 300..bodies + 1000).contains(&weight),
        "{weight} for {bodies}"
    );

    assert!(browser.axe().is_empty(), "{:#?}", browser.axe());
    browser.screenshot("light");
    browser.prefer(&[("prefers-color-scheme", "dark")]);
    let background = "return getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.execute(background, &[]), "rgb(17, 17, 17)");
    browser.resize(390, 844);
    let size = "return [innerWidth, innerHeight, arguments[0]]";
    assert_eq!(browser.execute(size, &[json!(7)]), json!([390, 844, 7]));
    assert!(browser.axe().is_empty(), "{:#?}", browser.axe());
    let picture = std::fs::read(browser.screenshot("dark-telephone")).unwrap();
    // Width and height in a PNG's first chunk: the page, not the viewport.
    assert_eq!(picture[16..20], 390_u32.to_be_bytes());
    let height = u32::from_be_bytes(picture[20..24].try_into().unwrap());
    assert!(height > 1500, "{height}");
}

#[test]
fn a_broken_page_is_found_out() {
    let Some(browser) = Browser::open("a_broken_page_is_found_out") else {
        return;
    };
    let server = StandIn::serve(answer);
    browser.go(&format!("{}/broken", server.url()));

    let errors = browser.console_errors().join("\n");
    assert!(errors.contains("oh dear"), "{errors}");
    assert!(errors.contains("missing.png"), "{errors}");
    let breaches = browser.csp_violations();
    assert_eq!(breaches.len(), 1, "{breaches:#?}");
    assert_eq!(browser.execute("return typeof ran", &[]), "undefined");
    let violations = browser.axe();
    for (rule, culprit) in [
        ("html-has-lang", "<html"),
        ("image-alt", "<img"),
        ("label", "<input"),
    ] {
        let found = violations.iter().find(|violation| violation.rule == rule);
        let found = found.unwrap_or_else(|| panic!("no {rule} in {violations:#?}"));
        assert!(found.elements[0].starts_with(culprit), "{found:#?}");
        assert!(
            ["serious", "critical"].contains(&found.impact.as_str()),
            "{found:#?}"
        );
        assert!(found.help.contains(' '), "{found:#?}");
    }
}

#[test]
fn scripts_can_be_off() {
    let Some(browser) = Browser::open_without_scripts("scripts_can_be_off") else {
        return;
    };
    let server = StandIn::serve(answer);
    browser.go(&server.url());

    assert_eq!(browser.find("#bare").text(), "Works without scripts.");
    assert_eq!(browser.execute("return 1 + 1", &[]), 2);
    browser.find("#name").keys("Ann");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(browser.url(), format!("{}/", server.url()));
    assert_eq!(browser.find("#name").property("value"), "");
}
