//! The personal text of somebody whose account is deleted goes: what they did and what was done to them, and wherever
//! else their names and addresses stand. The rows stay, and an event says which texts are gone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::chain::{ERASED_COUNT, ERASED_LIST, erased_list};
use super::sql::past::{self, Mention};
use super::{Action, Audited, Event, append, sql};
use crate::domain::id::{AccountId, OrganisationId};
use crate::error::Result;
use crate::kit::db::{Read, Tx};
use crate::kit::time::{DAY, Timestamp};
use crate::scope::By;

/// Texts that are erased in one transaction: writers wait meanwhile.
const TEXTS_MAX: usize = 10_000;
/// Pages of the index that are merged in one step.
const PAGES: i64 = 400;
/// The slots of a row's texts.
const ACTOR: u8 = 1;
const ADDRESS: u8 = 2;
const TARGET: u8 = 3;
const BEFORE: u8 = 4;
const AFTER: u8 = 5;

/// Whose texts.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The organisation of the account.
    pub organisation: OrganisationId,
    /// The account.
    pub account: AccountId,
}

/// What one step of an erasure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// How many texts are gone.
    pub texts: usize,
    /// Whether there are more, which another step erases.
    pub is_more: bool,
}

/// What somebody is and was called, by which texts that name them are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// Another name, address or telephone number.
    pub fn add(&mut self, name: &str) {
        let name = name.trim().to_lowercase();
        // One or two letters stand in too many words.
        if name.chars().count() > 2 {
            self.0.insert(name);
        }
    }

    /// All that the log knows of this account: its addresses, its names and its telephone numbers.
    pub fn known(read: &Read<'_>, person: Person) -> Result<Self> {
        let mut names = Self::default();
        for mention in past::own(read, person.account, person.organisation.number())? {
            match mention.slot {
                ACTOR if mention.is_by => names.add(&mention.text),
                TARGET if mention.is_on => names.add(&mention.text),
                BEFORE | AFTER if mention.is_on && is_of_oneself(mention.action) => {
                    // A name, and behind it a telephone number.
                    match mention.text.rsplit_once(", +") {
                        Some((name, phone)) => {
                            names.add(name);
                            names.add(&format!("+{phone}"));
                        }
                        None => names.add(&mention.text),
                    }
                }
                _ => {}
            }
        }
        Ok(names)
    }

    /// Whether a text is one of them, or holds one of them as words of its own. A single word names somebody only where
    /// it is all that is said.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().any(|name| {
            if name.contains([' ', '@', '+']) {
                holds(&text, name)
            } else {
                text.trim() == name
            }
        })
    }

    /// In the order of letters, each as it is compared: without capitals.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether the text holds the name with nothing before or after it that could belong to it.
fn holds(text: &str, name: &str) -> bool {
    let belongs = |c: char| c.is_alphanumeric();
    text.match_indices(name).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..);
        let after = after.and_then(|after| after.chars().next());
        !before.is_some_and(belongs) && !after.is_some_and(belongs)
    })
}

/// Whether what was changed by it is what its account is called.
const fn is_of_oneself(action: Action) -> bool {
    matches!(
        action,
        Action::ProfileChanged
            | Action::EmailChangeAsked
            | Action::EmailChanged
            | Action::OwnerInvited
    )
}

/// Erases the next texts of them from the chain of their organisation and from the system's, and records it in each:
/// first what others did where their name stands, then what is their own. What was begun goes on with the same names
/// until the last of them is gone.
pub fn erase(tx: &Tx<'_>, by: &By, person: Person, names: &Names) -> Result<Audited<Erased>> {
    let own_chain = person.organisation.number();
    let mut texts: Vec<(i64, (i64, u8))> = Vec::new();
    for chain_id in [0, own_chain] {
        let named = named(tx, person, names, chain_id)?;
        texts.extend(named.into_iter().map(|text| (chain_id, text)));
    }
    for chain_id in [0, own_chain] {
        let own = past::own(tx, person.account, chain_id)?;
        let own = own.iter().filter(|mention| is_own(mention));
        texts.extend(own.map(|mention| (chain_id, (mention.number, mention.slot))));
    }
    let mut seen = BTreeSet::new();
    texts.retain(|text| seen.insert(*text));
    let is_more = texts.len() > TEXTS_MAX;
    texts.truncate(TEXTS_MAX);
    let count = texts.len();
    let mut chains: BTreeMap<i64, Vec<(i64, u8)>> = BTreeMap::new();
    // That it was done stands in their organisation's chain in any case.
    chains.insert(own_chain, Vec::new());
    for (chain_id, text) in texts {
        chains.entry(chain_id).or_default().push(text);
    }
    for (chain_id, mut texts) in chains {
        texts.sort_unstable();
        erase_from(tx, by, person, (chain_id, &texts), is_more)?;
    }
    Ok(Audited {
        value: Erased {
            texts: count,
            is_more,
        },
    })
}

fn erase_from(
    tx: &Tx<'_>,
    by: &By,
    person: Person,
    (chain_id, texts): (i64, &[(i64, u8)]),
    is_more: bool,
) -> Result<()> {
    let head = sql::head(tx, chain_id)?.map(|head| (head.number, head.hash));
    let event = head.map_or(1, |(number, _)| number + 1);
    for text in texts {
        past::erase(tx, chain_id, *text, event)?;
    }
    let rows: BTreeSet<i64> = texts.iter().map(|(number, _)| *number).collect();
    for number in rows {
        past::index_anew(tx, chain_id, number)?;
    }
    let said = Event {
        target: Some(person.account),
        ..Event::of_system(Action::AccountErased)
    };
    let said = said
        .with(ERASED_COUNT, texts.len())
        .with(ERASED_LIST, erased_list(texts));
    let said = if is_more {
        said.with("more", Value::Bool(true))
    } else {
        said
    };
    append(tx, by, &said, (chain_id, head))
}

/// Whether a text of an event of theirs is theirs: who somebody else was who did it, or to whom it was done, stays.
fn is_own(mention: &Mention) -> bool {
    match mention.slot {
        ACTOR => mention.is_by,
        ADDRESS => mention.is_by || (mention.is_on && mention.is_by_stranger),
        TARGET => mention.is_on,
        BEFORE | AFTER => mention.is_on && is_of_oneself(mention.action),
        _ => false,
    }
}

/// Where else they are named: in what others did, and in what strangers typed.
fn named(tx: &Tx<'_>, person: Person, names: &Names, chain_id: i64) -> Result<BTreeSet<(i64, u8)>> {
    let mut found = BTreeSet::new();
    for name in names.iter() {
        let mentions = match words(name) {
            Some(words) => past::holding(tx, person.account, chain_id, &words)?,
            None => past::all(tx, person.account, chain_id)?,
        };
        for mention in &mentions {
            if mention.slot > ADDRESS && is_about(mention) && names.are_in(&mention.text) {
                found.insert((mention.number, mention.slot));
            }
        }
        // From where a stranger typed it is as good as their own address.
        for mention in &mentions {
            let is_near = || {
                let row = (mention.number, TARGET)..=(mention.number, AFTER);
                found.range(row).next().is_some()
            };
            if mention.slot == ADDRESS && mention.is_by_stranger && is_near() {
                found.insert((mention.number, ADDRESS));
            }
        }
    }
    Ok(found)
}

/// Whether a text that names them can be about them: what another account is called, which may have their address now,
/// is about that one.
fn is_about(mention: &Mention) -> bool {
    !mention.is_on_other || (mention.slot != TARGET && !is_of_oneself(mention.action))
}

/// The words by which the index finds a name, quoted; none where it is not certain how the index takes it apart.
fn words(name: &str) -> Option<String> {
    let is_plain = |word: &&str| {
        !word.is_empty()
            && word.chars().all(|c| {
                c.is_ascii_alphanumeric() || ('\u{c0}'..'\u{24f}').contains(&c) && c.is_alphabetic()
            })
    };
    let words: Vec<String> = name
        .split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
        .filter(is_plain)
        .map(|word| format!("\"{word}\""))
        .collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// How far the words of erased texts are out of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrub {
    /// Not begun.
    Owed,
    /// Begun.
    Begun,
    /// None is left in it.
    Done,
}

impl Scrub {
    /// What is owed at a start: what the process before was killed over, if texts were erased within the last day.
    pub fn owed(read: &Read<'_>) -> Result<Self> {
        let last: Option<Timestamp> = past::last_erasure(read)?;
        let is_recent = last.is_some_and(|at| read.now().since(at) < DAY);
        Ok(if is_recent { Self::Owed } else { Self::Done })
    }

    /// The next step. Deleted rows of the index are only marked as such: their words are left out when it is merged.
    pub fn go_on(self, tx: &Tx<'_>) -> Result<Self> {
        let is_more = match self {
            Self::Owed => past::merge(tx, -PAGES)?,
            Self::Begun => past::merge(tx, PAGES)?,
            Self::Done => false,
        };
        Ok(if is_more { Self::Begun } else { Self::Done })
    }
}
