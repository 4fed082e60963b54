//! How a command shows a link: one that activates an account, or one that signs somebody in.

use serde_json::{Value, json};

use super::failure::Failure;
use super::print::{self, Output};
use crate::accounts::Account;
use crate::app::App;
use crate::domain::email::Email;
use crate::invitations::Link;
use crate::kit::time::MINUTE;
use crate::organisations::Organisation;
use crate::routes::Route;
use crate::sessions;

/// A link to print.
pub(super) struct Shown<'l> {
    /// Of which organisation.
    pub(super) organisation: &'l Organisation,
    /// The link.
    pub(super) link: &'l Link,
    /// Whose it is, for programs.
    pub(super) whom: (&'static str, Value),
    /// What it activates, for people.
    pub(super) what: &'l str,
}

/// Prints it. The link alone goes to standard output: it is what a script wants.
pub(super) fn show(app: &App, shown: Shown<'_>, output: Output) -> Result<(), Failure> {
    let Shown {
        organisation,
        link,
        whom,
        what,
    } = shown;
    let url = app.settings.link(&Route::Activate(link.token.reveal()));
    if output.is_json() {
        let mut value = json!({
            "organisation": { "id": organisation.id.to_string(), "name": organisation.name.as_str() },
            "activation_link": url,
            "expires_at": print::instant(link.expires_at),
        });
        if let Value::Object(fields) = &mut value {
            fields.insert(whom.0.to_owned(), whom.1);
        }
        return print::json(&value);
    }
    print::remark(&format!(
        "{}: {} activates {what} with this link, until {} UTC.",
        organisation.name,
        link.account.label(),
        print::moment(link.expires_at)
    ));
    print::remark(match organisation.disabled_at {
        None => "It goes out by mail as well, as soon as a server with mail runs.",
        Some(_) => {
            "The organisation is disabled: until it is enabled the link opens nothing, and no mail goes out."
        }
    });
    print::line(url)
}

/// Prints a link that signs this person in, in the same manner.
pub(super) fn show_sign_in(
    app: &App,
    organisation: &Organisation,
    account: &Account,
    link: &sessions::Link,
    output: Output,
) -> Result<(), Failure> {
    let url = app.settings.link(&Route::SignInLink(link.token.reveal()));
    if output.is_json() {
        return print::json(&json!({
            "organisation": { "id": organisation.id.to_string(), "name": organisation.name.as_str() },
            "account": {
                "id": account.id.to_string(),
                "email": account.email.as_ref().map(Email::as_str),
                "permission": account.role.key(),
            },
            "asks_for_code": account.has_two_factor,
            "sign_in_link": url,
            "expires_at": print::instant(link.expires_at),
        }));
    }
    print::remark(&format!(
        "{}: {} signs in with this link once, within {} minutes. An older one is dead.",
        organisation.name,
        account.label(),
        sessions::LINK_TTL / MINUTE
    ));
    print::remark(if account.has_two_factor {
        "It takes the place of the password alone: the code of their app, or a recovery code, is asked for all the same."
    } else {
        "Whoever opens it is signed in: hand it to nobody else."
    });
    print::line(url)
}
