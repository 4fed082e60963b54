//! What an operator sees of accounts.

use serde_json::{Value, json};

use crate::accounts::{self, Account, Departure, Filter, Line, MailState, Status};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::print::Output;
use crate::cli::{beside, print};
use crate::domain::code::RECOVERY_CODES;
use crate::domain::day;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::error::Result as Outcome;
use crate::kit::db::Read;
use crate::kit::time::DAY;
use crate::organisations;
use crate::scope::{Allowed, ListAccounts};
use crate::sessions::{self, Lifetimes};
use crate::two_factor::{self, State};

/// How long a server lets sessions live, a command does not know; it removes those that are over within a minute.
const ANY_LIFE: Lifetimes = Lifetimes {
    idle: 10_000 * DAY,
    max: 10_000 * DAY,
};

/// What deleted accounts of an organisation left.
pub(super) fn deleted(
    app: &App,
    org: Option<&str>,
    search: &str,
    output: Output,
) -> Result<(), Failure> {
    let organisation = beside::organisation(app, org)?;
    let by = Allowed::<ListAccounts>::operator(organisation.id);
    let filter = Filter {
        text: (!search.is_empty()).then(|| search.to_owned()),
        status: Some(accounts::DELETED),
        ..Filter::default()
    };
    let (lines, _) = app.read(app.now(), |read| {
        Ok(accounts::list(read, &by, &filter, 0, i64::MAX)?)
    })?;
    if output.is_json() {
        let rows: Vec<Value> = lines
            .iter()
            .map(|line| value(&line.account, (None, None), organisation.owner))
            .collect();
        return print::json(&rows.into());
    }
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let account = &line.account;
            vec![
                account.id.to_string(),
                account.label(),
                account.role.to_string(),
                status(account),
            ]
        })
        .collect();
    print::table(&["ID", "NAME", "PERMISSION", "STATUS"], &rows)
}

/// The accounts of an organisation.
pub(super) fn list(
    app: &App,
    org: Option<&str>,
    search: &str,
    output: Output,
) -> Result<(), Failure> {
    let organisation = beside::organisation(app, org)?;
    let accounts = app.read(app.now(), |read| {
        let found = accounts::matching(read, organisation.id, search, i64::MAX)?;
        found
            .into_iter()
            .map(|account| {
                let leaves = accounts::departure(read, account.id)?;
                Ok((factor(read, &account)?, leaves, account))
            })
            .collect::<Outcome<Vec<_>>>()
    })?;
    if output.is_json() {
        let rows: Vec<Value> = accounts
            .iter()
            .map(|(factor, leaves, account)| {
                value(
                    account,
                    (factor.as_ref(), leaves.as_ref()),
                    organisation.owner,
                )
            })
            .collect();
        return print::json(&rows.into());
    }
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|(factor, leaves, account)| {
            vec![
                text(account.name.as_ref()),
                text(account.email.as_ref()),
                account.role.to_string(),
                match leaving(leaves.as_ref()) {
                    Some(leaving) => format!("{}, {leaving}", status(account)),
                    None => status(account),
                },
                factor
                    .as_ref()
                    .map_or_else(|| "off".to_owned(), |on| print::moment(on.since)),
                account
                    .last_seen_at
                    .map_or_else(|| "never".to_owned(), print::moment),
                account.id.to_string(),
            ]
        })
        .collect();
    print::table(
        &[
            "NAME",
            "EMAIL",
            "PERMISSION",
            "STATUS",
            "TWO-FACTOR SINCE (UTC)",
            "LAST ACTIVE (UTC)",
            "ID",
        ],
        &rows,
    )
}

fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn status(account: &Account) -> String {
    let slug = account.status.slug();
    let mut letters = slug.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Its second factor, if it has one.
fn factor(read: &Read<'_>, account: &Account) -> Outcome<Option<State>> {
    if account.has_two_factor {
        two_factor::state(read, account.id)
    } else {
        Ok(None)
    }
}

/// "leaves 2026-11-30 23:00", in UTC, or that it was to.
fn leaving(departure: Option<&Departure>) -> Option<String> {
    let departure = departure?;
    let at = print::moment(departure.at);
    Some(match departure.dropped {
        None => format!("leaves {at}"),
        Some(_) => format!("not disabled on {at}"),
    })
}

fn value(
    account: &Account,
    (factor, leaves): (Option<&State>, Option<&Departure>),
    owner: AccountId,
) -> Value {
    let obstacle = leaves
        .and_then(|one| one.dropped)
        .map(|(_, why)| why.slug());
    let (disabled_at, deleted_at) = match account.status {
        Status::Disabled { since } => (Some(since), None),
        Status::Deleted { at } => (None, Some(at)),
        Status::Pending | Status::Active => (None, None),
    };
    json!({
        "id": account.id.to_string(),
        "email": account.email.as_ref().map(Email::as_str),
        "name": account.name.as_ref().map(ToString::to_string),
        "phone": account.phone.as_ref().map(ToString::to_string),
        "permission": account.role.key(),
        "status": account.status.slug(),
        "is_owner": account.id == owner,
        "two_factor": factor.is_some(),
        "two_factor_since": factor.map(|on| print::instant(on.since)),
        "created_at": print::instant(account.created_at),
        "activated_at": account.activated_at.map(print::instant),
        "disabled_at": disabled_at.map(print::instant),
        "leaves_at": leaves.map(|one| print::instant(one.at)),
        "leaves_not": obstacle,
        "deleted_at": deleted_at.map(print::instant),
        "last_active_at": account.last_seen_at.map(print::instant),
    })
}

/// One account.
pub(super) fn show(app: &App, account: &Account, output: Output) -> Result<(), Failure> {
    let (organisation, line, sessions, factor, leaves) = app.read(app.now(), |read| {
        let organisation = organisations::get(read, account.organisation)?;
        let line = accounts::line(read, account.organisation, account.id)?;
        let sessions = sessions::live(read, account.id, ANY_LIFE)?.len();
        let leaves = accounts::departure(read, account.id)?;
        Ok((organisation, line, sessions, factor(read, account)?, leaves))
    })?;
    let link = line.as_ref().and_then(|line| line.link_expires_at);
    let mail = line.as_ref().and_then(mail);
    if output.is_json() {
        let facts = (factor.as_ref(), leaves.as_ref());
        let mut value = value(account, facts, organisation.owner);
        if let Value::Object(fields) = &mut value {
            fields.insert("organisation".to_owned(), organisation.name.as_str().into());
            fields.insert(
                "link_expires_at".to_owned(),
                link.map(print::instant).into(),
            );
            fields.insert("invitation_mail".to_owned(), mail.into());
            fields.insert("sessions".to_owned(), sessions.into());
            fields.insert(
                "recovery_codes_left".to_owned(),
                factor.map(|on| on.codes_left).into(),
            );
        }
        return print::json(&value);
    }
    let mut rows = vec![
        ("Name", text(account.name.as_ref())),
        ("Email", text(account.email.as_ref())),
        ("Phone", text(account.phone.as_ref())),
        ("Permission", account.role.to_string()),
        ("Status", status(account)),
        ("Organisation", organisation.name.to_string()),
        (
            "Created",
            format!("{} UTC", print::moment(account.created_at)),
        ),
    ];
    let times = [
        ("Activated", account.activated_at),
        ("Last active", account.last_seen_at),
        ("Link until", link),
    ];
    for (what, at) in times {
        if let Some(at) = at {
            rows.push((what, format!("{} UTC", print::moment(at))));
        }
    }
    if let Some(mail) = mail {
        rows.push(("Invitation", format!("mail {mail}")));
    }
    if account.status == Status::Active {
        rows.push(("Sessions", sessions.to_string()));
    }
    rows.push((
        "Two-factor",
        factor.map_or_else(
            || "off".to_owned(),
            |on| {
                format!(
                    "on since {} UTC, {} of {RECOVERY_CODES} recovery codes left",
                    print::moment(on.since),
                    on.codes_left
                )
            },
        ),
    ));
    if let Some(departure) = leaves {
        let end = day::ending(departure.at, &organisation.zone());
        let words = match departure.dropped {
            None => end,
            Some((_, why)) => format!("was to be disabled {end}, and was not. {}", why.sentence()),
        };
        rows.push(("Leaves", words));
    }
    rows.push(("Id", account.id.to_string()));
    let text: Vec<String> = rows
        .into_iter()
        .map(|(what, value)| format!("{what:<14}{value}"))
        .collect();
    print::line(text.join("\n"))
}

fn mail(line: &Line) -> Option<String> {
    Some(match line.mail? {
        MailState::Waiting => "waiting".to_owned(),
        MailState::Sent => "sent".to_owned(),
        MailState::Failed => match &line.mail_answer {
            Some(answer) => format!("failed: {answer}"),
            None => "failed".to_owned(),
        },
    })
}
