//! What the first page costs somebody on a slow line.

use super::steps::MASTER;
use crate::process::Launch;
use crate::webdriver::{Browser, Request};

/// The sum of what came over the wire, and how many requests there were, fonts apart.
fn weigh(requests: &[Request]) -> (u64, usize, u64) {
    let (fonts, others): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.kind == "Font");
    let bytes = |requests: &[&Request]| requests.iter().map(|request| request.bytes).sum();
    (bytes(&others), others.len(), bytes(&fonts))
}

#[test]
fn the_sign_in_page_is_light() {
    let Some(browser) = Browser::open("the_sign_in_page_is_light") else {
        return;
    };
    let doorward = Launch::demo().start();
    browser.go(&format!("{}/sign-in", doorward.address()));
    browser.execute_async("document.fonts.ready.then(arguments[0])", &[]);
    browser.screenshot("sign-in");
    let cold = browser.requests();
    let (bytes, count, fonts) = weigh(&cold);
    assert!(
        bytes <= 15_000 && count <= 5,
        "{bytes} bytes in {count}: {cold:#?}"
    );
    assert!(bytes + fonts <= 80_000, "{fonts} bytes of fonts: {cold:#?}");
    assert!(
        cold.iter().all(|request| request.status == Some(200)),
        "{cold:#?}"
    );

    // The next page brings only itself: what does not change is kept for ever.
    browser.find("[name=email]").keys(MASTER);
    browser.go(&format!("{}/forgot-password", doorward.address()));
    let warm: Vec<_> = browser.requests().split_off(cold.len());
    let (bytes, _, fonts) = weigh(&warm);
    assert!(bytes <= 5_000 && fonts == 0, "{warm:#?}");
}
