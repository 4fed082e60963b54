//! `doorward account import`: many at once, by the same reading and the same verdicts as in the Portal, without its caps.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::role;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::print::{self, Output};
use crate::cli::{beside, input};
use crate::domain::role::Role;
use crate::error::Error;
use crate::imports::file::{self, Entry};
use crate::imports::{self, Done, Refusal};
use crate::invitations::Link;
use crate::organisations::Organisation;
use crate::routes::Route;
use crate::scope::{Allowed, InviteAccounts};

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The list: email,permission,name,phone, or plain addresses; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which organisation, by name or id; needed where there are several
    #[arg(long, value_name = "ORGANISATION")]
    org: Option<String>,
    /// The permission of those of whom the list says none
    #[arg(long, value_name = "ROLE", value_parser = role(), ignore_case = true, default_value = "member")]
    role: Role,
    /// Only say what each line means
    #[arg(long)]
    check: bool,
    /// Print the activation links as well
    #[arg(long, conflicts_with = "check")]
    links: bool,
    #[command(flatten)]
    output: Output,
}

/// What became of a line.
enum Fate {
    /// It can be invited.
    New,
    /// It is.
    Invited(Box<Link>),
    /// It is not.
    Refused(Refusal),
    /// Something went wrong before it.
    Unreached,
}

/// Does it. What is wrong with the file is told first, and needs no install.
pub(super) fn run(basics: &crate::config::flags::Basics, options: &Options) -> Result<(), Failure> {
    let (name, bytes) = input::read(&options.file, file::FILE_MAX)?;
    let parsed = file::parse(&bytes).map_err(|mistake| {
        Failure::Failed(format!(
            "{name}:{}: {}\n       Nobody was invited.",
            mistake.line, mistake.sentence
        ))
    })?;
    let app = beside::open(basics, crate::migrations::IfEmpty::Refuse)?;
    let organisation = beside::organisation(&app, options.org.as_deref())?;
    let by = Allowed::<InviteAccounts>::operator(organisation.id);
    if !parsed.unused.is_empty() {
        print::remark(&format!(
            "Columns that are not used: {}.",
            parsed.unused.join(", ")
        ));
    }
    let verdicts = app.read(app.now(), |read| {
        imports::judge(read, &by, &parsed.entries, options.role, i64::MAX)
    })?;
    let mut lines: Vec<(Entry, Fate)> = verdicts
        .lines
        .into_iter()
        .map(|line| {
            let fate = line.refusal.map_or(Fate::New, Fate::Refused);
            (line.entry, fate)
        })
        .collect();
    let broken = if options.check {
        None
    } else {
        invite(&app, &by, &mut lines).err()
    };
    show(&app, &lines, options)?;
    tell(&organisation, &lines, broken)
}

/// Invites whoever can be, each in a transaction of its own; stops where the file itself cannot be used.
fn invite(
    app: &App,
    by: &Allowed<InviteAccounts>,
    lines: &mut [(Entry, Fate)],
) -> Result<(), Error> {
    let is_new = |fate: &Fate| matches!(fate, Fate::New);
    let count = lines.iter().filter(|(_, fate)| is_new(fate)).count();
    if count == 0 {
        return Ok(());
    }
    let began = app.write(app.now(), |tx| imports::operator_began(tx, by, count));
    let mut outcome = began;
    for (entry, fate) in lines.iter_mut().filter(|(_, fate)| is_new(fate)) {
        *fate = Fate::Unreached;
        if outcome.is_err() {
            continue;
        }
        let terms = app.settings.terms;
        match app.write_if(app.now(), |tx| {
            imports::invite_as_operator(tx, by, entry, terms)
        }) {
            Ok(Some(Done::Invited(link))) => *fate = Fate::Invited(link),
            Ok(Some(Done::Refused(refusal))) => *fate = Fate::Refused(refusal),
            // Somebody else was faster.
            Ok(None) => *fate = Fate::Refused(Refusal::Here),
            Err(error) => outcome = Err(error),
        }
    }
    outcome?;
    let invited = count_of(lines, |fate| matches!(fate, Fate::Invited(_)));
    let refused = count_of(lines, |fate| matches!(fate, Fate::Refused(_)));
    app.write(app.now(), |tx| {
        imports::operator_ended(tx, by, (invited, refused))
    })
}

fn count_of(lines: &[(Entry, Fate)], is_meant: impl Fn(&Fate) -> bool) -> usize {
    lines.iter().filter(|(_, fate)| is_meant(fate)).count()
}

/// A line for each line.
fn show(app: &App, lines: &[(Entry, Fate)], options: &Options) -> Result<(), Failure> {
    let link = |fate: &Fate| match fate {
        Fate::Invited(link) if options.links => {
            Some(app.settings.link(&Route::Activate(link.token.reveal())))
        }
        _ => None,
    };
    if options.output.is_json() {
        let values: Vec<Value> = lines
            .iter()
            .map(|(entry, fate)| value(entry, fate, link(fate)))
            .collect();
        return print::json(&values.into());
    }
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|(entry, fate)| {
            let (outcome, why) = words(entry, fate);
            let mut row = vec![
                entry.line.to_string(),
                entry.email.clone(),
                entry.role.clone(),
                outcome.to_owned(),
            ];
            row.push(link(fate).unwrap_or(why));
            row
        })
        .collect();
    print::table(&["LINE", "EMAIL", "PERMISSION", "OUTCOME", ""], &rows)
}

fn words(entry: &Entry, fate: &Fate) -> (&'static str, String) {
    match fate {
        Fate::New => ("New", String::new()),
        Fate::Invited(_) => ("Invited", String::new()),
        Fate::Refused(refusal) => (refusal.label(), refusal.sentence(entry)),
        Fate::Unreached => ("Not reached", String::new()),
    }
}

fn value(entry: &Entry, fate: &Fate, link: Option<String>) -> Value {
    let (slug, why) = match fate {
        Fate::New => ("new", None),
        Fate::Invited(_) => ("invited", None),
        Fate::Refused(refusal) => ("refused", Some(refusal)),
        Fate::Unreached => ("not_reached", None),
    };
    let account = match fate {
        Fate::Invited(link) => Some(link.account.id.to_string()),
        Fate::New | Fate::Refused(_) | Fate::Unreached => None,
    };
    let mut value = json!({
        "line": entry.line,
        "email": entry.email,
        "permission": entry.role,
        "name": entry.name,
        "phone": entry.phone,
        "outcome": slug,
        "why": why.map(|why| why.key()),
        "sentence": why.map(|why| why.sentence(entry)),
        "account": account,
    });
    if let (Some(link), Value::Object(fields), Fate::Invited(own)) = (link, &mut value, fate) {
        fields.insert("activation_link".to_owned(), link.into());
        fields.insert(
            "expires_at".to_owned(),
            print::instant(own.expires_at).into(),
        );
    }
    value
}

/// How it went, as a sentence and as the exit code.
fn tell(
    organisation: &Organisation,
    lines: &[(Entry, Fate)],
    broken: Option<Error>,
) -> Result<(), Failure> {
    let invited = count_of(lines, |fate| matches!(fate, Fate::Invited(_)));
    let new = count_of(lines, |fate| matches!(fate, Fate::New));
    let refused = count_of(lines, |fate| matches!(fate, Fate::Refused(_)));
    let people = |count: usize| match count {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    if new > 0 {
        print::remark(&format!(
            "{}: {} can be invited. Nobody was.",
            organisation.name,
            people(new)
        ));
    }
    if invited > 0 {
        print::remark(&format!(
            "{}: {} invited. Their mails go out as soon as a server with mail runs.",
            organisation.name,
            people(invited)
        ));
    }
    if let Some(error) = broken {
        let unreached = count_of(lines, |fate| matches!(fate, Fate::Unreached));
        return Err(Failure::Failed(format!(
            "{error}; {unreached} of {} lines were not reached: import the list again, whoever is invited is left out",
            lines.len()
        )));
    }
    if refused > 0 {
        return Err(Failure::Failed(format!(
            "{refused} of {} lines refused; mend them, and import the list again: whoever is here is left out",
            lines.len()
        )));
    }
    Ok(())
}
