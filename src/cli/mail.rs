//! `doorward mail`: what is owed and what became of it, and a mail that is sent at once to see whether mail leaves.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::failure::Failure;
use super::print::Output;
use super::{beside, print};
use crate::app::{App, Settings};
use crate::config::flags::Basics;
use crate::domain::email::Email;
use crate::domain::id::ErrandId;
use crate::kit::dates;
use crate::kit::mail::smtp::Smtp;
use crate::kit::mail::{Cause, Failure as Refusal, Mailer, Message};
use crate::kit::random::{self, OsRandom};
use crate::kit::time::{Clock, SystemClock, Timestamp};
use crate::migrations::IfEmpty;
use crate::organisations::{self, Organisation};
use crate::outbox::{self, Filter, Row, Search};
use crate::scope::{Allowed, ReadMail};

/// Mails of one page; the list is read page by page.
const ROWS: i64 = 500;

/// Mail: list, show, send failed ones again, send a test
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the mails of an organisation, newest first
    List {
        /// Only those in this state
        #[arg(long, value_name = "STATE", value_parser = states())]
        state: Option<String>,
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Show one mail with each attempt at it; never what it says
    Show {
        /// Its id
        #[arg(value_name = "ID", value_parser = errand)]
        id: ErrandId,
        #[command(flatten)]
        output: Output,
    },
    /// Send failed mails again; the server does it
    Retry {
        /// Their ids
        #[arg(value_name = "ID", required = true, value_parser = errand)]
        ids: Vec<ErrandId>,
    },
    /// Send a test mail at once through smtp_url and print what was said with the mail server, without secrets; no
    /// server has to run
    Test {
        /// To this address
        #[arg(value_name = "ADDRESS")]
        to: Email,
    },
}

fn states() -> PossibleValuesParser {
    let keys = Filter::ALL.into_iter().filter_map(Filter::key);
    keys.collect::<Vec<_>>().into()
}

fn errand(text: &str) -> Result<ErrandId, String> {
    text.parse().map_err(|()| {
        "a mail has an id like mail_b7mzq4kdp2xwe; doorward mail list prints them".to_owned()
    })
}

/// Does it.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command { basics, act } = command;
    if let Act::Test { to } = act {
        return test(&basics, &to);
    }
    let app = beside::open(&basics, IfEmpty::Refuse)?;
    match act {
        Act::List { state, org, output } => {
            let filter = Filter::ALL
                .into_iter()
                .find(|one| one.key() == state.as_deref());
            let organisation = beside::organisation(&app, org.as_deref())?;
            list(&app, &organisation, filter.unwrap_or_default(), output)
        }
        Act::Show { id, output } => show(&app, id, output),
        Act::Retry { ids } => ids.into_iter().try_for_each(|id| retry(&app, id)),
        Act::Test { to } => test(&basics, &to),
    }
}

fn list(
    app: &App,
    organisation: &Organisation,
    filter: Filter,
    output: Output,
) -> Result<(), Failure> {
    let by = Allowed::<ReadMail>::operator(organisation.id);
    let search = Search { filter, text: None };
    let found = app.read(app.now(), |read| {
        let mut found = Vec::new();
        loop {
            let offset = i64::try_from(found.len()).unwrap_or(i64::MAX);
            let page = outbox::list(read, &by, search, offset, ROWS)?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    })?;
    if output.is_json() {
        let rows: Vec<Value> = found.iter().map(value).collect();
        return print::json(&rows.into());
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|row| {
            vec![
                row.id.to_string(),
                print::moment(row.created_at),
                recipient(row),
                row.kind.label().to_owned(),
                row.state.slug().replace('_', " "),
                row.answer.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let headings = ["ID", "WRITTEN (UTC)", "TO", "SUBJECT", "STATE", "ANSWER"];
    print::table(&headings, &rows)
}

fn recipient(row: &Row) -> String {
    row.recipient
        .as_ref()
        .map_or_else(|| outbox::views::GONE.to_owned(), ToString::to_string)
}

/// In whichever organisation it is.
fn find(app: &App, id: ErrandId) -> Result<(Organisation, Row), Failure> {
    let found = app.read(app.now(), |read| {
        for organisation in organisations::list(read)? {
            let by = Allowed::<ReadMail>::operator(organisation.id);
            if let Some(row) = outbox::find(read, &by, id)? {
                return Ok(Some((organisation, row)));
            }
        }
        Ok(None)
    })?;
    found.ok_or_else(|| Failure::missing("mail", &id.to_string()))
}

fn show(app: &App, id: ErrandId, output: Output) -> Result<(), Failure> {
    let (organisation, row) = find(app, id)?;
    let (attempts, dialogue) = app.read(app.now(), |read| {
        Ok((outbox::attempts(read, id)?, outbox::dialogue(read, id)?))
    })?;
    if output.is_json() {
        let mut shown = value(&row);
        if let Some(object) = shown.as_object_mut() {
            let attempts = attempts.iter().map(|one| {
                json!({
                    "first_at": print::instant(one.first_at),
                    "last_at": print::instant(one.last_at),
                    "count": one.count,
                    "answer": one.answer,
                })
            });
            object.insert("organisation".to_owned(), organisation.name.as_str().into());
            object.insert("attempts".to_owned(), attempts.collect());
            let said = dialogue.map(|dialogue| dialogue.text);
            let lines = said.map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
            object.insert("dialogue".to_owned(), lines.into());
        }
        return print::json(&shown);
    }
    let moment = |at: Option<Timestamp>| at.map(print::moment).unwrap_or_default();
    let is_owed = row.ended_at.is_none();
    let mut facts = vec![
        ("Mail", row.id.to_string()),
        ("Organisation", organisation.name.to_string()),
        ("To", recipient(&row)),
        ("Subject", row.kind.label().to_owned()),
        ("State", row.state.slug().replace('_', " ")),
        ("Last answer", row.answer.clone().unwrap_or_default()),
        ("Written", print::moment(row.created_at)),
        ("Ended", moment(row.ended_at)),
        ("Next try", moment(is_owed.then_some(row.due_at))),
        ("Worth until", print::moment(row.deadline_at)),
        ("Message-ID", format!("<{}>", row.message_id)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    for (name, value) in facts {
        print::line(format!("{name:<14}{value}"))?;
    }
    if !attempts.is_empty() {
        print::line("")?;
        let rows: Vec<Vec<String>> = attempts
            .iter()
            .map(|one| {
                vec![
                    print::moment(one.first_at),
                    print::moment(one.last_at),
                    one.count.to_string(),
                    one.answer.clone(),
                ]
            })
            .collect();
        let headings = ["FIRST (UTC)", "LAST (UTC)", "TIMES", "ANSWER"];
        print::table(&headings, &rows)?;
    }
    if let Some(dialogue) = dialogue {
        print::line("")?;
        print::line(dialogue.text.trim_end_matches('\n'))?;
    }
    Ok(())
}

fn retry(app: &App, id: ErrandId) -> Result<(), Failure> {
    let (organisation, _) = find(app, id)?;
    let by = Allowed::<ReadMail>::operator(organisation.id);
    let row = app.write(app.now(), |tx| outbox::retry(tx, &by, id))?;
    print::line(format!(
        "{id} to {} waits to be sent again.",
        recipient(&row)
    ))
}

/// Sends one now. Where there is no database yet there is nothing to record it in.
fn test(basics: &Basics, to: &Email) -> Result<(), Failure> {
    let config = super::read(&basics.0)?;
    let relay = config.values.relay.as_ref().ok_or_else(|| {
        Failure::Failed(
            "mail is off: set smtp_url (DOORWARD_SMTP_URL), like smtp://user:password@mail.example.com:587"
                .to_owned(),
        )
    })?;
    let settings = match beside::open(basics, IfEmpty::Refuse) {
        Ok(app) => {
            app.write(app.now(), |tx| outbox::note_test(tx, to))?;
            app.settings
        }
        Err(Failure::NotFound(_)) => {
            print::remark("There is no database yet: this test is recorded nowhere.");
            config.settings_beside(None)
        }
        Err(failure) => return Err(failure),
    };
    let smtp = Smtp::new(relay.clone(), host(&settings))
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let message = message(&settings, to)?;
    print::line(format!(
        "{} to {to} by {}",
        message.subject,
        relay.summary()
    ))?;
    let outcome = smtp.send(&message);
    for line in smtp.dialogue() {
        print::line(line.to_string())?;
    }
    smtp.rest();
    match outcome {
        Ok(words) => print::line(format!("Sent: {words}")),
        Err(refusal) => Err(Failure::Failed(why(refusal))),
    }
}

fn host(settings: &Settings) -> &str {
    let host = settings.host();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

fn message(settings: &Settings, to: &Email) -> Result<Message, Failure> {
    let now = SystemClock::new().now();
    let at = dates::long_moment(now, &TimeZone::UTC);
    let letter = outbox::mail::from_operator(settings, to.as_str(), &at);
    let drawn: [u8; 16] =
        random::bytes(&OsRandom).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(Message {
        id: format!(
            "test-{}@{}",
            data_encoding::HEXLOWER.encode(&drawn),
            settings.mail_domain()
        ),
        date: now,
        from: settings.mail_from.clone(),
        to: to.to_string(),
        subject: letter.subject.clone(),
        text: letter.text(),
        html: letter.html(),
    })
}

/// What the server said, and what to do about it.
fn why(refusal: Refusal) -> String {
    let (words, advice) = match refusal {
        Refusal::Relay(cause, words) => (words, advice(cause)),
        Refusal::Later(words) => (words, "it was refused for now: try again in a few minutes"),
        Refusal::Never(words) => (words, "the mail server takes no mail for this address"),
    };
    format!("{words}\n       {advice}")
}

const fn advice(cause: Cause) -> &'static str {
    match cause {
        Cause::Connection => "check host and port in smtp_url, and the network between",
        Cause::Tls => "check smtp_url: its scheme, its host and its ?ca=",
        Cause::Login => "the login is refused: check user and password in smtp_url",
        Cause::Sender => {
            "the sender is refused: check mail_from, and what the mail server lets this login send"
        }
        Cause::Service => "if it goes on, ask whoever runs the mail server",
    }
}

fn value(row: &Row) -> Value {
    json!({
        "id": row.id.to_string(),
        "account_id": row.account.to_string(),
        "kind": row.kind.slug(),
        "to": row.recipient.as_ref().map(ToString::to_string),
        "state": row.state.slug(),
        "answer": row.answer,
        "written_at": print::instant(row.created_at),
        "due_at": print::instant(row.due_at),
        "deadline_at": print::instant(row.deadline_at),
        "ended_at": row.ended_at.map(print::instant),
        "message_id": row.message_id,
    })
}
