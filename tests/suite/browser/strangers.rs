//! Other sites, and other people at the same machine. The pages of another site are those of [`StandIn`]: on another
//! port of the same host (another origin of the same site: cookies go along), and as `localhost` (another site).

use super::steps::{ADMIN, MASTER, MEMBER, PASSWORD, fill, go_on, heading, sign_in, sign_out};
use crate::process::Launch;
use crate::stand_in::{Answer, Asked, StandIn};
use crate::webdriver::{Browser, Cookie, key};

/// Sends a form to the place that its address names after `#`, as soon as it is opened: origin, path, then fields.
const SENDER: &str =
    "<!doctype html><title>Sender</title><body><iframe name=inside></iframe><script>
    const [action, target, ...fields] = location.hash.slice(1).split('|').map(decodeURIComponent);
    const form = Object.assign(document.createElement('form'), { method: 'post', action, target });
    for (const field of fields) {
        const [name, value] = field.split('=');
        form.append(Object.assign(document.createElement('input'), { name, value }));
    }
    document.body.append(form);
    form.submit();
    </script>";

/// Frames the place that its address names after `#`, and has a link that opens it in another window.
const FRAMER: &str = "<!doctype html><title>Framer</title><body><script>
    const place = location.hash.slice(1);
    document.body.append(Object.assign(document.createElement('iframe'), { src: place }));
    document.body.append(Object.assign(document.createElement('a'),
        { href: place, target: '_blank', rel: 'opener', textContent: 'Open' }));
    </script>";

fn answer(asked: &Asked) -> Answer {
    let page = match asked.path.as_str() {
        "/sender" => SENDER,
        "/framer" => FRAMER,
        _ => return Answer(404, Vec::new(), ""),
    };
    Answer(
        200,
        vec!["Content-Type: text/html; charset=utf-8".to_owned()],
        page,
    )
}

/// Opens the sender, and waits until its form was answered.
fn send(browser: &Browser, from: &str, to: &str, target: &str, fields: &str) {
    // A page of the same address would not be loaded anew.
    browser.go("about:blank");
    let before = browser.requests().len();
    browser.go(&format!("{from}/sender#{to}|{target}|{fields}"));
    let answered = crate::wait::until(crate::webdriver::PATIENCE, || {
        let requests = browser.requests();
        let mut sent = requests[before..].iter();
        sent.find(|request| request.url == to)?.status
    });
    assert_eq!(answered, Some(403), "{to} from {from} {target}");
}

/// The cookies by name: browsers keep them in no order.
fn cookies(browser: &Browser) -> Vec<Cookie> {
    let mut cookies = browser.cookies();
    cookies.sort_by(|one, other| one.name.cmp(&other.name));
    cookies
}

#[test]
fn forms_of_other_sites_have_no_effect() {
    let Some(browser) = Browser::open("forms_of_other_sites_have_no_effect") else {
        return;
    };
    let doorward = Launch::demo().start();
    let other = StandIn::serve(answer);
    let neighbour = other.url();
    let elsewhere = other.url().replace("127.0.0.1", "localhost");
    let to = |path: &str| format!("{}{path}", doorward.address());
    let as_member = format!("email={MEMBER}|password={PASSWORD}");

    // Nobody is signed in, and nobody is made to be somebody else.
    for from in [&neighbour, &elsewhere] {
        for target in ["_self", "inside"] {
            send(&browser, from, &to("/sign-in"), target, &as_member);
            browser.go(&to("/"));
            assert_eq!(heading(&browser), "Sign in to the Portal");
        }
    }
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    let held = cookies(&browser);
    for from in [&neighbour, &elsewhere] {
        for target in ["_self", "inside"] {
            send(&browser, from, &to("/sign-in"), target, &as_member);
            send(&browser, from, &to("/sign-out"), target, "");
            send(&browser, from, &to("/theme"), target, "theme=dark");
            let new = "email=eve@demo.example|role=admin";
            send(&browser, from, &to("/iam/accounts"), target, new);
        }
    }
    browser.go(&to("/iam/accounts?q=eve"));
    assert!(browser.find("main").text().contains("No accounts match"));
    assert!(browser.find(".who").text().contains("Ingrid Solheim"));
    assert_eq!(browser.find("html").attribute("data-theme"), None);
    assert_eq!(cookies(&browser), held);
}

#[test]
fn other_sites_can_neither_frame_nor_hold_a_page() {
    let Some(browser) = Browser::open("other_sites_can_neither_frame_nor_hold_a_page") else {
        return;
    };
    let doorward = Launch::demo().start();
    let other = StandIn::serve(answer);
    for from in [other.url(), other.url().replace("127.0.0.1", "localhost")] {
        browser.go("about:blank");
        let place = format!("{}/sign-in", doorward.address());
        let before = browser.console_errors().len();
        browser.go(&format!("{from}/framer#{place}"));
        let refused = crate::wait::until(crate::webdriver::PATIENCE, || {
            let errors = browser.console_errors().split_off(before);
            errors
                .into_iter()
                .find(|error| error.contains("frame-ancestors"))
        });
        assert!(refused.is_some(), "{place} was framed by {from}");
        browser.screenshot("framed");
        browser.in_new_window(|| browser.find("a").click());
        assert_eq!(browser.wait_until("h1").text(), "Sign in to the Portal");
        assert_eq!(browser.execute("return window.opener === null", &[]), true);
    }
}

#[test]
fn going_back_after_signing_out_shows_nothing() {
    let Some(browser) = Browser::open("going_back_after_signing_out_shows_nothing") else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    go_on(&browser, "IAM");
    assert!(browser.find("main").text().contains(ADMIN));
    sign_out(&browser);
    for _ in 0..2 {
        browser.back();
        browser.wait_until("form[action=\"/sign-in\"]");
        let page = browser.execute("return document.documentElement.innerHTML", &[]);
        assert!(!page.as_str().unwrap().contains(ADMIN), "{page}");
    }
}

/// Without TLS, and not from this machine's own address, browsers give pages no clipboard.
#[test]
fn links_can_be_copied_over_plain_http() {
    let Some(browser) = Browser::open("links_can_be_copied_over_plain_http") else {
        return;
    };
    let doorward = Launch::serve()
        .env("DOORWARD_PUBLIC_URL", "http://portal.test")
        .env("DOORWARD_INSECURE_HTTP", "true")
        .start();
    let origin = doorward.address().replace("127.0.0.1", "portal.test");
    let link = std::fs::read_to_string(doorward.data().join("setup-link")).unwrap();
    let link = link.trim().replace("http://portal.test", &origin);
    browser.go(&link);
    assert_eq!(browser.execute("return isSecureContext", &[]), false);
    let password = "Quiet-Harbour-9";
    fill(&browser, "organisation", "Halden Works");
    fill(&browser, "name", "Ingrid Solheim");
    fill(&browser, "email", MASTER);
    fill(&browser, "password", password);
    fill(&browser, "password_confirmation", password);
    go_on(&browser, "Create organisation");
    fill(&browser, "password", password);
    go_on(&browser, "Sign in");

    assert!(
        browser
            .find("main")
            .text()
            .contains("This Portal is used without encryption")
    );
    go_on(&browser, "IAM");
    browser.find_words(".page-head a", "Create account").click();
    browser.wait_until("dialog[open]");
    fill(&browser, "email", MEMBER);
    go_on(&browser, "Confirm");
    browser.screenshot("mail-off");
    go_on(&browser, "Copy activation link");
    let link = browser.find("#activation-link").text();
    browser.find_words("button", "Copy").click();
    browser.wait_until("[data-copy] span");
    assert_eq!(browser.find("[data-copy]").text(), "Copied");
    browser.screenshot("copied");

    go_on(&browser, "IAM");
    let search = browser.find("[name=q]");
    search.keys(&format!("{}v", key::CONTROL));
    assert_eq!(search.property("value"), link);
}
