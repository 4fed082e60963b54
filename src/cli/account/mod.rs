//! `doorward account`: what an operator does to accounts.

mod deeds;
mod shown;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::confirm::Sure;
use super::failure::Failure;
use super::print::Output;
use super::{beside, password, print};
use crate::accounts::{self, Account, Status};
use crate::app::App;
use crate::config::flags::Basics;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::password::Password;
use crate::domain::role::Role;
use crate::kit::db::Read;
use crate::migrations::IfEmpty;
use crate::passwords::{self, PasswordHash};
use crate::scope::By;

/// Accounts: list, show, create, disable, enable, delete, give a permission, and help people in
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
        /// What deleted accounts left instead: their ids, and their names until these are erased
        #[arg(long)]
        deleted: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Show one account
    Show {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: Output,
    },
    /// Create an account; its person gets the activation link by mail, and it is printed as well
    Create {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        /// Its address
        #[arg(long, value_name = "EMAIL")]
        email: Email,
        /// Its permission
        #[arg(long, value_name = "ROLE", value_parser = role(), ignore_case = true)]
        role: Role,
        #[command(flatten)]
        output: Output,
    },
    /// Switch an account off: nobody signs in with it, its sessions end, all else is kept
    Disable {
        #[command(flatten)]
        which: Which,
        /// At the end of this day in the organisation's time zone, as year-month-day, instead of now
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
        /// Hand all that the account holds over to this account, at the same time
        #[arg(long, value_name = "EMAIL|ID")]
        hand_over_to: Option<String>,
        /// Forget the day that was set
        #[arg(long, conflicts_with_all = ["on", "hand_over_to"])]
        cancel: bool,
    },
    /// Switch an account on again
    Enable {
        #[command(flatten)]
        which: Which,
    },
    /// Delete an account: its address is free again, its name stays where it stands in the log
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        sure: Sure,
    },
    /// Erase the personal data that a deleted account left: its name, and every address of its person in the audit log
    Erase {
        /// The deleted account's id, as account list --deleted shows it
        #[arg(value_name = "ID")]
        account: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Give an account another permission; what it loses it loses now, what it gains it has from the next sign-in
    SetRole {
        #[command(flatten)]
        which: Which,
        /// Its permission from now on
        #[arg(value_name = "ROLE", value_parser = role(), ignore_case = true)]
        role: Role,
    },
    /// Send a Pending account a new activation link, and print it; the one before is dead
    Resend {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: Output,
    },
    /// End every session of an account
    SignOut {
        #[command(flatten)]
        which: Which,
    },
    /// Set somebody's password: asks for it, ends their sessions, and tells them by mail
    SetPassword {
        #[command(flatten)]
        which: Which,
        /// Take the password from the first line of this file, or of standard input with -
        #[arg(long, value_name = "FILE")]
        password_file: Option<std::path::PathBuf>,
    },
    /// Take somebody's second factor away: ends their sessions, and tells them by mail; the password alone signs them in
    ResetTwoFactor {
        #[command(flatten)]
        which: Which,
    },
    /// Print a link that signs somebody in once, within 15 minutes; a second factor is asked for all the same
    SignInLink {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: Output,
    },
    /// Let an account's sign-in tries begin anew, after too many wrong passwords or codes
    Unlock {
        #[command(flatten)]
        which: Which,
    },
}

/// Which account is meant, in whichever organisation it is.
#[derive(Args, Debug)]
struct Which {
    /// The account's address or id
    #[arg(value_name = "EMAIL|ID")]
    account: String,
}

/// A permission by its key, in any case of its letters.
fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::key)).try_map(|key| {
        key.to_ascii_lowercase()
            .parse()
            .map_err(|()| "no permission of this name")
    })
}

/// Does it.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    let app = beside::open(&command.basics, IfEmpty::Refuse)?;
    match command.act {
        Act::List {
            org,
            search,
            deleted: true,
            output,
        } => shown::deleted(
            &app,
            org.as_deref(),
            search.as_deref().unwrap_or_default(),
            output,
        ),
        Act::List {
            org,
            search,
            deleted: false,
            output,
        } => shown::list(
            &app,
            org.as_deref(),
            search.as_deref().unwrap_or_default(),
            output,
        ),
        Act::Show { which, output } => shown::show(&app, &find(&app, &which)?, output),
        Act::Create {
            org,
            email,
            role,
            output,
        } => {
            let organisation = beside::organisation(&app, org.as_deref())?;
            deeds::create(&app, &organisation, &email, role, output)
        }
        Act::Disable {
            which,
            on,
            hand_over_to,
            cancel,
        } => {
            let account = find(&app, &which)?;
            if cancel {
                return deeds::keep(&app, &account);
            }
            let heir = hand_over_to.map(|account| find(&app, &Which { account }));
            deeds::disable(&app, &account, on.as_deref(), heir.transpose()?.as_ref())
        }
        Act::Enable { which } => deeds::enable(&app, &find(&app, &which)?),
        Act::Delete { which, sure } => deeds::delete(&app, &find(&app, &which)?, sure),
        Act::Erase { account, sure } => deeds::erase(&app, &account, sure),
        Act::SetRole { which, role } => deeds::set_role(&app, &find(&app, &which)?, role),
        Act::Resend { which, output } => deeds::resend(&app, &find(&app, &which)?, output),
        Act::SignOut { which } => deeds::sign_out(&app, &find(&app, &which)?),
        Act::SetPassword {
            which,
            password_file,
        } => set_password(&app, &find(&app, &which)?, password_file.as_deref()),
        Act::ResetTwoFactor { which } => deeds::reset_two_factor(&app, &find(&app, &which)?),
        Act::SignInLink { which, output } => {
            deeds::sign_in_link(&app, &find(&app, &which)?, output)
        }
        Act::Unlock { which } => {
            let account = find(&app, &which)?;
            app.write(app.now(), |tx| passwords::unlock(tx, &account))?;
            print::line(format!(
                "{} may try to sign in again: wrong passwords and codes are forgotten.",
                account.label()
            ))
        }
    }
}

fn set_password(
    app: &App,
    account: &Account,
    file: Option<&std::path::Path>,
) -> Result<(), Failure> {
    let password = password::new(file, |text| chosen(text, account))?;
    let hash = app
        .hasher
        .hash(password.bytes(), app.random())
        .map_err(crate::error::Error::from)?;
    let hash = PasswordHash::new(hash);
    app.write(app.now(), |tx| {
        passwords::change(tx, &By::operator(), account, &hash)
    })?;
    print::line(format!(
        "The password of {} is set; their sessions have ended.",
        account.label()
    ))
}

/// The same rule as in the Portal.
fn chosen(text: &str, account: &Account) -> Result<Password, String> {
    let local = account.email.as_ref().map(Email::local).unwrap_or_default();
    let name = account.name.as_ref().map(|name| name.as_str());
    Password::chosen(text, &[local, name.unwrap_or_default()])
}

/// The account with this address or id, in whichever organisation.
fn find(app: &App, which: &Which) -> Result<Account, Failure> {
    let wanted = which.account.as_str();
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
