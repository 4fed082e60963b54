//! `doorward account`: what an operator does to accounts.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::Failure;
use super::print::Output;
use super::{beside, password, print};
use crate::accounts::{self, Account, Line, MailState, Status};
use crate::app::App;
use crate::config::Basics;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::password::Password;
use crate::kit::db::Read;
use crate::migrations::IfEmpty;
use crate::organisations;
use crate::passwords::{self, PasswordHash};
use crate::scope::By;

/// Accounts: list, show, set a password, unlock.
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the accounts of an organisation
    List {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        /// Only those whose name or address holds this text
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Show one account
    Show {
        /// Its address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
        #[command(flatten)]
        output: Output,
    },
    /// Set somebody's password: asks for it, ends their sessions, and tells them by mail
    SetPassword {
        /// The account's address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
        /// Take the password from the first line of this file, or of standard input with -
        #[arg(long, value_name = "FILE")]
        password_file: Option<std::path::PathBuf>,
    },
    /// Let an account's sign-in tries begin anew, after too many wrong passwords
    Unlock {
        /// The account's address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
}

/// Does it.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    let app = beside::open(&command.basics, IfEmpty::Refuse)?;
    match command.act {
        Act::List {
            org,
            search,
            output,
        } => list(
            &app,
            org.as_deref(),
            search.as_deref().unwrap_or_default(),
            output,
        ),
        Act::Show { account, output } => show(&app, &account, output),
        Act::SetPassword {
            account,
            password_file,
        } => {
            let account = find(&app, &account)?;
            let password = password::new(password_file.as_deref(), |text| chosen(text, &account))?;
            let hash = app
                .hasher
                .hash(password.bytes(), app.random())
                .map_err(crate::error::Error::from)?;
            let hash = PasswordHash::new(hash);
            app.write(app.now(), |tx| {
                passwords::change(tx, &By::operator(), &account, &hash)
            })?;
            print::line(format!(
                "The password of {} is set; their sessions have ended.",
                account.label()
            ))
        }
        Act::Unlock { account } => {
            let account = find(&app, &account)?;
            app.write(app.now(), |tx| passwords::unlock(tx, &account))?;
            print::line(format!("{} may try to sign in again.", account.label()))
        }
    }
}

/// The same rule as in the Portal.
fn chosen(text: &str, account: &Account) -> Result<Password, String> {
    let local = account.email.as_ref().map(Email::local).unwrap_or_default();
    let name = account.name.as_ref().map(|name| name.as_str());
    Password::chosen(text, &[local, name.unwrap_or_default()])
}

/// The account with this address or id, in whichever organisation.
fn find(app: &App, wanted: &str) -> Result<Account, Failure> {
    let found = app.read(app.now(), |read| find_in(read, wanted))?;
    found
        .filter(|account| !matches!(account.status, Status::Deleted { .. }))
        .ok_or_else(|| Failure::missing("account", wanted))
}

fn find_in(read: &Read<'_>, wanted: &str) -> crate::error::Result<Option<Account>> {
    if let Ok(id) = wanted.parse::<AccountId>() {
        return Ok(accounts::find(read, id)?);
    }
    match wanted.parse::<Email>() {
        Ok(email) => Ok(accounts::by_email(read, &email)?),
        Err(_) => Ok(None),
    }
}

fn list(app: &App, org: Option<&str>, search: &str, output: Output) -> Result<(), Failure> {
    let organisation = beside::organisation(app, org)?;
    let accounts = app.read(app.now(), |read| {
        Ok(accounts::matching(read, organisation.id, search, i64::MAX)?)
    })?;
    if output.is_json() {
        let rows: Vec<Value> = accounts
            .iter()
            .map(|account| value(account, organisation.owner))
            .collect();
        return print::json(&rows.into());
    }
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|account| {
            vec![
                text(account.name.as_ref()),
                text(account.email.as_ref()),
                account.role.to_string(),
                status(account),
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

fn value(account: &Account, owner: AccountId) -> Value {
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
        "created_at": print::instant(account.created_at),
        "activated_at": account.activated_at.map(print::instant),
        "disabled_at": disabled_at.map(print::instant),
        "deleted_at": deleted_at.map(print::instant),
        "last_active_at": account.last_seen_at.map(print::instant),
    })
}

fn show(app: &App, wanted: &str, output: Output) -> Result<(), Failure> {
    let account = find(app, wanted)?;
    let (organisation, line) = app.read(app.now(), |read| {
        let organisation = organisations::get(read, account.organisation)?;
        let line = accounts::line(read, account.organisation, account.id)?;
        Ok((organisation, line))
    })?;
    let link = line.as_ref().and_then(|line| line.link_expires_at);
    let mail = line.as_ref().and_then(mail);
    if output.is_json() {
        let mut value = value(&account, organisation.owner);
        if let Value::Object(fields) = &mut value {
            fields.insert("organisation".to_owned(), organisation.name.as_str().into());
            fields.insert(
                "link_expires_at".to_owned(),
                link.map(print::instant).into(),
            );
            fields.insert("invitation_mail".to_owned(), mail.into());
        }
        return print::json(&value);
    }
    let mut rows = vec![
        ("Name", text(account.name.as_ref())),
        ("Email", text(account.email.as_ref())),
        ("Phone", text(account.phone.as_ref())),
        ("Permission", account.role.to_string()),
        ("Status", status(&account)),
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
