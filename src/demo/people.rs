//! Whom the demonstration shows. All of them are invented, and so are their numbers.

use crate::domain::role::Role;

/// The organisation they work for.
pub(super) const ORGANISATION: &str = "Halden Works";
/// Where it is.
pub(super) const TIME_ZONE: &str = "Europe/Oslo";
/// The password of everybody who has one.
pub(super) const PASSWORD: &str = "Demo-pass-1";

/// Somebody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    pub(super) phone: Option<&'static str>,
    pub(super) role: Role,
    /// Browser and system, as the session list shows them.
    pub(super) agent: &'static str,
}

pub(super) const fn person(
    name: &'static str,
    email: &'static str,
    phone: Option<&'static str>,
    role: Role,
    agent: &'static str,
) -> Person {
    Person {
        name,
        email,
        phone,
        role,
        agent,
    }
}

/// The owner, and those who joined today, in the order in which they did.
pub(super) const ACTIVE: [Person; 14] = [
    person(
        "Ingrid Solheim",
        "ingrid@demo.example",
        Some("+47 922 41 108"),
        Role::Master,
        "Firefox on Linux",
    ),
    person(
        "Tomasz Wierzbicki",
        "tomasz@demo.example",
        Some("+48 601 220 314"),
        Role::Admin,
        "Chrome on Linux",
    ),
    person(
        "Jonas Keller",
        "jonas@demo.example",
        Some("+49 151 2290 331"),
        Role::Member,
        "Firefox on Windows",
    ),
    person(
        "Émile Gagnon",
        "emile@demo.example",
        Some("+1 418 555 0164"),
        Role::Member,
        "Safari on macOS",
    ),
    person(
        "Fatima Zahra Idrissi",
        "fatima@demo.example",
        Some("+212 661 204 877"),
        Role::Member,
        "Chrome on Android",
    ),
    person(
        "Yuki Tanabe",
        "yuki@demo.example",
        None,
        Role::Member,
        "Safari on iOS",
    ),
    person(
        "Sanne de Vries",
        "sanne@demo.example",
        Some("+31 6 2481 9037"),
        Role::Billing,
        "Edge on Windows",
    ),
    person(
        "Owen Pritchard",
        "owen@demo.example",
        Some("+44 7700 900 461"),
        Role::Admin,
        "Firefox on macOS",
    ),
    person(
        "Mateus Carvalho",
        "mateus@demo.example",
        Some("+351 912 604 188"),
        Role::Member,
        "Chrome on Windows",
    ),
    person(
        "Aino Lehtonen",
        "aino@demo.example",
        Some("+358 40 512 7736"),
        Role::Member,
        "Firefox on Linux",
    ),
    person(
        "Marek Dvořák",
        "marek@demo.example",
        Some("+420 777 812 665"),
        Role::Member,
        "Chrome on Linux",
    ),
    person(
        "Samuel Osei",
        "samuel@demo.example",
        Some("+233 24 555 0192"),
        Role::Member,
        "Chrome on Android",
    ),
    person(
        "Ilaria Conti",
        "ilaria@demo.example",
        Some("+39 351 771 0942"),
        Role::Billing,
        "Safari on macOS",
    ),
    person(
        "Nguyễn Thị Hương",
        "huong@demo.example",
        Some("+84 90 318 4471"),
        Role::Admin,
        "Chrome on macOS",
    ),
];

/// Who set up two-factor on the day they joined: nobody whose sign-in is printed, so that the password alone lets in whoever
/// looks around.
pub(super) const WITH_TWO_FACTOR: [&str; 8] = [
    "jonas@demo.example",
    "emile@demo.example",
    "fatima@demo.example",
    "sanne@demo.example",
    "owen@demo.example",
    "mateus@demo.example",
    "aino@demo.example",
    "huong@demo.example",
];

/// How somebody passes the second step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    /// With a code of their app.
    App,
    /// With one of the recovery codes: the phone is not at hand.
    Recovery,
}

/// Who comes back in the course of the day, and with what: the address after which of those who join today.
pub(super) const RETURNS: [(&str, &str, With); 6] = [
    ("yuki@demo.example", "jonas@demo.example", With::App),
    ("owen@demo.example", "emile@demo.example", With::App),
    ("mateus@demo.example", "sanne@demo.example", With::Recovery),
    ("marek@demo.example", "owen@demo.example", With::App),
    ("samuel@demo.example", "sanne@demo.example", With::Recovery),
    ("ilaria@demo.example", "aino@demo.example", With::App),
];

/// Who left, and is disabled.
pub(super) const DISABLED: Person = person(
    "Priya Raman",
    "priya@demo.example",
    Some("+47 901 77 340"),
    Role::Admin,
    "Chrome on Windows",
);

/// Whose link still lives.
pub(super) const PENDING: (&str, Role) = ("lea.fontaine@demo.example", Role::Member);
/// Whose link has run out.
pub(super) const EXPIRED: (&str, Role) = ("bjorn.aas@demo.example", Role::Billing);

/// The browsers in which the owner's account was used until today, when everybody was given an account of their own: hers
/// first, and then those of the people she shared it with.
pub(super) const SHARED_WITH: [&str; 8] = [
    "Firefox on Linux",
    "Chrome on Linux",
    "Chrome on Android",
    "Firefox on Windows",
    "Safari on macOS",
    "Edge on Windows",
    "Safari on iOS",
    "Firefox on macOS",
];

/// One sign-in for each role, the strongest first.
pub(super) fn sign_ins() -> impl Iterator<Item = (Role, &'static str)> {
    Role::ALL.into_iter().rev().filter_map(|role| {
        let is_shown = |person: &&Person| {
            person.role == role
                && ["ingrid", "tomasz", "ilaria", "samuel"]
                    .iter()
                    .any(|name| person.email.starts_with(name))
        };
        ACTIVE
            .iter()
            .find(is_shown)
            .map(|person| (role, person.email))
    })
}
