//! `doorward org`: organisations.

use std::io::{self, IsTerminal};

use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::Failure;
use super::print::Output;
use super::{beside, print};
use crate::accounts;
use crate::app::App;
use crate::config::Basics;
use crate::domain::email::Email;
use crate::domain::text::OrganisationName;
use crate::invitations::Link;
use crate::migrations::IfEmpty;
use crate::organisations::{self, Organisation};
use crate::routes::Route;
use crate::serve;
use crate::setup;

/// Organisations: list, create, invite the owner, delete.
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
    /// Delete an organisation whose owner never came, and all that is in it
    Delete {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
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
        Act::Delete { org, yes } => {
            let app = beside::open(&basics, IfEmpty::Refuse)?;
            let organisation = beside::organisation(&app, org.as_deref())?;
            if !yes && !is_meant(&organisation)? {
                return Err(Failure::Failed("nothing was deleted".to_owned()));
            }
            app.write(app.now(), |tx| {
                setup::delete_organisation(tx, &organisation)
            })?;
            print::line(format!("{} is deleted.", organisation.name))
        }
    }
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
                print::moment(organisation.created_at),
                organisation.id.to_string(),
            ]
        })
        .collect();
    print::table(&["NAME", "OWNER", "ACCOUNTS", "CREATED (UTC)", "ID"], &rows)
}

/// The link alone goes to standard output: it is what a script wants.
fn show_link(
    app: &App,
    organisation: &Organisation,
    link: &Link,
    output: Output,
) -> Result<(), Failure> {
    let url = app.settings.link(&Route::Activate(link.token.reveal()));
    if output.is_json() {
        return print::json(&json!({
            "organisation": { "id": organisation.id.to_string(), "name": organisation.name.as_str() },
            "owner": link.account.email.as_ref().map(Email::as_str),
            "activation_link": url,
            "expires_at": print::instant(link.expires_at),
        }));
    }
    print::remark(&format!(
        "{}: {} activates the master account with this link, until {} UTC.\n\
         It goes out by mail as well, as soon as a server with mail runs.",
        organisation.name,
        link.account.label(),
        print::moment(link.expires_at)
    ));
    print::line(url)
}

fn is_meant(organisation: &Organisation) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to ask: add --yes to delete the organisation".to_owned(),
        ));
    }
    print::remark(&format!(
        "Delete {} and all that is in it? This cannot be undone. Type yes:",
        organisation.name
    ));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}
