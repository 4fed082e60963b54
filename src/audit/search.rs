//! What is looked for in a chain, and how the index is asked for it.
//!
//! The index narrows down, the columns decide: a text that looks like one of our own words finds nothing under a filter.

use super::sql::search::{Order, Search};
use super::{Action, Deed, chain, sql};
use crate::domain::id::{AccountId, OrganisationId, SessionId};
use crate::error::Result as Answer;
use crate::kit::db::Read;
use crate::kit::time::Timestamp;
use crate::scope::{Allowed, ReadAudit};

/// One event, as the log shows it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the chain.
    pub number: i64,
    /// Which account did it, where one did.
    pub actor: Option<AccountId>,
    /// The address of that account as it then was; none once it is erased.
    pub actor_text: Option<String>,
    /// In which session.
    pub session: Option<SessionId>,
    /// To which account it was done.
    pub target: Option<AccountId>,
    /// How it was then called, or what else it was done to.
    pub target_text: Option<String>,
    /// In which request.
    pub request_id: String,
    /// What was done.
    pub deed: Deed,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The newest that match, newest first.
    pub lines: Vec<Line>,
    /// Whether there are older ones.
    pub has_older: bool,
    /// Words that are looked for only as they are, since too many begin with them.
    pub whole: Vec<String>,
}

/// The newest events of the organisation that match, before that number, so many at most.
pub fn find(
    read: &Read<'_>,
    by: &Allowed<ReadAudit>,
    filter: &Filter,
    before: Option<i64>,
    rows: usize,
) -> Answer<Found> {
    found(read, Some(by.organisation()), filter, before, rows)
}

/// The same in any chain, for the operator (`None`: the system's).
pub fn found(
    read: &Read<'_>,
    chain: Option<OrganisationId>,
    filter: &Filter,
    before: Option<i64>,
    rows: usize,
) -> Answer<Found> {
    let search = Search::new(read, chain, filter)?;
    let last = before.map_or(i64::MAX, |before| before.saturating_sub(1));
    let wanted = i64::try_from(rows).unwrap_or(i64::MAX).saturating_add(1);
    let mut numbers = search.numbers(read, (1, last), Order::Newest, wanted)?;
    let has_older = numbers.len() > rows;
    numbers.truncate(rows);
    let mut lines = Vec::with_capacity(numbers.len());
    for number in numbers {
        lines.extend(search.line(read, number)?);
    }
    Ok(Found {
        lines,
        has_older,
        whole: search.whole().to_vec(),
    })
}

/// The events of a chain behind that number, oldest first, so many at most.
pub fn since(
    read: &Read<'_>,
    chain: Option<OrganisationId>,
    filter: &Filter,
    number: i64,
    rows: i64,
) -> Answer<Vec<Line>> {
    let search = Search::new(read, chain, filter)?;
    let first = number.saturating_add(1);
    let numbers = search.numbers(read, (first, i64::MAX), Order::Oldest, rows)?;
    let mut lines = Vec::with_capacity(numbers.len());
    for number in numbers {
        lines.extend(search.line(read, number)?);
    }
    Ok(lines)
}

/// The number of the newest event of a chain; 0 where there is none.
pub fn newest(read: &Read<'_>, chain: Option<OrganisationId>) -> Answer<i64> {
    let head = sql::head(read, chain.map_or(0, OrganisationId::number))?;
    Ok(head.map_or(0, |head| head.number))
}

/// One event with its place in the chain.
#[derive(Clone, Debug)]
pub struct Event {
    /// The event.
    pub line: Line,
    /// Its hash, which is over the one before it.
    pub hash: [u8; 32],
    /// Which of its texts were erased since: 1 actor, 2 address, 3 target, 4 before, 5 after.
    pub erased: Vec<u8>,
    /// The number of the newest event of the chain.
    pub newest: i64,
}

/// The event of that number of the organisation's chain.
pub fn event(read: &Read<'_>, by: &Allowed<ReadAudit>, number: i64) -> Answer<Option<Event>> {
    let chain_id = by.organisation().number();
    let line = sql::search::line(read, chain_id, number)?;
    let sealed = sql::search::sealed(read, chain_id, number)?;
    let Some((line, sealed)) = line.zip(sealed) else {
        return Ok(None);
    };
    let erased = chain::slots(&sealed.row.commitments)
        .filter(|slot| sealed.texts.iter().all(|text| text.slot != *slot))
        .collect();
    Ok(Some(Event {
        line,
        hash: sealed.hash,
        erased,
        newest: newest(read, Some(by.organisation()))?,
    }))
}

/// What belongs together among the actions, for a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Coming in and going out.
    SignIns,
    /// Accounts, their invitations and what people change of their own.
    Accounts,
    /// Roles and the ownership.
    Permissions,
    /// Passwords and their resets.
    Passwords,
    /// The second factor, and what is asked of whom.
    TwoFactor,
    /// What the organisation decides for itself.
    Settings,
    /// What it has.
    Resources,
    /// What it pays.
    Billing,
    /// What is mailed.
    Mail,
    /// What was exported from this log.
    Log,
    /// What was refused for want of a right, or could not be read.
    Refused,
    /// What was done to the server.
    Operator,
}

impl Group {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 12] = [
        Self::SignIns,
        Self::Accounts,
        Self::Permissions,
        Self::Passwords,
        Self::TwoFactor,
        Self::Settings,
        Self::Resources,
        Self::Billing,
        Self::Mail,
        Self::Log,
        Self::Refused,
        Self::Operator,
    ];

    /// As the address says it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::SignIns => "sign-ins",
            Self::Accounts => "accounts",
            Self::Permissions => "permissions",
            Self::Passwords => "passwords",
            Self::TwoFactor => "two-factor",
            Self::Settings => "settings",
            Self::Resources => "resources",
            Self::Billing => "billing",
            Self::Mail => "mail",
            Self::Log => "audit-log",
            Self::Refused => "refused-requests",
            Self::Operator => "operator",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SignIns => "Sign-ins",
            Self::Accounts => "Accounts",
            Self::Permissions => "Permissions",
            Self::Passwords => "Passwords",
            Self::TwoFactor => "Two-factor",
            Self::Settings => "Settings",
            Self::Resources => "Resources",
            Self::Billing => "Billing",
            Self::Mail => "Mail",
            Self::Log => "Audit log",
            Self::Refused => "Refused requests",
            Self::Operator => "Server",
        }
    }

    /// Where an action belongs.
    #[must_use]
    pub const fn of(action: Action) -> Self {
        match action {
            Action::SignedIn
            | Action::SignInFailed
            | Action::SignInThrottled
            | Action::SignedOut
            | Action::SessionEnded
            | Action::SessionsEnded
            | Action::AccountUnlocked
            | Action::CodeAsked
            | Action::CodeFailed
            | Action::CodeThrottled
            | Action::ProofGiven
            | Action::SignInLinkMade => Self::SignIns,
            Action::AccountCreated
            | Action::AccountActivated
            | Action::AccountDisabled
            | Action::AccountEnabled
            | Action::DepartureSet
            | Action::DepartureCancelled
            | Action::DepartureDropped
            | Action::AccountDeleted
            | Action::AccountErased
            | Action::ImportChecked
            | Action::ImportDiscarded
            | Action::ImportBegan
            | Action::ImportEnded
            | Action::ImportExported
            | Action::OwnerInvited
            | Action::InvitationResent
            | Action::InvitationLinkCopied
            | Action::InvitationExpired
            | Action::InvitationLinkAsked
            | Action::InvitationRefused
            | Action::EmailChangeAsked
            | Action::EmailChanged
            | Action::ProfileChanged
            | Action::PreferencesChanged => Self::Accounts,
            Action::RoleChanged
            | Action::ManagersChanged
            | Action::OwnershipOffered
            | Action::OwnershipWithdrawn
            | Action::OwnershipDeclined
            | Action::OwnershipMoved => Self::Permissions,
            Action::ResetRequested | Action::PasswordChanged | Action::PasswordReset => {
                Self::Passwords
            }
            Action::PolicyChanged
            | Action::TwoFactorBegun
            | Action::TwoFactorOn
            | Action::TwoFactorOff
            | Action::TwoFactorReset
            | Action::RecoveryCodesRenewed => Self::TwoFactor,
            Action::OrganisationCreated
            | Action::OrganisationDeleted
            | Action::OrganisationRenamed
            | Action::OrganisationMoved
            | Action::DomainsChanged
            | Action::FirstStepsPutAway
            | Action::OrganisationDisabled
            | Action::OrganisationEnabled => Self::Settings,
            Action::ResourceCreated
            | Action::ResourceDescribed
            | Action::ResourcePlanChanged
            | Action::ResourceHandedOver
            | Action::ResourceEnded => Self::Resources,
            Action::InvoiceIssued
            | Action::InvoicePaid
            | Action::BudgetChanged
            | Action::BillingDetailsChanged => Self::Billing,
            Action::MailRetried | Action::MailTested => Self::Mail,
            Action::AuditExported | Action::LogPruned => Self::Log,
            Action::Denied | Action::FormRefused | Action::RequestMalformed => Self::Refused,
            Action::SetupLinkMade
            | Action::ClockSteppedBack
            | Action::KeyReplaced
            | Action::BackupMade
            | Action::BackupFailed
            | Action::BackupRestored
            | Action::SchemaUpgraded
            | Action::CatalogueImported => Self::Operator,
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It failed, or was refused.
    Refused,
}

impl Outcome {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Done, Self::Refused];

    /// As the address says it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Refused => "Refused or failed",
        }
    }

    /// How an action of this kind ends.
    #[must_use]
    pub const fn of(action: Action) -> Self {
        match action {
            Action::SignInFailed
            | Action::SignInThrottled
            | Action::CodeFailed
            | Action::CodeThrottled
            | Action::InvitationRefused
            | Action::Denied
            | Action::FormRefused
            | Action::RequestMalformed
            | Action::BackupFailed => Self::Refused,
            _ => Self::Done,
        }
    }
}

/// By whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// This account.
    Account(AccountId),
    /// Whoever runs the binary.
    Operator,
    /// The background thread.
    System,
    /// Somebody who was not signed in.
    Stranger,
}

impl Who {
    /// The word for it in a row and in the address; none for an account.
    #[must_use]
    pub const fn slug(self) -> Option<&'static str> {
        match self {
            Self::Account(_) => None,
            Self::Operator => Some("operator"),
            Self::System => Some("system"),
            Self::Stranger => Some("stranger"),
        }
    }

    /// As the address says it.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Account(id) => id.to_string(),
            other => other.slug().unwrap_or_default().to_owned(),
        }
    }

    /// Reads it; what it does not know is nobody.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        [Self::Operator, Self::System, Self::Stranger]
            .into_iter()
            .find(|who| who.slug() == Some(key))
            .or_else(|| key.parse().ok().map(Self::Account))
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Anything of a group.
    Group(Group),
    /// This alone.
    One(Action),
}

impl What {
    /// As the address says it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Group(group) => group.key(),
            Self::One(action) => action.slug(),
        }
    }

    /// Reads it; what it does not know is nothing.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Group::ALL
            .into_iter()
            .find(|group| group.key() == key)
            .map(Self::Group)
            .or_else(|| Action::from_slug(key).map(Self::One))
    }

    fn holds(self, action: Action) -> bool {
        match self {
            Self::Group(group) => Group::of(action) == group,
            Self::One(one) => one == action,
        }
    }
}

/// One of the words that were typed, with no blank in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// As typed.
    pub typed: String,
    /// The accounts whose name or address holds it: what they did and what was done to them is found too.
    pub people: Vec<AccountId>,
}

/// Which events are wanted. None of a field: any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// All of these words.
    pub terms: Vec<Term>,
    /// By whom.
    pub who: Option<Who>,
    /// What.
    pub what: Option<What>,
    /// To whom.
    pub target: Option<AccountId>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this one.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether it leaves anything out.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::default()
    }

    /// The actions that may match; none where every one does.
    pub(super) fn actions(&self) -> Option<Vec<Action>> {
        if self.what.is_none() && self.outcome.is_none() {
            return None;
        }
        let wanted = Action::ALL.into_iter().filter(|action| {
            self.what.is_none_or(|what| what.holds(*action))
                && self
                    .outcome
                    .is_none_or(|outcome| Outcome::of(*action) == outcome)
        });
        Some(wanted.collect())
    }
}

/// More words than these are not looked for.
const TERMS_MAX: usize = 8;
/// No word of ours is longer, and none shorter is taken for the beginning of one.
const TOKEN_MAX: usize = 64;
const PREFIX_MIN: usize = 2;

/// The words of what was typed.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    text.split_whitespace()
        .take(TERMS_MAX)
        .map(str::to_owned)
        .collect()
}

/// One token to ask the index for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Whether it may be the beginning of a word.
    pub(super) is_beginning: bool,
}

/// The tokens of a word, cut where the index cuts. Of a script whose letters it might cut otherwise nothing is kept, since it
/// takes a token that it cuts for a phrase, and knows none.
pub(super) fn tokens(typed: &str) -> Vec<Token> {
    // What begins to be typed on some keyboards as letter and accent stands in the index without the accent.
    let bare: String = typed
        .chars()
        .filter(|sign| !('\u{300}'..='\u{331}').contains(sign))
        .collect();
    let mut tokens: Vec<Token> = bare
        .split(|sign: char| !is_of_token(sign))
        .filter(|part| !part.is_empty())
        .take(TERMS_MAX)
        .map(|part| Token {
            text: part
                .chars()
                .take(TOKEN_MAX)
                .flat_map(char::to_lowercase)
                .filter(|sign| is_of_token(*sign))
                .collect(),
            is_beginning: false,
        })
        .filter(|token| !token.text.is_empty())
        .collect();
    let ends_within = typed.chars().next_back().is_some_and(is_of_token);
    if let Some(last) = tokens.last_mut() {
        last.is_beginning = ends_within && last.text.chars().count() >= PREFIX_MIN;
    }
    tokens
}

/// Letters and digits that every version of Unicode takes for such, and the colon, which the index keeps.
fn is_of_token(sign: char) -> bool {
    const SCRIPTS: [(char, char); 12] = [
        ('\u{aa}', '\u{24f}'),
        ('\u{370}', '\u{481}'),
        ('\u{48a}', '\u{523}'),
        ('\u{531}', '\u{586}'),
        ('\u{5d0}', '\u{5ea}'),
        ('\u{620}', '\u{64a}'),
        ('\u{e01}', '\u{e30}'),
        ('\u{10d0}', '\u{10fa}'),
        ('\u{1e00}', '\u{1eff}'),
        ('\u{3041}', '\u{3096}'),
        ('\u{30a1}', '\u{30fa}'),
        ('\u{4e00}', '\u{9fcb}'),
    ];
    let is_known = SCRIPTS
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&sign))
        || ('\u{ac00}'..='\u{d7a3}').contains(&sign);
    sign.is_ascii_alphanumeric() || sign == ':' || (is_known && sign.is_alphanumeric())
}

/// What the index is asked, and which words it is asked for as a whole because too many begin with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// The expression; none where everything matches.
    pub(super) asked: Option<String>,
    /// Whether nothing can match.
    pub(super) is_hopeless: bool,
    /// Words that are found only as they are.
    pub(super) whole: Vec<String>,
}

/// Makes the question. `is_cheap` tells whether few enough words begin so.
pub(super) fn question<E>(
    filter: &Filter,
    mut is_cheap: impl FnMut(&str) -> Result<bool, E>,
) -> Result<Question, E> {
    let mut question = Question::default();
    let mut all: Vec<String> = Vec::new();
    if let Some(actions) = filter.actions() {
        question.is_hopeless |= actions.is_empty();
        let any: Vec<String> = actions
            .iter()
            .map(|action| format!("\"action:{}\"", action.slug().replace(['.', '_'], ":")))
            .collect();
        all.push(any.join(" OR "));
    }
    match filter.who {
        Some(Who::Account(id)) => all.push(format!("\"by:{}\"", id.number())),
        Some(other) => all.extend(other.slug().map(|slug| format!("\"by:{slug}\""))),
        None => {}
    }
    if let Some(id) = filter.target {
        all.push(format!("\"on:{}\"", id.number()));
    }
    for term in &filter.terms {
        let mut words = Vec::new();
        for token in tokens(&term.typed) {
            let may_begin = token.is_beginning && is_cheap(&token.text)?;
            if token.is_beginning && !may_begin {
                question.whole.push(term.typed.clone());
            }
            words.push(format!(
                "\"{}\"{}",
                token.text,
                if may_begin { "*" } else { "" }
            ));
        }
        let mut any: Vec<String> = Vec::new();
        if !words.is_empty() {
            any.push(format!("({})", words.join(" AND ")));
        }
        for id in &term.people {
            any.push(format!("\"by:{}\"", id.number()));
            any.push(format!("\"on:{}\"", id.number()));
        }
        question.is_hopeless |= any.is_empty();
        all.push(any.join(" OR "));
    }
    all.retain(|part| !part.is_empty());
    let all: Vec<String> = all.iter().map(|part| format!("({part})")).collect();
    question.asked = (!all.is_empty()).then(|| all.join(" AND "));
    Ok(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(filter: &Filter, is_cheap: fn(&str) -> bool) -> Question {
        question(filter, |token| Ok::<_, ()>(is_cheap(token))).unwrap()
    }

    fn typed(text: &str) -> Filter {
        let term = |typed| Term {
            typed,
            people: Vec::new(),
        };
        Filter {
            terms: terms(text).into_iter().map(term).collect(),
            ..Filter::default()
        }
    }

    #[test]
    fn every_group_has_an_action_and_every_key_is_read_back() {
        for group in Group::ALL {
            assert!(Action::ALL.into_iter().any(|one| Group::of(one) == group));
            assert_eq!(What::parse(group.key()), Some(What::Group(group)));
            assert_eq!(Action::from_slug(group.key()), None);
        }
        for action in Action::ALL {
            assert_eq!(What::parse(action.slug()), Some(What::One(action)));
        }
        for key in ["", "nothing", "account", "sign_in"] {
            assert_eq!(What::parse(key), None, "{key}");
        }
        for key in ["operator", "system", "stranger", "acc_bbbbbbbbbbbbb"] {
            assert_eq!(Who::parse(key).unwrap().key(), key);
        }
        assert_eq!(Who::parse("account"), None);
    }

    #[test]
    fn nothing_that_is_typed_is_syntax() {
        for (text, question) in [
            ("lea", "((\"lea\"*))"),
            (
                "Lea@Fjord.example",
                "((\"lea\" AND \"fjord\" AND \"example\"*))",
            ),
            ("10.0.0.7", "((\"10\" AND \"0\" AND \"0\" AND \"7\"))"),
            ("a\" OR \"b", "((\"a\")) AND ((\"or\"*)) AND ((\"b\"))"),
            ("NEAR(x y)", "((\"near\" AND \"x\")) AND ((\"y\"))"),
            ("words:^x* -y", "((\"words:\" AND \"x\")) AND ((\"y\"))"),
            ("Übergrößen", "((\"übergrößen\"*))"),
            ("e\u{301}lan", "((\"elan\"*))"),
            ("a\0b", "((\"a\" AND \"b\"))"),
        ] {
            assert_eq!(
                asked(&typed(text), |_| true).asked.as_deref(),
                Some(question),
                "{text}"
            );
        }
    }

    #[test]
    fn what_begins_too_many_words_is_looked_for_whole_and_said_so() {
        let question = asked(&typed("fjor ann."), |_| false);
        assert_eq!(
            question.asked.as_deref(),
            Some("((\"fjor\")) AND ((\"ann\"))")
        );
        assert_eq!(question.whole, ["fjor"]);
    }

    #[test]
    fn signs_alone_find_nothing_and_not_everything() {
        for text in ["\"", "*", "%", "\u{202e}", "हिन्दी"] {
            assert!(asked(&typed(text), |_| true).is_hopeless, "{text}");
        }
        assert!(!asked(&typed(" "), |_| true).is_hopeless);
        let contrary = Filter {
            what: Some(What::One(Action::SignInFailed)),
            outcome: Some(Outcome::Done),
            ..Filter::default()
        };
        assert!(asked(&contrary, |_| true).is_hopeless);
    }

    #[test]
    fn whoever_bears_the_name_is_found_beside_the_word() {
        let ann: AccountId = "acc_bbbbbbbbbbbbb".parse().unwrap();
        let filter = Filter {
            terms: vec![Term {
                typed: "ann".to_owned(),
                people: vec![ann],
            }],
            who: Some(Who::Operator),
            target: Some(ann),
            ..Filter::default()
        };
        let number = ann.number();
        assert_eq!(
            asked(&filter, |_| true).asked.unwrap(),
            format!(
                "(\"by:operator\") AND (\"on:{number}\") AND ((\"ann\"*) OR \"by:{number}\" OR \"on:{number}\")"
            )
        );
    }
}
