//! What people do with the real executable, step by step over HTTP: found an organisation, invite, activate, sign in.

use std::time::Duration;

use doorward::kit::time::{Clock as _, SystemClock};

use crate::answer::between;
use crate::client::{Client, Page};
use crate::letter::{Letter, path_of};
use crate::phone::Phone;
use crate::process::{Doorward, Launch};
use crate::relay::{Received, Relay};
use crate::wait;

/// The organisation of the first run.
pub(crate) const ORGANISATION: &str = "Halden Works";
/// Its owner.
pub(crate) const OWNER: &str = "ingrid@haldenworks.example";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "Quiet-Harbour-9";
/// How long the background thread and a relay may take over something.
const PATIENCE: Duration = Duration::from_secs(20);

/// `doorward serve` whose mail goes to this relay, with this login.
pub(crate) fn launch(relay: &Relay, login: &str) -> Launch {
    Launch::serve().arg("--smtp-url").arg(relay.url(login))
}

/// The address that the first start leaves in its file.
#[track_caller]
pub(crate) fn setup_link(process: &Doorward) -> String {
    let file = process.data().join("setup-link");
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

/// Uses the set-up link; the owner, signed in.
#[track_caller]
pub(crate) fn found(process: &Doorward) -> Client {
    found_by(process, Client::new(process.address()))
}

/// The same, with this browser.
#[track_caller]
pub(crate) fn found_by(process: &Doorward, mut owner: Client) -> Client {
    let path = path_of(&setup_link(process));
    assert_eq!(owner.get(&path).status, 200);
    let fields = [
        ("organisation", ORGANISATION),
        ("name", "Ingrid Solheim"),
        ("email", OWNER),
        ("timezone", "Europe/Oslo"),
        ("password", PASSWORD),
        ("password_confirmation", PASSWORD),
    ];
    expect(owner.post_form(&path, &fields), 303);
    sign_in(&mut owner, OWNER);
    owner
}

/// Signs in with everybody's password.
#[track_caller]
pub(crate) fn sign_in(client: &mut Client, email: &str) {
    let page = try_password(client, email, PASSWORD);
    assert_eq!(expect(page, 303).location(), "/");
}

/// Types this into the sign-in form.
pub(crate) fn try_password(client: &mut Client, email: &str, password: &str) -> Page {
    client.get("/sign-in");
    client.post_form("/sign-in", &[("email", email), ("password", password)])
}

/// The present, in seconds: what a phone goes by.
pub(crate) fn now() -> i64 {
    SystemClock::new().now().0
}

/// Sets up two-factor with a phone. They must have signed in less than ten minutes ago.
#[track_caller]
pub(crate) fn enrol(client: &mut Client) -> Phone {
    let mut phone = begin_to_enrol(client);
    let code = phone.code(now());
    let page = client.post_form("/account/two-factor/confirm", &[("code", &code)]);
    phone.recovery = codes_on(&expect(page, 200));
    phone
}

/// Opens the set-up and reads the key on it; no code was typed yet.
#[track_caller]
pub(crate) fn begin_to_enrol(client: &mut Client) -> Phone {
    expect(client.get("/account/two-factor"), 200);
    let begun = expect(client.post_form("/account/two-factor", &[]), 303);
    let page = expect(client.get(begun.location()), 200);
    let key = between(&page.body, "<output id=\"key\"", "</output>");
    Phone::new(key.split_once('>').unwrap().1)
}

/// The recovery codes on a page that shows them.
pub(crate) fn codes_on(page: &Page) -> Vec<String> {
    let list = between(&page.body, "<ol class=\"codes\"", "</ol>");
    let codes: Vec<String> = list
        .split("<li>")
        .skip(1)
        .map(|item| item.split('<').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(codes.len(), 10, "{list}");
    codes
}

/// Gives the password, and then this code.
pub(crate) fn try_code(client: &mut Client, email: &str, code: &str) -> Page {
    let page = expect(try_password(client, email, PASSWORD), 303);
    assert_eq!(page.location(), "/sign-in/code");
    expect(client.get("/sign-in/code"), 200);
    client.post_form("/sign-in/code", &[("code", code)])
}

/// Invites somebody as Member.
#[track_caller]
pub(crate) fn invite(by: &mut Client, email: &str) {
    by.get("/iam/accounts/new");
    let fields = [("email", email), ("role", "member")];
    expect(by.post_form("/iam/accounts", &fields), 303);
}

/// Opens an activation link and fills in its form.
pub(crate) fn activate(client: &mut Client, path: &str, name: &str) -> Page {
    expect(client.get(path), 200);
    let fields = [
        ("name", name),
        ("phone", ""),
        ("password", PASSWORD),
        ("password_confirmation", PASSWORD),
    ];
    client.post_form(path, &fields)
}

/// The link of the newest mail to this address.
#[track_caller]
pub(crate) fn link_for(received: &[Received], to: &str) -> String {
    let newest = received.iter().rev().find(|mail| mail.to == [to]);
    let newest = newest.unwrap_or_else(|| panic!("nothing came for {to}"));
    Letter::read(&newest.data).link()
}

/// The answer, if it has this status; the test fails with all of it if it has not.
#[track_caller]
pub(crate) fn expect(page: Page, status: u16) -> Page {
    assert_eq!(page.status, status, "{page:#?}");
    page
}

/// Waits until a page says something; the background thread works beside the pages.
#[track_caller]
pub(crate) fn until_seen(client: &mut Client, path: &str, words: &str) -> Page {
    let mut last = None;
    let seen = wait::until(PATIENCE, || {
        let page = client.get(path);
        let found = page.text().contains(words);
        last = Some(page.clone());
        found.then_some(page)
    });
    seen.unwrap_or_else(|| panic!("{words:?} never stood on {path}:\n{:#?}", last.unwrap()))
}
