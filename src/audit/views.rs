//! How events read to the account that did them, or to which they were done: in sentences, never in slugs.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::Value;

use super::{Action, Deed, Hand};
use crate::domain::role::{Permission, Role};
use crate::kit::html::icon::Icon;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::time;
use crate::kit::time::Timestamp;

/// Events as a table: what, and when.
#[must_use]
pub fn activity(caption: &str, deeds: &[Deed], now: Timestamp, zone: &TimeZone) -> Markup {
    let columns = [
        Column::new(Cell::Main, "What").unseen(),
        Column::new(Cell::End, "When"),
    ];
    let rows = html! {
        @for deed in deeds {
            (row(&[
                (Cell::Main, html! { span.person { span.muted { (icon(deed.action)) } span { (sentence(deed)) } } }),
                (Cell::End, html! { span.muted.nowrap { (time(deed.at, now, zone)) } }),
            ]))
        }
    };
    html! {
        div.break { (Table { caption, shape: Shape::Plain, columns: &columns, rows, foot: None }) }
    }
}

const fn icon(action: Action) -> Icon {
    match action {
        Action::OrganisationCreated
        | Action::OrganisationDeleted
        | Action::OrganisationRenamed
        | Action::OrganisationMoved
        | Action::OrganisationDisabled
        | Action::OrganisationEnabled => Icon::Building2,
        Action::OwnershipOffered
        | Action::OwnershipWithdrawn
        | Action::OwnershipDeclined
        | Action::OwnershipMoved
        | Action::RoleChanged
        | Action::ManagersChanged => Icon::Users,
        Action::AccountCreated | Action::OwnerInvited => Icon::UserRoundPlus,
        Action::AccountActivated | Action::AccountEnabled => Icon::CircleCheck,
        Action::AccountDisabled => Icon::Ban,
        Action::AccountDeleted => Icon::Trash2,
        Action::InvitationResent
        | Action::InvitationLinkAsked
        | Action::MailRetried
        | Action::EmailChangeAsked
        | Action::EmailChanged => Icon::Mail,
        Action::ProfileChanged | Action::PreferencesChanged => Icon::Settings,
        Action::InvitationLinkCopied | Action::SetupLinkMade => Icon::Link,
        Action::InvitationExpired | Action::ClockSteppedBack => Icon::Clock,
        Action::SignedIn => Icon::LogIn,
        Action::SignedOut | Action::SessionEnded | Action::SessionsEnded => Icon::LogOut,
        Action::SignInFailed | Action::SignInThrottled => Icon::CircleAlert,
        Action::ResetRequested
        | Action::PasswordChanged
        | Action::PasswordReset
        | Action::AccountUnlocked => Icon::KeyRound,
        Action::InvitationRefused
        | Action::Denied
        | Action::FormRefused
        | Action::RequestMalformed => Icon::Ban,
    }
}

/// One event in words, to the account that it concerns.
#[must_use]
pub fn sentence(deed: &Deed) -> String {
    let who = who(&deed.hand);
    let whom = whom(deed);
    match deed.action {
        Action::OrganisationCreated => format!("{who} founded the organisation"),
        Action::OrganisationDeleted => format!("{who} removed an organisation"),
        Action::AccountCreated | Action::OwnerInvited => {
            format!("{who} invited {whom}{}", as_role(&deed.details))
        }
        Action::AccountActivated => format!("{who} activated {} account", whose(deed)),
        Action::AccountDisabled => format!("{who} disabled {whom}"),
        Action::AccountEnabled => format!("{who} enabled {whom}"),
        Action::AccountDeleted => format!("{who} deleted {whom}"),
        Action::RoleChanged => format!(
            "{who} changed {} permission{}",
            whose(deed),
            to_role(&deed.details)
        ),
        Action::OrganisationRenamed => format!("{who} renamed the organisation"),
        Action::OrganisationMoved => format!("{who} changed the organisation's time zone"),
        Action::ManagersChanged => match text(&deed.details, "managers") {
            Some("masters") => format!("{who} decided that only Masters manage users"),
            _ => format!("{who} decided that Admins manage users as well"),
        },
        Action::OrganisationDisabled => format!("{who} disabled the organisation"),
        Action::OrganisationEnabled => format!("{who} enabled the organisation"),
        Action::OwnershipOffered => format!("{who} offered {whom} the ownership"),
        Action::OwnershipWithdrawn => format!("{who} took the offer of the ownership back"),
        Action::OwnershipDeclined => format!("{who} declined the ownership"),
        Action::OwnershipMoved => format!("{who} accepted the ownership"),
        Action::SessionEnded => format!("{who} ended another session"),
        Action::SessionsEnded => match deed.hand {
            Hand::Own if deed.is_on_self => "You signed out everywhere else".to_owned(),
            _ => format!("{who} signed {whom} out everywhere"),
        },
        Action::PasswordReset => format!("{who} reset {} password", whose(deed)),
        Action::EmailChangeAsked => format!("{who} asked for another email address"),
        Action::EmailChanged => format!("{who} changed {} email address", whose(deed)),
        Action::ProfileChanged => format!("{who} changed {} name or phone", whose(deed)),
        Action::PreferencesChanged => format!("{who} changed {} preferences", whose(deed)),
        Action::InvitationResent => format!("{who} sent {whom} a new activation link"),
        Action::InvitationLinkCopied => format!("{who} copied {} activation link", whose(deed)),
        Action::InvitationExpired => format!("{} activation link expired", capital(&whose(deed))),
        Action::InvitationLinkAsked => {
            format!("A new activation link was asked for, for {whom}")
        }
        Action::InvitationRefused => refused(deed, &who),
        Action::SignedIn => format!("{who} signed in{}{}", with(deed), from(deed)),
        Action::SignInFailed => format!("{}{}", failures(&deed.details), from(deed)),
        Action::SignInThrottled => {
            format!("Too many sign-ins failed; one had to wait{}", from(deed))
        }
        Action::SignedOut => format!("{who} signed out"),
        Action::ResetRequested => format!("A reset link was asked for, for {whom}{}", from(deed)),
        Action::PasswordChanged => match deed.hand {
            // A reset link acts for whoever holds it; who that was is for the account's own person to say.
            Hand::Stranger => format!(
                "{} password was changed with a reset link",
                capital(&whose(deed))
            ),
            Hand::Own | Hand::Other(_) | Hand::Operator | Hand::System => {
                format!("{who} changed {} password", whose(deed))
            }
        },
        Action::AccountUnlocked => {
            format!("{who} let sign-ins to {} account begin anew", whose(deed))
        }
        Action::MailRetried => format!("{who} sent a failed mail to {whom} again"),
        Action::Denied => denied(deed, &who),
        Action::FormRefused => {
            "A form was refused: it had expired, or came from elsewhere".to_owned()
        }
        Action::RequestMalformed => "A request could not be read".to_owned(),
        Action::SetupLinkMade => format!("{who} made a set-up link"),
        Action::ClockSteppedBack => "The clock of the server stepped back".to_owned(),
    }
}

/// An invitation whose address was taken, or a link that was refused to whoever opened it.
fn refused(deed: &Deed, who: &str) -> String {
    if text(&deed.details, "why") == Some("taken") {
        let wish = match text(&deed.details, "for") {
            Some("own_account") => "change to",
            _ => "invite",
        };
        return format!(
            "{who} could not {wish} {}: the address is taken",
            whom(deed)
        );
    }
    format!(
        "{} activation link was refused: whoever gave the permission may no longer give it",
        capital(&whose(deed))
    )
}

fn who(hand: &Hand) -> String {
    match hand {
        Hand::Own => "You".to_owned(),
        Hand::Other(email) if !email.is_empty() => email.clone(),
        Hand::Other(_) | Hand::Stranger => "Somebody".to_owned(),
        Hand::Operator => "The operator".to_owned(),
        Hand::System => "The Portal".to_owned(),
    }
}

fn whom(deed: &Deed) -> String {
    match &deed.target {
        _ if deed.is_on_self => "you".to_owned(),
        Some(target) => target.clone(),
        None => "somebody".to_owned(),
    }
}

fn whose(deed: &Deed) -> String {
    match &deed.target {
        _ if deed.is_on_self => "your".to_owned(),
        Some(target) => format!("{target}'s"),
        None => "somebody's".to_owned(),
    }
}

/// With a capital at the beginning of a sentence; addresses stay as they are written.
fn capital(words: &str) -> String {
    if words == "your" {
        "Your".to_owned()
    } else {
        words.to_owned()
    }
}

fn text<'d>(details: &'d Value, name: &str) -> Option<&'d str> {
    details.get(name).and_then(Value::as_str)
}

fn as_role(details: &Value) -> String {
    let role = text(details, "role").and_then(|key| key.parse::<Role>().ok());
    role.map(|role| format!(" as {role}")).unwrap_or_default()
}

fn to_role(details: &Value) -> String {
    let role = |name| text(details, name).and_then(|key| key.parse::<Role>().ok());
    match (role("from"), role("role")) {
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
        (_, Some(to)) => format!(" to {to}"),
        (_, None) => String::new(),
    }
}

fn with(deed: &Deed) -> String {
    let agent = text(&deed.details, "agent");
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

/// Of a flood the first five are rows; those that follow within the minute are one sum.
fn failures(details: &Value) -> String {
    match details.get("count").and_then(Value::as_u64) {
        Some(count) if count > 1 => format!("{count} more sign-ins failed"),
        Some(_) => "One more sign-in failed".to_owned(),
        None => "A sign-in failed".to_owned(),
    }
}

fn denied(deed: &Deed, who: &str) -> String {
    let key = text(&deed.details, "permission");
    let permission = key.and_then(|key| Permission::ALL.into_iter().find(|one| one.key() == key));
    match permission {
        Some(permission) => format!(
            "{who} tried something that needs the permission “{}”",
            permission.label()
        ),
        None => format!("{who} tried something that was refused"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deed(action: Action, hand: Hand) -> Deed {
        Deed {
            at: Timestamp(1_795_526_400),
            action,
            is_on_self: true,
            hand,
            target: Some("lea@fjord.example".to_owned()),
            address: Some("203.0.113.24".to_owned()),
            details: json!({}),
        }
    }

    fn told(action: Action, hand: Hand, details: Value) -> String {
        sentence(&Deed {
            details,
            ..deed(action, hand)
        })
    }

    #[test]
    fn a_refused_invitation_says_why() {
        let taken = Deed {
            is_on_self: false,
            details: json!({ "why": "taken" }),
            ..deed(Action::InvitationRefused, Hand::Own)
        };
        assert_eq!(
            sentence(&taken),
            "You could not invite lea@fjord.example: the address is taken"
        );
        let own = Deed {
            details: json!({ "why": "taken", "for": "own_account" }),
            ..taken
        };
        assert_eq!(
            sentence(&own),
            "You could not change to lea@fjord.example: the address is taken"
        );
        assert_eq!(
            told(Action::InvitationRefused, Hand::Stranger, json!({})),
            "Your activation link was refused: whoever gave the permission may no longer give it"
        );
    }

    #[test]
    fn no_slug_and_no_stray_word_is_shown() {
        for action in Action::ALL {
            for hand in [
                Hand::Own,
                Hand::Other("ingrid@fjord.example".to_owned()),
                Hand::Other(String::new()),
                Hand::Operator,
                Hand::System,
                Hand::Stranger,
            ] {
                let words = sentence(&deed(action, hand));
                assert!(!words.contains(action.slug()), "{words}");
                assert!(!words.contains("  ") && !words.contains("null"), "{words}");
                assert!(
                    words.starts_with(char::is_uppercase) || words.starts_with("ingrid@"),
                    "{words}"
                );
            }
        }
    }

    #[test]
    fn the_reader_is_you_as_hand_and_as_target() {
        let ingrid = || Hand::Other("ingrid@fjord.example".to_owned());
        let invited = told(
            Action::AccountCreated,
            ingrid(),
            json!({ "role": "billing" }),
        );
        assert_eq!(invited, "ingrid@fjord.example invited you as Billing");
        let inviting = Deed {
            is_on_self: false,
            ..deed(Action::AccountCreated, Hand::Own)
        };
        assert_eq!(sentence(&inviting), "You invited lea@fjord.example");
        let copied = Deed {
            is_on_self: false,
            ..deed(Action::InvitationLinkCopied, Hand::Own)
        };
        assert_eq!(
            sentence(&copied),
            "You copied lea@fjord.example's activation link"
        );
        assert_eq!(
            told(Action::InvitationExpired, Hand::System, json!({})),
            "Your activation link expired"
        );
    }

    #[test]
    fn sign_ins_tell_with_what_and_from_where() {
        let known = json!({ "agent": "Firefox on Linux", "known_device": true });
        assert_eq!(
            told(Action::SignedIn, Hand::Own, known),
            "You signed in with Firefox on Linux from 203.0.113.24"
        );
        assert_eq!(
            told(Action::SignInFailed, Hand::Stranger, json!({})),
            "A sign-in failed from 203.0.113.24"
        );
        assert_eq!(
            told(
                Action::SignInFailed,
                Hand::Stranger,
                json!({ "count": 12, "sum": true })
            ),
            "12 more sign-ins failed from 203.0.113.24"
        );
    }

    #[test]
    fn the_network_address_of_whoever_manages_is_not_told_to_the_managed() {
        for action in [
            Action::AccountCreated,
            Action::InvitationResent,
            Action::InvitationLinkCopied,
            Action::MailRetried,
        ] {
            let by = Hand::Other("ingrid@fjord.example".to_owned());
            assert!(!sentence(&deed(action, by)).contains("203.0.113.24"));
        }
    }

    #[test]
    fn what_was_refused_names_the_permission_by_its_label() {
        let needs = json!({ "permission": "users.list", "route": "/iam/accounts" });
        assert_eq!(
            told(Action::Denied, Hand::Own, needs),
            "You tried something that needs the permission “List users”"
        );
    }

    #[test]
    fn what_people_wrote_is_escaped() {
        let forged = Deed {
            is_on_self: false,
            target: Some("<b>@x".to_owned()),
            ..deed(Action::AccountDeleted, Hand::Own)
        };
        let now = Timestamp(1_795_526_400);
        let page = activity("Recent activity", &[forged], now, &TimeZone::UTC).into_string();
        assert!(page.contains("You deleted &lt;b&gt;@x"), "{page}");
    }
}
