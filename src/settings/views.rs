//! How the settings are drawn: one narrow column, each section a form of its own.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::accounts::{Account, Status};
use crate::backups::State;
use crate::billing::{
    ADDRESS_FIELD, ADDRESS_MAX, CONTACT_FIELD, Details, VAT_NUMBER_FIELD, VAT_NUMBER_MAX,
};
use crate::domain::domains::Domains;
use crate::domain::id::AccountId;
use crate::domain::policy::{Asked, Level, Policies, Policy, Trust};
use crate::domain::role::{Managers, Permission, Role};
use crate::domain::text::OrganisationName;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Check, Choice, Select};
use crate::kit::html::field::Field;
use crate::kit::html::form::{guarded, hidden, post};
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::time::{day, when};
use crate::kit::http::form::Form;
use crate::kit::size;
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::two_factor::Without;

/// The tick that leaves managing users to Masters.
pub const ONLY_MASTERS: &str = "only_masters";

/// The sections, in their order: the part of the address that leads to each, and its heading.
const SECTIONS: [(&str, &str); 6] = [
    ("general", "General"),
    ("security", "Security"),
    ("billing", "Billing contact"),
    ("backup", "Backup"),
    ("about", "About"),
    ("ownership", "Ownership"),
];

/// The page around its sections, which stand in the order of the headings.
#[must_use]
pub fn page(organisation: &OrganisationName, sections: &[Markup; 6]) -> Markup {
    let lead = format!("What {organisation} decides for itself.");
    html! {
        (page_head("Settings", Some(&lead), None))
        nav.row aria-label="On this page" {
            @for (id, heading) in SECTIONS { a href={ "#" (id) } { (heading) } }
        }
        @for ((id, heading), body) in SECTIONS.iter().zip(sections) {
            section.stack.narrow id=(id) { h2 { (heading) } (body) }
        }
    }
}

/// What the organisation is called, where it is, and what stands of it on invoices.
#[derive(Clone, Copy, Debug)]
pub struct General<'g> {
    /// The name as it is.
    pub name: &'g str,
    /// The address on invoices as it is.
    pub address: &'g str,
    /// The VAT number as it is.
    pub vat_number: &'g str,
    /// The zone as it is.
    pub time_zone: &'g str,
    /// The zones to choose from.
    pub zones: &'g [String],
    /// What was typed and could not be taken.
    pub refused: Option<&'g Form>,
}

/// The form for all of it.
#[must_use]
pub fn general(general: &General<'_>, csrf: &str) -> Markup {
    let shown = |field, kept| general.refused.map_or(kept, |form| form.typed(field));
    let name = shown("organisation", general.name);
    let zone = shown("timezone", general.time_zone);
    let address = shown(ADDRESS_FIELD, general.address);
    let vat_number = shown(VAT_NUMBER_FIELD, general.vat_number);
    let address_hint =
        format!("Stands on every invoice from the next on. At most {ADDRESS_MAX} characters.");
    let vat_hint = format!("At most {VAT_NUMBER_MAX} characters; may stay empty.");
    let error = |field| general.refused.and_then(|form| form.error(field));
    // Nothing is focused until something is wrong: whoever comes here may want to read first.
    let focus = general.refused.and_then(Form::first_problem);
    let focus = focus.unwrap_or_default();
    let choices = general.zones.iter().map(|one| Choice::new(one, one));
    let body = html! {
        (Field::text("organisation", "Organisation").autocomplete("organization").value(name).required().focus(focus)
            .hint("Stands on every page, in mails, and where invitations lead to.").error(error("organisation")))
        (Field::area(ADDRESS_FIELD, "Address for invoices", 4).value(address).focus(focus)
            .hint(address_hint).error(error(ADDRESS_FIELD)))
        (Field::text(VAT_NUMBER_FIELD, "VAT number").value(vat_number).focus(focus)
            .hint(vat_hint).error(error(VAT_NUMBER_FIELD)))
        (Select::new("timezone", "Time zone", choices.collect()).chosen(zone).focus(focus)
            .hint("In which times are shown, on pages to everybody who has not chosen their own, and in mails.")
            .error(error("timezone")))
        (Button::submit("Save general settings", "Saving…"))
    };
    guarded(&Route::SaveGeneral.to_string(), csrf, &body)
}

/// Who manages users, and whom a change would concern.
#[derive(Clone, Copy, Debug)]
pub struct Security {
    /// As it is.
    pub managers: Managers,
    /// How many Active Admins there are.
    pub admins: i64,
}

/// The form, and what the switch does.
#[must_use]
pub fn security(security: &Security, csrf: &str) -> Markup {
    let [with, without] = [Managers::Admins, Managers::Masters];
    let (many, few) = (
        Role::Admin.permissions(with).count(),
        Role::Admin.permissions(without).count(),
    );
    let both = html! {
        "“" (Permission::UsersManage.label()) "” and “" (Permission::RolesAssign.label()) "”"
    };
    let is_on = security.managers == Managers::Masters;
    let hint = html! {
        @if is_on {
            "It is on: Admins have " (few) " permissions, without " (both) ". Without the tick they have " (many)
            " again, from their next sign-in on. " (admins_now(security.admins)) "."
        } @else {
            "With the tick Admins lose " (both) ": they keep " (few) " permissions of " (many)
            ". They are signed out at once, and links of their invitations that nobody has used are refused. "
            (admins_now(security.admins)) "."
        }
    };
    let body = html! {
        (Check::new(ONLY_MASTERS, "Only Masters manage users").ticked(is_on).hint(hint))
        (Button::submit("Save who manages users", "Saving…").plain())
    };
    guarded(&Route::SaveSecurity.to_string(), csrf, &body)
}

fn admins_now(admins: i64) -> String {
    match admins {
        0 => "There is no Active Admin now".to_owned(),
        1 => "There is 1 Active Admin now".to_owned(),
        many => format!("There are {many} Active Admins now"),
    }
}

/// Who gets the invoices.
#[derive(Clone, Debug)]
pub struct Billing<'b> {
    /// As it is.
    pub details: Details,
    /// The owner.
    pub owner: Account,
    /// Whoever may get the invoices.
    pub people: Vec<Account>,
    /// Whoever was chosen to and may not any more.
    pub lost: Option<Account>,
    /// What was typed and could not be taken.
    pub refused: Option<&'b Form>,
}

/// The form for it.
#[must_use]
pub fn billing(page: &Billing<'_>, csrf: &str) -> Markup {
    let kept = page.details.contact.map(|id| id.to_string());
    let contact = match page.refused {
        Some(form) => form.typed(CONTACT_FIELD),
        None => kept.as_deref().unwrap_or_default(),
    };
    let error = |field| page.refused.and_then(|form| form.error(field));
    let focus = page.refused.and_then(Form::first_problem);
    let focus = focus.unwrap_or_default();
    let contacts = contacts(page);
    let choices = contacts.iter().map(|(id, label)| Choice::new(id, label));
    let body = html! {
        (Select::new(CONTACT_FIELD, "Billing contact", choices.collect()).chosen(contact).focus(focus)
            .hint("Gets each invoice by mail: an Active account that manages billing.").error(error(CONTACT_FIELD)))
        (Button::submit("Save billing contact", "Saving…").plain())
    };
    html! {
        p {
            "Who gets the invoices. The address and the VAT number that stand on them are under "
            a href="#general" { "General" } "."
        }
        @if let Some(lost) = &page.lost {
            (note(Tone::Warn, &html! {
                p { (lost.label()) " " (why_lost(lost)) ". Until you choose another, invoices go to the owner, " (page.owner.label()) "." }
            }))
        }
        (guarded(&Route::SaveBilling.to_string(), csrf, &body))
    }
}

/// Whom to choose from: value and words. The owner stands there by what they are, and by name only where they were chosen
/// by name.
fn contacts(page: &Billing<'_>) -> Vec<(String, String)> {
    let owner = (String::new(), format!("The owner ({})", page.owner.label()));
    let is_named = |one: &&Account| one.id != page.owner.id || page.details.contact == Some(one.id);
    let named = page.people.iter().filter(is_named);
    let named = named.map(|one| (one.id.to_string(), format!("{}, {}", one.label(), one.role)));
    let lost = page.lost.iter();
    let lost = lost.map(|one| {
        (
            one.id.to_string(),
            format!("{} ({})", one.label(), why_lost(one)),
        )
    });
    [owner].into_iter().chain(named).chain(lost).collect()
}

/// Why this account gets no invoices.
const fn why_lost(account: &Account) -> &'static str {
    match account.status {
        Status::Active => "does not manage billing any more",
        Status::Disabled { .. } => "is disabled",
        Status::Deleted { .. } => "is deleted",
        Status::Pending => "is not activated",
    }
}

/// How the backups are; the operator's, and so nothing can be changed here.
#[must_use]
pub fn backup(state: &State) -> Markup {
    html! {
        @if let Some(failing) = &state.failing {
            (note(Tone::Bad, &html! {
                p { "The nightly backup has failed since " (dates::utc(failing.since)) ": " (failing.words) "." }
                p { "It is tried again every hour. Tell whoever runs this Portal." }
            }))
        }
        @match (state.last, state.put_back) {
            (Some((at, bytes)), _) => p { "Last backup " (dates::utc(at)) ", " (size::of(bytes)) ", verified." },
            (None, Some((at, made_at))) => p {
                "All of it was put back from a backup " @if let Some(made_at) = made_at { "of " (dates::utc(made_at)) " " }
                "on " (dates::utc(at)) ". Of backups made before that nothing is known here; none was made since."
            },
            (None, None) => p { "There is no backup yet." },
        }
        p.hint {
            @if state.is_nightly {
                "One is made every night, of the whole Portal, by whoever runs it."
            } @else {
                "Nightly backups are off: whoever runs this Portal makes them in another way."
            }
        }
    }
}

/// What is known of the Portal itself.
#[derive(Clone, Debug)]
pub struct About {
    /// Its version.
    pub version: &'static str,
    /// Under which licence it comes.
    pub licence: &'static str,
    /// The version of the schema of its file.
    pub schema: i64,
    /// How large the file is, in bytes, with what is not folded into it yet; none where it holds others too.
    pub bytes: Option<i64>,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// What does not work, or somebody has to see to, in the words of its health.
    pub troubles: Vec<&'static str>,
    /// The instant of the page.
    pub now: Timestamp,
}

/// Version, licence, and what is in trouble right now; the operator's, and so nothing can be changed here.
#[must_use]
pub fn about(about: &About, zone: &TimeZone) -> Markup {
    html! {
        @if !about.troubles.is_empty() {
            (note(Tone::Warn, &html! {
                @for one in &about.troubles { p { (trouble(one)) } }
                p { "Tell whoever runs this Portal." }
            }))
        }
        (details(&[
            ("Version", html! { "Doorward " (about.version) }),
            ("Licence", html! { (about.licence) }),
            ("Health", html! {
                @if about.troubles.is_empty() { "All is well: the database, the key, the threads, the mail, the backups and the disk." }
                @else { "In trouble, as said above." }
            }),
            ("Database", html! { @if let Some(bytes) = about.bytes { (size::of(bytes)) ", schema " } @else { "Schema " } (about.schema) }),
            ("Running since", when(about.started_at, about.now, zone)),
            ("Sent home", html! { "Nothing is sent anywhere: no heartbeat, no look for a newer version." }),
        ]))
    }
}

/// What a word of the Portal's health means.
fn trouble(word: &str) -> String {
    match word {
        "database" => "The database does not answer as it should.".to_owned(),
        "key" => "The database belongs to another secret.key.".to_owned(),
        "worker" => {
            "The background thread is stuck: no mail leaves, and nothing expires.".to_owned()
        }
        "mail" => "The mail server is in trouble: mail waits.".to_owned(),
        "backup" => "The last backup failed, or is more than a day old.".to_owned(),
        "wal" => {
            "The log beside the database grows: something keeps it from being folded in.".to_owned()
        }
        "disk" => "The disk is nearly full.".to_owned(),
        thread => format!("A thread is stuck: {thread}."),
    }
}

/// Whose addresses may be invited, and who has another.
#[derive(Clone, Copy, Debug)]
pub struct AllowedDomains<'d> {
    /// As they are.
    pub domains: &'d Domains,
    /// Some of those whose address is of none of them, and how many there are.
    pub outside: (&'d [Account], i64),
    /// What was typed and could not be taken.
    pub refused: Option<&'d Form>,
}

/// The form for them.
#[must_use]
pub fn allowed_domains(page: &AllowedDomains<'_>, csrf: &str) -> Markup {
    let kept = page.domains.lines();
    let typed = page
        .refused
        .map_or(&*kept, |form| form.typed(DOMAINS_FIELD));
    let focus = page.refused.and_then(Form::first_problem);
    let (some, count) = page.outside;
    let body = html! {
        (Field::area(DOMAINS_FIELD, "Allowed email domains", 3).value(typed).focus(focus.unwrap_or_default())
            .hint("What stands after the @, one on each line; a domain below another is written too. Empty: any.")
            .error(page.refused.and_then(|form| form.error(DOMAINS_FIELD))))
        (Button::submit("Save email domains", "Saving…").plain())
    };
    html! {
        p { "Which addresses may be invited, singly or by a list, and changed to. The operator may invite any." }
        @if count > 0 {
            (note(Tone::Plain, &html! {
                p { (has_another(count)) " Nothing happens to them." }
                ul {
                    @for account in some {
                        li {
                            a href=(Route::Account(account.id)) { (account.label()) }
                            ", "
                            @if let (Some(_), Some(email)) = (&account.name, &account.email) { (email) }
                            @else { "Pending" }
                        }
                    }
                    @if let Some(more) = more(count, some.len()) { li { "and " (more) " more" } }
                }
            }))
        }
        (guarded(&Route::SaveDomains.to_string(), csrf, &body))
    }
}

fn has_another(count: i64) -> String {
    match count {
        1 => "1 account has an address of another domain.".to_owned(),
        many => format!("{many} accounts have addresses of other domains."),
    }
}

fn more(count: i64, shown: usize) -> Option<i64> {
    let more = count - i64::try_from(shown).unwrap_or_default();
    (more > 0).then_some(more)
}

/// In which field a role's level is chosen, and in which its days of grace.
#[must_use]
pub const fn policy_fields(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Member => ("member", "member_days"),
        Role::Billing => ("billing", "billing_days"),
        Role::Admin => ("admin", "admin_days"),
        Role::Master => ("master", "master_days"),
    }
}

/// In which field the domains are written.
pub const DOMAINS_FIELD: &str = "domains";
/// The tick that lets people trust their browsers.
pub const TRUST_FIELD: &str = "trust";
/// Sent by the page that says whom a policy meets.
pub const CONFIRM_FIELD: &str = "confirm";

/// What each role is asked for besides the password, and how that stands.
#[derive(Clone, Copy, Debug)]
pub struct TwoFactor<'t> {
    /// The policies as they are.
    pub policies: &'t Policies,
    /// Whether browsers may be trusted.
    pub trust: Trust,
    /// How many Active accounts have each role.
    pub active: &'t [(Role, i64)],
    /// Who has none.
    pub without: &'t [Without],
    /// What was typed and could not be taken.
    pub refused: Option<&'t Form>,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'t TimeZone,
}

/// The form of the policy.
#[must_use]
pub fn two_factor(page: &TwoFactor<'_>, csrf: &str) -> Markup {
    let is_trusted = page.refused.map_or(page.trust == Trust::Offered, |form| {
        form.typed(TRUST_FIELD) == "yes"
    });
    let body = html! {
        @for role in Role::ALL { (role_policy(page, role)) }
        (Check::new(TRUST_FIELD, "“Trust this browser for 30 days” may be offered").ticked(is_trusted)
            .hint("Whoever ticks it at sign-in is asked for the password alone in that browser. A change to this form ends all trust given so far."))
        (Button::submit("Save two-factor policy", "Saving…").plain())
    };
    html! {
        p { "What each permission is asked for besides the password. Grace is 0 to 30 days, from the day somebody is activated, gets the permission, or the policy becomes stricter." }
        (guarded(&Route::SavePolicy.to_string(), csrf, &body))
    }
}

fn role_policy(page: &TwoFactor<'_>, role: Role) -> Markup {
    let policy = page.policies.of(role);
    let (level, days) = policy_fields(role);
    let kept = policy.grace_days.to_string();
    let (chosen, typed) = match page.refused {
        Some(form) => (form.typed(level), form.typed(days)),
        None => (policy.level.slug(), kept.as_str()),
    };
    let focus = page.refused.and_then(Form::first_problem);
    let levels = Level::ALL.map(|one| Choice::new(one.slug(), level_label(one)));
    let label = format!("Asked of {role}");
    // Sections of the page have the names of roles too.
    let id = format!("asked-{level}");
    let days_label = "Days of grace";
    html! {
        fieldset.group {
            legend { (role) }
            div.halves {
                (Select::new(level, &label, levels.to_vec()).id(&id).chosen(chosen))
                (Field::number(days, days_label).value(typed).focus(focus.unwrap_or_default())
                    .error(page.refused.and_then(|form| form.error(days))))
            }
            p.hint { (standing(page, role, policy)) }
        }
    }
}

/// A level in a menu.
const fn level_label(level: Level) -> &'static str {
    match level {
        Level::Off => "Off",
        Level::Recommended => "Recommended",
        Level::Required => "Required",
    }
}

/// How many Active accounts of the role have none, and until when they may go on.
fn standing(page: &TwoFactor<'_>, role: Role, policy: Policy) -> Markup {
    let Some(without) = page.without.iter().find(|one| one.role == role) else {
        let is_any = page
            .active
            .iter()
            .any(|(one, count)| *one == role && *count > 0);
        return html! { @if is_any { "Every Active account has it." } @else { "No Active account is " (role) "." } };
    };
    let count = accounts_without(without.count);
    let ends = |began| match policy.asks(began) {
        Asked::By(end) => Some(end),
        Asked::Nothing | Asked::Recommended => None,
    };
    match (ends(without.first), ends(without.last)) {
        (Some(_), Some(last)) if last <= page.now => {
            html! { (count) ". Grace is over: nothing but the set-up can be opened." }
        }
        (Some(first), Some(last)) if first <= page.now => {
            html! { (count) ". Grace is over for some; the last ends on " (day(last, page.zone)) "." }
        }
        (Some(first), Some(last))
            if dates::day(first, page.zone) == dates::day(last, page.zone) =>
        {
            html! { (count) ". Grace ends on " (day(last, page.zone)) "." }
        }
        (Some(first), Some(last)) => {
            html! { (count) ". Grace ends between " (day(first, page.zone)) " and " (day(last, page.zone)) "." }
        }
        _ => html! { (count) "." },
    }
}

fn accounts_without(count: i64) -> String {
    match count {
        1 => "1 Active account has none".to_owned(),
        many => format!("{many} Active accounts have none"),
    }
}

/// What was saved, in plain words: what changed, and nothing else. Each is the policies and whether browsers may be
/// trusted.
#[must_use]
pub fn saved(before: (&Policies, Trust), after: (&Policies, Trust)) -> String {
    let mut changed: Vec<(Policy, Vec<&str>)> = Vec::new();
    for role in Role::ALL {
        let policy = after.0.of(role);
        if policy == before.0.of(role) {
            continue;
        }
        match changed.iter_mut().find(|(one, _)| *one == policy) {
            Some((_, roles)) => roles.push(role.label()),
            None => changed.push((policy, vec![role.label()])),
        }
    }
    let mut sentences: Vec<String> = changed
        .iter()
        .map(|(policy, roles)| format!("{}: {}.", in_short(*policy), roles.join(", ")))
        .collect();
    match (before.1, after.1) {
        (Trust::Off, Trust::Offered) => {
            sentences.push("Browsers may be trusted for 30 days.".to_owned());
        }
        (Trust::Offered, Trust::Off) => {
            sentences.push("Every sign-in is asked for the code.".to_owned());
        }
        (Trust::Off, Trust::Off) | (Trust::Offered, Trust::Offered) => {}
    }
    format!("The two-factor policy is saved. {}", sentences.join(" "))
}

/// "Off", "Required after 7 days", "Required at once".
fn in_short(policy: Policy) -> String {
    match (policy.level, policy.grace_days) {
        (Level::Off | Level::Recommended, _) => level_label(policy.level).to_owned(),
        (Level::Required, 0) => "Required at once".to_owned(),
        (Level::Required, 1) => "Required after 1 day".to_owned(),
        (Level::Required, days) => format!("Required after {days} days"),
    }
}

/// Whom a stricter policy meets, before it is saved.
#[derive(Clone, Copy, Debug)]
pub struct Preview<'p> {
    /// The roles for which it is stricter, their policies, and how many Active accounts have none.
    pub roles: &'p [(Role, Policy, i64)],
    /// Some of them.
    pub met: &'p [Account],
    /// How many there are in all.
    pub count: i64,
    /// Whoever saves it, if it meets them.
    pub reader: AccountId,
    /// What was sent, to be sent again.
    pub form: &'p Form,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'p TimeZone,
}

/// The page that says whom it meets, and from when on.
#[must_use]
pub fn preview(page: &Preview<'_>, csrf: &str) -> Markup {
    let settings = format!("{}#security", Route::Settings);
    let lines: Vec<(String, Markup)> = page
        .roles
        .iter()
        .map(|(role, policy, count)| (role.to_string(), meaning(page, *policy, *count)))
        .collect();
    let lines: Vec<(&str, Markup)> = lines
        .iter()
        .map(|(role, meaning)| (role.as_str(), meaning.clone()))
        .collect();
    let shown = i64::try_from(page.met.len()).unwrap_or_default();
    let form = html! {
        @for role in Role::ALL {
            @let (level, days) = policy_fields(role);
            (hidden(level, page.form.typed(level)))
            (hidden(days, page.form.typed(days)))
        }
        @if page.form.typed(TRUST_FIELD) == "yes" { (hidden(TRUST_FIELD, "yes")) }
        (hidden(CONFIRM_FIELD, "yes"))
        div.row {
            (Button::submit("Save two-factor policy", "Saving…"))
            (Button::link("Cancel", &settings))
        }
    };
    html! {
        (back("Settings", &settings))
        (page_head("Whom this meets", Some("Nothing is saved yet."), None))
        (details(&lines))
        section.stack-2 {
            h2 { (accounts_without(page.count)) }
            ul {
                @for account in page.met {
                    li {
                        @if account.id == page.reader { b { "You" } ", " (account.role) }
                        @else { a href=(Route::Account(account.id)) { (account.label()) } ", " (account.role) }
                    }
                }
                @if page.count > shown { li { "and " (page.count - shown) " more" } }
            }
        }
        p.muted { "Browsers that were trusted are asked for the code again." }
        (post(&Route::SavePolicy.to_string(), csrf, &form))
    }
}

fn meaning(page: &Preview<'_>, policy: Policy, count: i64) -> Markup {
    let count = accounts_without(count);
    match policy.asks(page.now) {
        Asked::By(end) if end <= page.now => html! {
            "Required at once. " (count) ", and can open nothing but the set-up from now on."
        },
        Asked::By(end) => html! {
            "Required from " (day(end, page.zone)) " on. " (count) ", and can open nothing but the set-up from then on."
        },
        Asked::Recommended | Asked::Nothing => {
            html! { (level_label(policy.level)) ". " (count) ", and is told so on every page." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::http::fields::Fields;
    use crate::kit::time::DAY;

    fn drawn(refused: Option<&Form>) -> String {
        let zones = ["UTC".to_owned(), "Europe/Oslo".to_owned()];
        let page = General {
            name: "Halden & Works",
            address: "Storgata 3",
            vat_number: "",
            time_zone: "Europe/Oslo",
            zones: &zones,
            refused,
        };
        general(&page, "proof").into_string()
    }

    #[test]
    fn the_form_shows_what_is_and_after_a_refusal_what_was_typed() {
        let page = drawn(None);
        assert!(page.contains("value=\"Halden &amp; Works\""), "{page}");
        assert!(page.contains("<option value=\"Europe/Oslo\" selected>"));
        assert!(!page.contains("aria-invalid") && !page.contains("autofocus"));
        let fields = Fields::parse(b"organisation=%C2%AB&timezone=UTC").unwrap();
        let mut form = Form::new(fields);
        form.problem("organisation", "No.");
        let page = drawn(Some(&form));
        assert!(page.contains("value=\"«\""), "{page}");
        assert!(page.contains("<option value=\"UTC\" selected>"));
        assert_eq!(page.matches("aria-invalid").count(), 1);
        assert_eq!(page.matches("autofocus").count(), 1);
    }

    #[test]
    fn the_switch_says_what_it_does_and_to_how_many() {
        let page = |managers, admins| {
            let security = Security { managers, admins };
            super::security(&security, "proof").into_string()
        };
        let off = page(Managers::Admins, 3);
        for said in [
            "they keep 5 permissions of 7",
            "signed out at once",
            "There are 3 Active Admins now.",
        ] {
            assert!(off.contains(said), "{said}: {off}");
        }
        assert!(!off.contains("checked"));
        let on = page(Managers::Masters, 1);
        for said in [
            "Admins have 5 permissions",
            "they have 7 again, from their next sign-in on",
            "There is 1 Active Admin now.",
            "checked",
        ] {
            assert!(on.contains(said), "{said}: {on}");
        }
        assert!(!on.contains("signed out"));
    }

    /// 24 November 2026, 14:20 in Oslo.
    const NOW: Timestamp = Timestamp(1_795_526_400);

    fn required(grace_days: u8) -> Policy {
        Policy {
            level: Level::Required,
            grace_days,
        }
    }

    fn policies(member: Policy) -> Policies {
        Policies::each(|role| {
            if role == Role::Member {
                member
            } else {
                Policy::default()
            }
        })
    }

    /// The line beside Member, for so many accounts whose grace began so many days ago, the first and the last.
    fn beside_member(policy: Policy, count: i64, (first, last): (i64, i64)) -> String {
        let without = [Without {
            role: Role::Member,
            count,
            first: NOW.minus(first * DAY),
            last: NOW.minus(last * DAY),
        }];
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        let page = TwoFactor {
            policies: &policies(policy),
            trust: Trust::Off,
            active: &[(Role::Member, 2), (Role::Billing, 1)],
            without: if count > 0 { &without } else { &[] },
            refused: None,
            now: NOW,
            zone: &zone,
        };
        let line = standing(&page, Role::Member, policy).into_string();
        let parts = line.split('<').map(|part| match part.split_once('>') {
            Some((_, text)) => text,
            None => part,
        });
        parts.collect()
    }

    #[test]
    fn beside_each_role_stands_who_has_none_and_until_when() {
        let recommended = Policy {
            level: Level::Recommended,
            grace_days: 7,
        };
        for (policy, count, began, told) in [
            (required(7), 0, (0, 0), "Every Active account has it."),
            (recommended, 1, (9, 9), "1 Active account has none."),
            (
                required(7),
                1,
                (0, 0),
                "1 Active account has none. Grace ends on 1 Dec 2026.",
            ),
            (
                required(7),
                2,
                (3, 1),
                "2 Active accounts have none. Grace ends between 28 Nov 2026 and 30 Nov 2026.",
            ),
            (
                required(7),
                2,
                (7, 1),
                "2 Active accounts have none. Grace is over for some; the last ends on 30 Nov 2026.",
            ),
            (
                required(7),
                2,
                (8, 7),
                "2 Active accounts have none. Grace is over: nothing but the set-up can be opened.",
            ),
            (
                required(0),
                1,
                (0, 0),
                "1 Active account has none. Grace is over: nothing but the set-up can be opened.",
            ),
        ] {
            assert_eq!(beside_member(policy, count, began), told, "{policy:?}");
        }
    }

    #[test]
    fn a_role_that_nobody_has_is_not_praised() {
        let zone = TimeZone::UTC;
        let page = TwoFactor {
            policies: &policies(required(7)),
            trust: Trust::Off,
            active: &[(Role::Member, 0)],
            without: &[],
            refused: None,
            now: NOW,
            zone: &zone,
        };
        let line = standing(&page, Role::Member, required(7)).into_string();
        assert_eq!(line, "No Active account is Member.");
    }

    #[test]
    fn what_was_saved_is_told_and_nothing_else() {
        let off = Policy {
            level: Level::Off,
            grace_days: 7,
        };
        let told = |after: Policy, trust| {
            saved(
                (&policies(required(7)), Trust::Off),
                (&policies(after), trust),
            )
        };
        for (after, trust, sentence) in [
            (off, Trust::Off, "Off: Member."),
            (required(0), Trust::Off, "Required at once: Member."),
            (required(1), Trust::Off, "Required after 1 day: Member."),
            (
                required(30),
                Trust::Offered,
                "Required after 30 days: Member. Browsers may be trusted for 30 days.",
            ),
            (
                required(7),
                Trust::Offered,
                "Browsers may be trusted for 30 days.",
            ),
        ] {
            let expected = format!("The two-factor policy is saved. {sentence}");
            assert_eq!(told(after, trust), expected);
        }
        // Roles of which the same is asked stand together.
        let all = Policies::each(|_| required(3));
        assert_eq!(
            saved((&policies(off), Trust::Off), (&all, Trust::Off)),
            "The two-factor policy is saved. Required after 3 days: Member, Billing, Admin, Master."
        );
    }

    fn met(letter: char, name: &str) -> Account {
        Account {
            id: format!("acc_bbbbbbbbbbbb{letter}").parse().unwrap(),
            organisation: "org_bbbbbbbbbbbbb".parse().unwrap(),
            status: crate::accounts::Status::Active,
            role: Role::Member,
            email: None,
            name: Some(name.parse().unwrap()),
            phone: None,
            epoch: 0,
            created_at: NOW,
            created_by: None,
            activated_at: Some(NOW),
            last_seen_at: None,
            has_two_factor: false,
        }
    }

    #[test]
    fn the_preview_names_whom_it_meets_and_carries_the_form() {
        let fields = Fields::parse(b"member=required&member_days=0&admin=off&trust=yes").unwrap();
        let form = Form::new(fields);
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        let all = [met('b', "Ingrid Solheim"), met('c', "Lea <Fontaine>")];
        let page = Preview {
            roles: &[
                (Role::Member, required(0), 3),
                (Role::Billing, required(7), 1),
            ],
            met: &all,
            count: 4,
            reader: all[0].id,
            form: &form,
            now: NOW,
            zone: &zone,
        };
        let page = preview(&page, "proof").into_string();
        for part in [
            "Required at once. 3 Active accounts have none",
            "1 Dec 2026</time> on. 1 Active account has none",
            "<b>You</b>, Member",
            "Lea &lt;Fontaine&gt;</a>, Member",
            "and 2 more",
            "name=\"member\" value=\"required\"",
            "name=\"member_days\" value=\"0\"",
            "name=\"admin\" value=\"off\"",
            "name=\"trust\" value=\"yes\"",
            "name=\"confirm\" value=\"yes\"",
            "action=\"/settings/two-factor\"",
            "href=\"/settings#security\"",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("Ingrid"), "{page}");
    }
}
