//! One event in words.

use serde_json::Value;

use crate::audit::{Action, Deed, ERASED, Hand, Whom};
use crate::domain::day;
use crate::domain::role::{Permission, Role};

/// One event in words, to the reader.
#[must_use]
pub fn sentence(deed: &Deed) -> String {
    let told = told(deed);
    match sum(deed) {
        Some(_) if says_how_often(deed) => told,
        Some(1) => format!("{told}, once more"),
        Some(count) => format!("{told}, {count} times more"),
        None => told,
    }
}

fn says_how_often(deed: &Deed) -> bool {
    match deed.action {
        Action::SignInFailed => text(deed, "asked").is_none(),
        Action::SignInThrottled | Action::CodeThrottled => true,
        _ => false,
    }
}

fn told(deed: &Deed) -> String {
    let who = who(deed);
    let whom = whom(deed);
    let whose = whose(deed);
    match deed.action {
        Action::OrganisationCreated => format!("{who} founded the organisation"),
        Action::OrganisationDeleted => format!("{who} removed an organisation"),
        Action::OrganisationRenamed => {
            format!("{who} renamed the organisation{}", from_to(&change(deed)))
        }
        Action::OrganisationMoved => {
            let zones = text(deed, "from").zip(text(deed, "to"));
            format!(
                "{who} changed the organisation's time zone{}",
                from_to(&zones)
            )
        }
        Action::ManagersChanged => match text(deed, "managers") {
            Some("masters") => format!("{who} decided that only Masters manage users"),
            _ => format!("{who} decided that Admins manage users as well"),
        },
        Action::DomainsChanged => format!("{who} {}", domains(deed)),
        Action::FirstStepsPutAway => format!("{who} put the list of first steps away"),
        Action::OrganisationDisabled => format!("{who} disabled the organisation"),
        Action::OrganisationEnabled => format!("{who} enabled the organisation"),
        Action::OwnershipOffered => format!("{who} offered {whom} the ownership"),
        Action::OwnershipWithdrawn => {
            format!("{who} took the offer of the ownership to {whom} back")
        }
        Action::OwnershipDeclined => format!("{who} declined the ownership"),
        Action::OwnershipMoved => format!("{who} accepted the ownership"),
        Action::AccountCreated => format!("{who} invited {whom}{}", as_role(deed)),
        Action::OwnerInvited => format!("{who} invited {whom} as the owner"),
        Action::AccountActivated => format!("{who} activated {whose} account"),
        Action::AccountDisabled if text(deed, "why") == Some("date") => {
            format!("{who} disabled {}, as was set before", account(deed))
        }
        Action::AccountDisabled => format!("{who} disabled {}", account(deed)),
        Action::DepartureSet => {
            let account = account(deed);
            match text(deed, "day").and_then(day::spelled) {
                Some(day) => format!("{who} set {account} to be disabled at the end of {day}"),
                None => format!("{who} set {account} to be disabled on a date"),
            }
        }
        Action::DepartureCancelled => match text(deed, "why") {
            Some("ownership") => format!(
                "{} account is not to be disabled on a date any more: it owns the organisation",
                capital(&whose)
            ),
            _ => format!(
                "{who} decided that {} is not to be disabled on a date",
                account(deed)
            ),
        },
        Action::DepartureDropped => {
            let account = account(deed);
            let why = match text(deed, "why") {
                Some("owner") => ": it owns the organisation",
                Some("last_master") => ": it is the last Active Master",
                _ => ": whoever set the date may not do it any more",
            };
            format!("{who} could not disable {account} on the date that was set{why}")
        }
        Action::AccountEnabled => format!("{who} enabled {}", account(deed)),
        Action::AccountDeleted => match text(deed, "why") {
            Some("never_activated") => {
                format!("{who} deleted {whom}: the account was never activated")
            }
            _ => format!("{who} deleted {}", account(deed)),
        },
        Action::AccountErased => format!("{who} erased the personal data of {whom}"),
        Action::RoleChanged => {
            let roles = role(deed, "from").zip(role(deed, "role"));
            format!("{who} changed {whose} permission{}", from_to(&roles))
        }
        Action::InvitationResent => format!("{who} sent {whom} a new activation link"),
        Action::InvitationLinkCopied => format!("{who} copied {whose} activation link"),
        Action::InvitationExpired => format!("{} activation link expired", capital(&whose)),
        Action::InvitationLinkAsked => {
            format!(
                "{who} asked for a new activation link for {}",
                account(deed)
            )
        }
        Action::InvitationRefused => match text(deed, "why") {
            Some("taken") if text(deed, "for") == Some("own_account") => {
                format!("{who} could not change to {whom}: the address is taken")
            }
            Some("taken") => format!("{who} could not invite {whom}: the address is taken"),
            Some("domain") if text(deed, "for") == Some("own_account") => {
                format!(
                    "{who} could not change to {whom}: addresses of that domain are not allowed"
                )
            }
            Some("domain") => {
                format!("{who} could not invite {whom}: addresses of that domain are not allowed")
            }
            _ => format!(
                "{} activation link was refused: whoever gave the permission may no longer give it",
                capital(&whose)
            ),
        },
        Action::ImportChecked => {
            let people = people(deed, "lines", "people");
            format!("{who} checked a list of {people} to invite")
        }
        Action::ImportDiscarded => format!("{who} threw a list of people to invite away"),
        Action::ImportBegan => {
            let people = people(deed, "lines", "people");
            format!("{who} began to invite {people} by a list")
        }
        Action::ImportEnded => import_ended(deed, &who),
        Action::ImportExported => format!("{who} exported what became of a list of people"),
        Action::SignedIn => {
            let (with, from) = (with(deed), from(deed));
            format!("{who} signed in{with}{from}{}", second(deed))
        }
        // Whoever is signed in was asked for their password again.
        Action::SignInFailed if text(deed, "asked") == Some("again") => {
            format!("{who} typed a wrong password{}", from(deed))
        }
        Action::SignInFailed => format!("{} failed{}", sign_ins(deed), from(deed)),
        Action::SignInThrottled => {
            let (sign_ins, from) = (sign_ins(deed), from(deed));
            format!("{sign_ins}{from} had to wait, as too many had failed")
        }
        // Whoever gave the password is nobody before the code.
        Action::SignedOut if deed.details.get("half").is_some() => {
            let (account, from) = (account(deed), from(deed));
            format!("A sign-in to {account}{from} was left at the code")
        }
        Action::SignedOut => format!("{who} signed out"),
        Action::SessionEnded => format!("{who} ended another of {whose} sessions"),
        Action::SessionsEnded if is_by_themself(deed) => {
            format!("{who} signed out everywhere else")
        }
        Action::SessionsEnded => format!("{who} signed {whom} out everywhere"),
        Action::ResetRequested => {
            let (account, from) = (account(deed), from(deed));
            format!("{who} asked for a reset link for {account}{from}")
        }
        Action::PasswordChanged => match deed.hand {
            // A reset link acts for whoever holds it; who that was is for the account's own person to say.
            Hand::Stranger => {
                format!("{} password was changed with a reset link", capital(&whose))
            }
            Hand::Own | Hand::Other(_) | Hand::Operator | Hand::System => {
                format!("{who} changed {whose} password")
            }
        },
        Action::PasswordReset => match text(deed, "link") {
            Some("shown") => {
                format!("{who} reset {whose} password, and took the link to pass it on")
            }
            _ => format!("{who} reset {whose} password"),
        },
        Action::EmailChangeAsked => {
            format!(
                "{who} asked to change {whose} email{}",
                from_to(&change(deed))
            )
        }
        Action::EmailChanged => format!("{who} changed {whose} email{}", from_to(&change(deed))),
        Action::ProfileChanged => format!("{who} changed {whose} name or phone"),
        Action::PreferencesChanged => format!("{who} changed {whose} preferences"),
        Action::AccountUnlocked => format!("{who} let sign-ins to {} begin anew", account(deed)),
        Action::MailRetried => match deed.details.get("count").and_then(Value::as_i64) {
            Some(count) => format!("{who} sent {count} failed mails again"),
            None => format!("{who} sent a failed mail to {whom} again"),
        },
        Action::MailTested => format!("{who} sent a test mail to {whom}"),
        Action::AuditExported => exported(deed, &who),
        Action::Denied => denied(deed, &who),
        Action::FormRefused => {
            "A form was refused: it had expired, or came from elsewhere".to_owned()
        }
        Action::RequestMalformed => "A request could not be read".to_owned(),
        Action::SetupLinkMade => format!("{who} made a set-up link"),
        Action::LogPruned => match deed.details.get("rows").and_then(Value::as_i64) {
            Some(1) => {
                "The oldest event was removed: the operator keeps events for so long".to_owned()
            }
            Some(rows) => {
                format!(
                    "The oldest {rows} events were removed: the operator keeps events for so long"
                )
            }
            None => "The oldest events were removed".to_owned(),
        },
        Action::ClockSteppedBack => "The clock of the server stepped back".to_owned(),
        Action::PolicyChanged => format!("{who} changed the two-factor policy{}", policy(deed)),
        Action::TwoFactorBegun if is(deed, "replaces") => {
            format!("{who} began to move 2-step verification to another phone")
        }
        Action::TwoFactorBegun => format!("{who} began to set up 2-step verification"),
        Action::TwoFactorOn if is(deed, "replaced") => {
            format!("{who} moved 2-step verification to another phone")
        }
        Action::TwoFactorOn => format!("{who} enabled 2-step verification"),
        Action::TwoFactorOff => format!("{who} disabled 2-step verification"),
        Action::TwoFactorReset => format!("{who} reset {whose} 2-step verification"),
        Action::RecoveryCodesRenewed => format!("{who} made new recovery codes"),
        Action::CodeAsked => {
            // Whoever is not signed in yet may be anybody, also to the account's own person.
            let from = from(deed);
            match text(deed, "key") {
                Some("link") => format!(
                    "Somebody opened {whose} sign-in link{from}, and was asked for the code"
                ),
                _ => format!("Somebody gave {whose} password{from}, and was asked for the code"),
            }
        }
        Action::CodeFailed => match deed.hand {
            Hand::Own | Hand::Other(_) => format!("{who} typed a wrong code{}", from(deed)),
            Hand::Stranger | Hand::System | Hand::Operator => {
                let (account, from) = (account(deed), from(deed));
                format!("Somebody typed a wrong code for {account}{from}")
            }
        },
        Action::CodeThrottled => {
            let (codes, account, from) = (codes(deed), account(deed), from(deed));
            format!("{codes} for {account}{from} had to wait, as too many had failed")
        }
        Action::ProofGiven => match text(deed, "how") {
            Some("code") => format!("{who} gave a code again{}", from(deed)),
            Some("recovery") => format!("{who} gave a recovery code{}", from(deed)),
            _ => format!("{who} gave {whose} password again{}", from(deed)),
        },
        Action::SignInLinkMade => format!("{who} made a sign-in link for {whom}"),
        Action::KeyReplaced => {
            format!(
                "{who} replaced the Portal's secret key: all links and every second factor are void"
            )
        }
        Action::BackupMade => format!("{who} made a backup"),
        Action::BackupFailed => "A backup failed".to_owned(),
        Action::BackupRestored => {
            format!("{who} restored a backup: all sessions and links of before are void")
        }
        Action::SchemaUpgraded => "The database was upgraded to a newer version".to_owned(),
        Action::CatalogueImported => format!("{who} imported a catalogue{}", imported(deed)),
        Action::ResourceCreated => format!("{who} created {}", resource(deed)),
        Action::ResourceDescribed if text(deed, "what") == Some("note") => {
            format!("{who} changed the note of {}", resource(deed))
        }
        Action::ResourceDescribed => match change(deed) {
            Some((before, after)) => format!("{who} renamed the resource {before} to {after}"),
            None => format!("{who} renamed a resource"),
        },
        Action::ResourcePlanChanged => {
            let plans = from_to(&change(deed));
            format!("{who} changed the plan of {}{plans}", resource(deed))
        }
        Action::ResourceHandedOver => {
            let holders = from_to(&change(deed));
            format!("{who} handed {} over{holders}", resource(deed))
        }
        Action::ResourceEnded => format!("{who} ended {}", resource(deed)),
        Action::InvoiceIssued => match (text(deed, "invoice"), text(deed, "total")) {
            (Some(number), Some(total)) => {
                format!("{who} issued the invoice {number} for {total}")
            }
            (Some(number), None) => format!("{who} issued the invoice {number}"),
            (None, _) => format!("{who} issued an invoice"),
        },
        Action::InvoicePaid => {
            let invoice = match text(deed, "invoice") {
                Some(number) => format!("the invoice {number}"),
                None => "an invoice".to_owned(),
            };
            let with = match &deed.whom {
                Whom::Other(reference) => format!(", with the reference {reference}"),
                Whom::Reader | Whom::Doer | Whom::Nobody => String::new(),
            };
            format!("{who} marked {invoice} as paid{with}")
        }
        Action::BudgetChanged => match (text(deed, "from"), text(deed, "to")) {
            (Some(from), Some(to)) => {
                format!("{who} changed the monthly budget from {from} to {to}")
            }
            (None, Some(to)) => format!("{who} set a monthly budget of {to}"),
            (_, None) => format!("{who} removed the monthly budget"),
        },
        Action::BillingDetailsChanged => format!("{who} changed {}", billing_details(deed)),
    }
}

/// Of a flood the first five are rows; those that follow within the minute are one sum.
fn sum(deed: &Deed) -> Option<u64> {
    deed.details.get("sum")?;
    deed.details.get("count").and_then(Value::as_u64)
}

fn who(deed: &Deed) -> String {
    match &deed.hand {
        Hand::Own => "You".to_owned(),
        Hand::Other(email) if !email.is_empty() => email.clone(),
        Hand::Operator => "The operator".to_owned(),
        // The Portal only counted what others did.
        Hand::System if sum(deed).is_none() => "The Portal".to_owned(),
        Hand::Other(_) | Hand::System | Hand::Stranger => "Somebody".to_owned(),
    }
}

fn whom(deed: &Deed) -> String {
    match &deed.whom {
        Whom::Reader => "you".to_owned(),
        Whom::Doer => "themselves".to_owned(),
        Whom::Other(name) => name.clone(),
        Whom::Nobody => "somebody".to_owned(),
    }
}

fn whose(deed: &Deed) -> String {
    match &deed.whom {
        Whom::Reader => "your".to_owned(),
        Whom::Doer => "their".to_owned(),
        Whom::Other(name) => format!("{name}'s"),
        Whom::Nobody => "somebody's".to_owned(),
    }
}

/// By its name, as long as that is known.
fn resource(deed: &Deed) -> String {
    match &deed.whom {
        Whom::Other(name) => format!("the resource {name}"),
        Whom::Reader | Whom::Doer | Whom::Nobody => "a resource".to_owned(),
    }
}

/// Whose addresses may be invited from then on, while that is known.
fn domains(deed: &Deed) -> String {
    match change(deed) {
        Some((_, "")) => "allowed invitations to any email domain".to_owned(),
        Some((_, after)) => {
            let domains: Vec<&str> = after.lines().collect();
            format!("allowed invitations to {} alone", listed(&domains))
        }
        None => "changed the allowed email domains".to_owned(),
    }
}

/// What an import did to the plans.
fn imported(deed: &Deed) -> String {
    let counted = |name: &str, one: &str, many: &str| {
        let count = deed.details.get(name).and_then(Value::as_u64);
        match count.unwrap_or_default() {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        }
    };
    let done: Vec<String> = [
        counted("added", "plan is new", "plans are new"),
        counted("repriced", "price changes", "prices change"),
        counted("closed", "plan is closed", "plans are closed"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if done.is_empty() {
        String::new()
    } else {
        format!(": {}", done.join(", "))
    }
}

/// What stands on invoices from then on, as far as it changed.
fn billing_details(deed: &Deed) -> String {
    let changed = deed.details.get("changed").and_then(Value::as_array);
    let names: Vec<&str> = changed
        .into_iter()
        .flatten()
        .filter_map(|one| match one.as_str()? {
            "address" => Some("address"),
            "vat_number" => Some("VAT number"),
            "contact" => Some("contact"),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        "the billing details".to_owned()
    } else {
        format!("the {} for billing", listed(&names))
    }
}

/// "1 person", "38 people"; without a number these words.
fn people(deed: &Deed, name: &str, otherwise: &str) -> String {
    match deed.details.get(name).and_then(Value::as_u64) {
        Some(1) => "1 person".to_owned(),
        Some(count) => format!("{count} people"),
        None => otherwise.to_owned(),
    }
}

/// What became of a list, and whether somebody or something stopped it.
fn import_ended(deed: &Deed, who: &str) -> String {
    let count = |name: &str| deed.details.get(name).and_then(Value::as_u64).unwrap_or(0);
    let invited = people(deed, "invited", "nobody");
    let refused = match count("refused") {
        0 => String::new(),
        1 => ", 1 line was refused".to_owned(),
        count => format!(", {count} lines were refused"),
    };
    match (text(deed, "why"), count("left")) {
        (None, _) => format!("{who} finished a list: {invited} invited{refused}"),
        (Some(_), left) => {
            format!("{who} stopped a list: {invited} invited{refused}, {left} left")
        }
    }
}

/// An account is switched off, not the person whose it is.
fn account(deed: &Deed) -> String {
    match &deed.whom {
        Whom::Other(name) if name == ERASED => ERASED.to_owned(),
        _ => format!("{} account", whose(deed)),
    }
}

fn is_by_themself(deed: &Deed) -> bool {
    match deed.whom {
        Whom::Reader => deed.hand == Hand::Own,
        Whom::Doer => true,
        Whom::Other(_) | Whom::Nobody => false,
    }
}

/// With a capital at the beginning of a sentence; addresses stay as they are written.
fn capital(words: &str) -> String {
    match words {
        "your" => "Your".to_owned(),
        "their" => "Their".to_owned(),
        "somebody's" => "Somebody's".to_owned(),
        "an erased account's" => "An erased account's".to_owned(),
        _ => words.to_owned(),
    }
}

fn text<'d>(deed: &'d Deed, name: &str) -> Option<&'d str> {
    deed.details.get(name).and_then(Value::as_str)
}

fn is(deed: &Deed, name: &str) -> bool {
    deed.details.get(name).and_then(Value::as_bool) == Some(true)
}

fn role(deed: &Deed, name: &str) -> Option<Role> {
    text(deed, name).and_then(|key| key.parse().ok())
}

fn as_role(deed: &Deed) -> String {
    let role = role(deed, "role");
    role.map(|role| format!(" as {role}")).unwrap_or_default()
}

fn change(deed: &Deed) -> Option<(&str, &str)> {
    let change = deed.change.as_ref();
    change.map(|(before, after)| (before.as_str(), after.as_str()))
}

/// What it was and what it is; nothing once that is erased.
fn from_to<T: std::fmt::Display>(change: &Option<(T, T)>) -> String {
    let change = change.as_ref();
    change
        .map(|(before, after)| format!(" from {before} to {after}"))
        .unwrap_or_default()
}

fn with(deed: &Deed) -> String {
    let agent = text(deed, "agent");
    agent
        .map(|agent| format!(" with {agent}"))
        .unwrap_or_default()
}

fn from(deed: &Deed) -> String {
    let address = deed.address.as_deref();
    address
        .map(|address| format!(" from {address}"))
        .unwrap_or_default()
}

/// What opened the door besides the password, or instead of a code.
fn second(deed: &Deed) -> &'static str {
    match text(deed, "second") {
        Some("code") => ", and gave a code",
        Some("recovery") => ", and gave a recovery code",
        Some("trusted") => ", without a code, as the browser is trusted",
        _ => "",
    }
}

/// What is asked of each role whose policy changed, roles of which the same is asked together; and whether browsers may be
/// trusted, where that changed.
fn policy(deed: &Deed) -> String {
    let changed = deed.details.get("changed").and_then(Value::as_array);
    let is_changed = |name: &str| {
        changed.is_none_or(|changed| changed.iter().any(|one| one.as_str() == Some(name)))
    };
    let mut asked: Vec<(&str, Vec<&str>)> = Vec::new();
    for role in Role::ALL {
        let Some(what) = text(deed, role.key()).filter(|_| is_changed(role.key())) else {
            continue;
        };
        match asked.iter_mut().find(|(other, _)| *other == what) {
            Some((_, roles)) => roles.push(role.label()),
            None => asked.push((what, vec![role.label()])),
        }
    }
    let mut parts: Vec<String> = asked
        .iter()
        .map(|(what, roles)| format!("{what} for {}", listed(roles)))
        .collect();
    match text(deed, "trust").filter(|_| is_changed("trust")) {
        Some("offered") => parts.push("browsers may be trusted for 30 days".to_owned()),
        Some(_) => parts.push("no browser is trusted".to_owned()),
        None => {}
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(": {}", parts.join(", "))
}

/// "Member", "Member and Billing", "Member, Billing and Admin".
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn codes(deed: &Deed) -> String {
    match sum(deed) {
        Some(count) if count > 1 => format!("{count} more codes"),
        Some(_) => "One more code".to_owned(),
        None => "A code".to_owned(),
    }
}

fn sign_ins(deed: &Deed) -> String {
    match sum(deed) {
        Some(count) if count > 1 => format!("{count} more sign-ins"),
        Some(_) => "One more sign-in".to_owned(),
        None => "A sign-in".to_owned(),
    }
}

fn exported(deed: &Deed, who: &str) -> String {
    let format = match text(deed, "format") {
        Some("csv") => " as CSV",
        Some("jsonl") => " as JSON lines",
        _ => "",
    };
    match &deed.whom {
        Whom::Other(words) => {
            format!("{who} exported what the audit log has of “{words}”{format}")
        }
        Whom::Reader | Whom::Doer | Whom::Nobody => match deed.details.get("filters") {
            Some(_) => format!("{who} exported a part of the audit log{format}"),
            None => format!("{who} exported the audit log{format}"),
        },
    }
}

fn denied(deed: &Deed, who: &str) -> String {
    let key = text(deed, "permission");
    let permission = key.and_then(|key| Permission::ALL.into_iter().find(|one| one.key() == key));
    match permission {
        Some(permission) => format!(
            "{who} tried something that needs the permission “{}”",
            permission.label()
        ),
        None => format!("{who} tried something that was refused"),
    }
}
