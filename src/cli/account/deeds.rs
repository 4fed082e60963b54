//! What an operator does to accounts, by the same verbs as people in the Portal.

use serde_json::json;

use crate::accounts::{self, Account, Deed, Status};
use crate::app::App;
use crate::audit::{Action, Audited, Event};
use crate::cli::confirm::Sure;
use crate::cli::failure::Failure;
use crate::cli::links::Shown;
use crate::cli::print::{self, Output};
use crate::cli::{confirm, links};
use crate::domain::day::{self, LastDay};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::policy::Asked;
use crate::domain::role::Role;
use crate::erasing;
use crate::error::{Error, Result as Outcome};
use crate::invitations::{self, Link};
use crate::kit::db::Tx;
use crate::leaving::{self, Heir, Wishes};
use crate::lifecycle::{self, Effect};
use crate::organisations::{self, Organisation};
use crate::scope::{
    Allowed, By, InviteAccounts, ManageAccounts, ManageOrganisation, ManageResources,
};
use crate::sessions;

/// Steps of taking erased words out of the file before it is given up: more than any file needs that nobody reads.
const SCRUBS_MAX: usize = 10_000;

/// Creates an account, and shows its link.
pub(super) fn create(
    app: &App,
    organisation: &Organisation,
    email: &Email,
    role: Role,
    output: Output,
) -> Result<(), Failure> {
    let by = Allowed::<InviteAccounts>::operator(organisation.id);
    let terms = app.settings.terms;
    let made = app.write(app.now(), |tx| {
        invitations::invite(tx, &by, email, role, terms)?.try_map(|id| {
            let account = accounts::find(tx, id)?.ok_or(Error::NotFound)?;
            invitations::link(tx, account)
        })
    });
    if let Err(Error::Invalid { field, .. }) = &made
        && *field == accounts::EMAIL_FIELD
    {
        app.write(app.now(), |tx| {
            invitations::refuse_duplicate(tx, &By::operator(), organisation.id, email)
        })?;
    }
    show_link(app, organisation, &made?, output)
}

/// Switches it off, now or at the end of a day; what it holds goes to the heir.
pub(super) fn disable(
    app: &App,
    account: &Account,
    on: Option<&str>,
    heir: Option<&Account>,
) -> Result<(), Failure> {
    let (now, by) = (app.now(), may_manage(account));
    let zone = app
        .read(now, |read| organisations::get(read, account.organisation))?
        .zone();
    let last = on
        .map(|typed| LastDay::read(typed, now, &zone))
        .transpose()
        .map_err(|sentence| Error::invalid("--on", sentence))?;
    let may_hand_over = Allowed::<ManageResources>::operator(account.organisation);
    let wishes = Wishes {
        heir: heir.map(|heir| Heir {
            by: &may_hand_over,
            to: heir.id,
        }),
        resend: None,
    };
    let left = write(app, account, "disable", |tx| match last {
        None => leaving::disable(tx, &by, account.id, &wishes),
        Some(last) => leaving::set_last_day(tx, &by, account.id, last, &wishes),
    })?;
    let handed = match left.handed {
        0 => String::new(),
        1 => " 1 resource was handed over.".to_owned(),
        count => format!(" {count} resources were handed over."),
    };
    let label = account.label();
    print::line(match last {
        None => format!("{label} is disabled; their sessions have ended.{handed}"),
        Some(last) => format!(
            "{label} is disabled {}.",
            day::ending(last.ends_at(), &zone)
        ),
    })
}

/// No last day is set any more.
pub(super) fn keep(app: &App, account: &Account) -> Result<(), Failure> {
    let by = may_manage(account);
    write(app, account, "disable --cancel", |tx| {
        leaving::cancel(tx, &by, account.id)
    })?;
    print::line(format!(
        "{} stays: no last day is set any more.",
        account.label()
    ))
}

/// Switches it on again.
pub(super) fn enable(app: &App, account: &Account) -> Result<(), Failure> {
    let by = may_manage(account);
    write(app, account, "enable", |tx| {
        lifecycle::enable(tx, &by, account.id)
    })?;
    print::line(format!(
        "{} is enabled, and may sign in again.",
        account.label()
    ))
}

/// Deletes it, after asking.
pub(super) fn delete(app: &App, account: &Account, sure: Sure) -> Result<(), Failure> {
    let by = may_manage(account);
    // What is refused in any case is not asked about.
    let permitted = app.read(app.now(), |read| {
        accounts::permitted(read, &by, account.id, Deed::Delete)
    });
    recorded(app, account, "delete", permitted)?;
    let question = format!(
        "Delete {}? Sessions, links and password go, and the address is free again. This cannot be undone.",
        called(account)
    );
    confirm::ask(sure, &question, "delete the account")?;
    write(app, account, "delete", |tx| {
        lifecycle::delete(tx, &by, account.id)
    })?;
    print::line(format!("{} is deleted.", called(account)))
}

/// Erases what is left of one that is deleted, after asking.
pub(super) fn erase(app: &App, wanted: &str, sure: Sure) -> Result<(), Failure> {
    let Ok(id) = wanted.parse::<AccountId>() else {
        return Err(Failure::Usage(format!(
            "{wanted} is no id of an account: a deleted one has no address; doorward account list --deleted shows the ids"
        )));
    };
    let found = app.read(app.now(), |read| Ok(accounts::find(read, id)?))?;
    let account = found.ok_or_else(|| Failure::missing("account", wanted))?;
    let by = Allowed::<ManageOrganisation>::operator(account.organisation);
    let erasable = app.read(app.now(), |read| erasing::erasable(read, &by, id));
    recorded(app, &account, "erase", erasable)?;
    let name = match &account.name {
        Some(name) => name.to_string(),
        None => id.to_string(),
    };
    confirm::ask_for(sure, &name, "erase the personal data of this account")?;
    let mut texts = 0;
    loop {
        let erased = write(app, &account, "erase", |tx| erasing::erase(tx, &by, id))?;
        texts += erased.texts;
        if !erased.is_more {
            break;
        }
    }
    app.owe_scrub();
    let mut rounds = 0;
    while !app.scrub(app.now())? {
        rounds += 1;
        if rounds > SCRUBS_MAX {
            return Err(Failure::Failed(
                "the personal data is erased, but something reads the database without a pause, so that its old pages \
                 cannot be folded away; a running server does it once it can, or does it when it is started"
                    .to_owned(),
            ));
        }
    }
    print::line(format!(
        "The personal data of {id} is erased: {texts} texts of the audit log, the name, and what mails said."
    ))?;
    print::remark("Backups that were made before still hold it; issued invoices are not changed.");
    Ok(())
}

/// Gives it another permission.
pub(super) fn set_role(app: &App, account: &Account, role: Role) -> Result<(), Failure> {
    let by = Allowed::operator(account.organisation);
    let (before, managers) = write(app, account, "set-role", |tx| {
        lifecycle::change_role(tx, &by, account.id, role)?.try_map(|before| {
            let organisation = organisations::get(tx, before.organisation)?;
            Ok((before, organisation.managers))
        })
    })?;
    let then = match (
        before.status,
        lifecycle::effect(before.role, role, managers),
    ) {
        (Status::Active, Effect::Loss) => "; their sessions have ended",
        (Status::Active, Effect::Gain) => ", from their next sign-in on",
        (Status::Pending | Status::Disabled { .. } | Status::Deleted { .. }, _) => "",
    };
    print::line(format!(
        "The permission of {} is now {role}{then}.",
        account.label()
    ))
}

/// Sends a new link, and shows it.
pub(super) fn resend(app: &App, account: &Account, output: Output) -> Result<(), Failure> {
    let by = may_manage(account);
    let terms = app.settings.terms;
    let (link, organisation) = write(app, account, "resend", |tx| {
        invitations::resend(tx, &by, account.id, terms)?.try_map(|account| {
            let organisation = organisations::get(tx, account.organisation)?;
            Ok((invitations::link(tx, account)?, organisation))
        })
    })?;
    show_link(app, &organisation, &link, output)
}

/// Ends its sessions.
pub(super) fn sign_out(app: &App, account: &Account) -> Result<(), Failure> {
    let by = may_manage(account);
    write(app, account, "sign-out", |tx| {
        lifecycle::sign_out(tx, &by, account.id)
    })?;
    print::line(format!("{} is signed out everywhere.", account.label()))
}

/// Takes its second factor away.
pub(super) fn reset_two_factor(app: &App, account: &Account) -> Result<(), Failure> {
    let by = may_manage(account);
    let asked = write(app, account, "reset-two-factor", |tx| {
        lifecycle::reset_two_factor(tx, &by, account.id)?.try_map(|before| {
            let policies = organisations::policies(tx, before.organisation)?;
            Ok(policies.of(before.role).asks(tx.now()))
        })
    })?;
    let then = match asked {
        Asked::By(end) if end <= app.now() => {
            "then set up another: their organisation requires it, and they reach nothing else before".to_owned()
        }
        Asked::By(end) => format!(
            "then set up another on their Account page: their organisation requires it, from {} UTC on",
            print::moment(end)
        ),
        Asked::Recommended | Asked::Nothing => {
            "and may set up another on their Account page".to_owned()
        }
    };
    print::line(format!(
        "The second factor of {} is void, with its recovery codes; their sessions have ended.\n\
         They sign in with their password alone, {then}.",
        account.label()
    ))
}

/// Makes a link that signs its person in, and shows it.
pub(super) fn sign_in_link(app: &App, account: &Account, output: Output) -> Result<(), Failure> {
    let (link, organisation) = write(app, account, "sign-in-link", |tx| {
        sessions::make_link(tx, account)?.try_map(|link| {
            let organisation = organisations::get(tx, account.organisation)?;
            Ok((link, organisation))
        })
    })?;
    links::show_sign_in(app, &organisation, account, &link, output)
}

fn may_manage(account: &Account) -> Allowed<ManageAccounts> {
    Allowed::operator(account.organisation)
}

fn write<T>(
    app: &App,
    account: &Account,
    command: &str,
    work: impl FnOnce(&Tx<'_>) -> Outcome<Audited<T>>,
) -> Result<T, Failure> {
    recorded(app, account, command, app.write(app.now(), work))
}

/// What a guard refused is in the log as well, as when a page refuses it.
fn recorded<T>(
    app: &App,
    account: &Account,
    command: &str,
    outcome: Outcome<T>,
) -> Result<T, Failure> {
    if let Err(error @ Error::Refused(_)) = &outcome {
        let event = Event::of(account.organisation, Action::Denied)
            .on(account.id, called(account))
            .with("command", format!("account {command}"))
            .with("code", error.code());
        app.refuse(app.now(), &By::operator(), &event)?;
    }
    Ok(outcome?)
}

fn called(account: &Account) -> String {
    match &account.email {
        Some(email) => email.to_string(),
        None => account.label(),
    }
}

fn show_link(
    app: &App,
    organisation: &Organisation,
    link: &Link,
    output: Output,
) -> Result<(), Failure> {
    let account = &link.account;
    let whom = json!({
        "id": account.id.to_string(),
        "email": account.email.as_ref().map(Email::as_str),
        "permission": account.role.key(),
    });
    let what = format!("the account as {}", account.role);
    let shown = Shown {
        organisation,
        link,
        whom: ("account", whom),
        what: &what,
    };
    links::show(app, shown, output)
}
