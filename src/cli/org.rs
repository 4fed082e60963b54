//! `doorward org`: organisations.

use clap::{Args, Subcommand};
use serde_json::json;

use super::confirm::Sure;
use super::failure::Failure;
use super::links::Shown;
use super::print::Output;
use super::{beside, confirm, links, print};
use crate::accounts;
use crate::app::App;
use crate::config::flags::Basics;
use crate::domain::email::Email;
use crate::domain::text::OrganisationName;
use crate::invitations::Link;
use crate::migrations::IfEmpty;
use crate::organisations::{self, Organisation};
use crate::scope::Allowed;
use crate::serve;
use crate::settings;
use crate::setup;

/// Organisations: list, create, invite the owner, rename, disable, enable, delete.
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List all organisations
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Create an organisation; its owner gets the activation link by mail, and it is printed as well
    Create {
        /// Its name
        #[arg(long, value_name = "NAME")]
        name: OrganisationName,
        /// The address of its owner, the master account
        #[arg(long, value_name = "EMAIL")]
        master_email: Email,
        /// Its time zone, as in Europe/Oslo
        #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = organisations::time_zone)]
        time_zone: String,
        #[command(flatten)]
        output: Output,
    },
    /// Send an owner who is still Pending a new link, to another address if you give one
    InviteOwner {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        /// The owner's address from now on
        #[arg(long, value_name = "EMAIL")]
        email: Option<Email>,
        #[command(flatten)]
        output: Output,
    },
    /// Give an organisation another name
    Rename {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        /// Its name from now on
        #[arg(long, value_name = "NAME")]
        name: OrganisationName,
    },
    /// Switch an organisation off: all its sessions end, nobody of it signs in, its links open nothing, its mail waits
    Disable {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        #[command(flatten)]
        sure: Sure,
    },
    /// Switch an organisation on again
    Enable {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
    },
    /// Delete an organisation whose owner never came, and all that is in it
    Delete {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        #[command(flatten)]
        sure: Sure,
    },
}

/// Does it.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command { basics, act } = command;
    match act {
        Act::List { output } => list(&beside::open(&basics, IfEmpty::Refuse)?, output),
        Act::Create {
            name,
            master_email,
            time_zone,
            output,
        } => {
            let app = beside::open(&basics, IfEmpty::SetUp)?;
            let (organisation, link) = app.write(app.now(), |tx| {
                setup::found_by_invitation(tx, &name, &time_zone, &master_email, app.settings.terms)
            })?;
            serve::forget_link(&app)?;
            show_link(&app, &organisation, &link, output)
        }
        Act::InviteOwner { org, email, output } => {
            let app = beside::open(&basics, IfEmpty::Refuse)?;
            let organisation = beside::organisation(&app, org.as_deref())?;
            let link = app.write(app.now(), |tx| {
                setup::invite_owner(tx, &organisation, email.as_ref(), app.settings.terms)
            })?;
            show_link(&app, &organisation, &link, output)
        }
        Act::Rename { org, name } => {
            let app = beside::open(&basics, IfEmpty::Refuse)?;
            rename(&app, &beside::organisation(&app, org.as_deref())?, &name)
        }
        Act::Disable { org, sure } => {
            let app = beside::open(&basics, IfEmpty::Refuse)?;
            disable(&app, &beside::organisation(&app, org.as_deref())?, sure)
        }
        Act::Enable { org } => {
            let app = beside::open(&basics, IfEmpty::Refuse)?;
            let organisation = beside::organisation(&app, org.as_deref())?;
            app.write(app.now(), |tx| settings::enable(tx, &organisation))?;
            print::line(format!(
                "{} is enabled: its people may sign in again.",
                organisation.name
            ))
        }
        Act::Delete { org, sure } => {
            let app = beside::open(&basics, IfEmpty::Refuse)?;
            let organisation = beside::organisation(&app, org.as_deref())?;
            let question = format!(
                "Delete {} and all that is in it? This cannot be undone.",
                organisation.name
            );
            confirm::ask(sure, &question, "delete the organisation")?;
            app.write(app.now(), |tx| {
                setup::delete_organisation(tx, &organisation)
            })?;
            print::line(format!("{} is deleted.", organisation.name))
        }
    }
}

fn rename(app: &App, organisation: &Organisation, name: &OrganisationName) -> Result<(), Failure> {
    let by = Allowed::operator(organisation.id);
    let renamed = app.write_if(app.now(), |tx| settings::rename(tx, &by, name))?;
    print::line(match renamed {
        Some(()) => format!("{} is now {name}.", organisation.name),
        None => format!("{name} is its name already."),
    })
}

fn disable(app: &App, organisation: &Organisation, sure: Sure) -> Result<(), Failure> {
    if organisation.disabled_at.is_none() {
        let question = format!(
            "Disable {}? It has {}: all are signed out, and nobody signs in until it is enabled again.",
            organisation.name,
            people(app, organisation)?
        );
        confirm::ask(sure, &question, "disable the organisation")?;
    }
    let ended = app.write(app.now(), |tx| settings::disable(tx, organisation))?;
    let sessions = match ended {
        0 => "nobody was signed in".to_owned(),
        1 => "one session has ended".to_owned(),
        several => format!("{several} sessions have ended"),
    };
    print::line(format!("{} is disabled; {sessions}.", organisation.name))
}

fn list(app: &App, output: Output) -> Result<(), Failure> {
    let rows = app.read(app.now(), |read| {
        let mut rows = Vec::new();
        for organisation in organisations::list(read)? {
            let owner = accounts::find(read, organisation.owner)?;
            let counts = accounts::counts(read, organisation.id)?;
            rows.push((organisation, owner.and_then(|owner| owner.email), counts));
        }
        Ok(rows)
    })?;
    if output.is_json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|(organisation, owner, counts)| {
                json!({
                    "id": organisation.id.to_string(),
                    "name": organisation.name.as_str(),
                    "owner": owner.as_ref().map(Email::as_str),
                    "accounts": counts.all(),
                    "time_zone": organisation.time_zone,
                    "created_at": print::instant(organisation.created_at),
                    "disabled_at": organisation.disabled_at.map(print::instant),
                })
            })
            .collect();
        return print::json(&rows.into());
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(organisation, owner, counts)| {
            vec![
                organisation.name.to_string(),
                owner.map(|owner| owner.to_string()).unwrap_or_default(),
                counts.all().to_string(),
                organisation.disabled_at.map_or_else(
                    || "Active".to_owned(),
                    |since| format!("Disabled {}", print::moment(since)),
                ),
                print::moment(organisation.created_at),
                organisation.id.to_string(),
            ]
        })
        .collect();
    print::table(
        &[
            "NAME",
            "OWNER",
            "ACCOUNTS",
            "STATUS (UTC)",
            "CREATED (UTC)",
            "ID",
        ],
        &rows,
    )
}

fn show_link(
    app: &App,
    organisation: &Organisation,
    link: &Link,
    output: Output,
) -> Result<(), Failure> {
    let owner = json!(link.account.email.as_ref().map(Email::as_str));
    let shown = Shown {
        organisation,
        link,
        whom: ("owner", owner),
        what: "the master account",
    };
    links::show(app, shown, output)
}

/// How many people there are in it, in words.
fn people(app: &App, organisation: &Organisation) -> Result<String, Failure> {
    let counts = app.read(app.now(), |read| {
        Ok(accounts::counts(read, organisation.id)?)
    })?;
    Ok(match counts.all() {
        1 => "one account".to_owned(),
        several => format!("{several} accounts"),
    })
}
