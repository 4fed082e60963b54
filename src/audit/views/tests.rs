//! How each event reads to whoever did it, to whom it was done, and to whoever may know.

use serde_json::{Value, json};

use super::*;
use crate::audit::{ERASED, Hand, Whom};

const LEA: &str = "lea@fjord.example";
const INGRID: &str = "ingrid@fjord.example";

fn ingrid() -> Hand {
    Hand::Other(INGRID.to_owned())
}

fn on_lea() -> Whom {
    Whom::Other(LEA.to_owned())
}

fn deed(action: Action, hand: Hand, whom: Whom) -> Deed {
    Deed {
        at: Timestamp(1_795_526_400),
        action,
        hand,
        whom,
        address: Some("203.0.113.24".to_owned()),
        change: None,
        details: json!({}),
    }
}

fn told(action: Action, hand: Hand, whom: Whom, details: Value) -> String {
    sentence(&Deed {
        details,
        ..deed(action, hand, whom)
    })
}

/// Every hand there is.
fn hands() -> [Hand; 6] {
    [
        Hand::Own,
        ingrid(),
        Hand::Other(String::new()),
        Hand::Operator,
        Hand::System,
        Hand::Stranger,
    ]
}

#[test]
fn no_slug_and_no_stray_word_is_shown() {
    for action in Action::ALL {
        for hand in hands() {
            for whom in [Whom::Reader, Whom::Doer, on_lea(), Whom::Nobody] {
                let words = sentence(&deed(action, hand.clone(), whom));
                assert!(!words.contains(action.slug()), "{words}");
                assert!(!words.contains("  ") && !words.contains("null"), "{words}");
                assert!(
                    words.starts_with(char::is_uppercase)
                        || words.starts_with(INGRID)
                        || words.starts_with(LEA),
                    "{words}"
                );
            }
        }
    }
}

/// What is done to accounts: to the reader by another, by the reader to another, by the operator before a third, and
/// by somebody to themselves before a third.
#[test]
fn what_is_done_to_an_account_reads_well_from_every_side() {
    let role = json!({ "from": "member", "role": "admin" });
    for (action, details, [to_you, by_you, operator]) in [
        (
            Action::AccountCreated,
            json!({ "role": "billing" }),
            [
                "ingrid@fjord.example invited you as Billing",
                "You invited lea@fjord.example as Billing",
                "The operator invited lea@fjord.example as Billing",
            ],
        ),
        (
            Action::OwnerInvited,
            json!({}),
            [
                "ingrid@fjord.example invited you as the owner",
                "You invited lea@fjord.example as the owner",
                "The operator invited lea@fjord.example as the owner",
            ],
        ),
        (
            Action::InvitationResent,
            json!({}),
            [
                "ingrid@fjord.example sent you a new activation link",
                "You sent lea@fjord.example a new activation link",
                "The operator sent lea@fjord.example a new activation link",
            ],
        ),
        (
            Action::InvitationLinkCopied,
            json!({}),
            [
                "ingrid@fjord.example copied your activation link",
                "You copied lea@fjord.example's activation link",
                "The operator copied lea@fjord.example's activation link",
            ],
        ),
        (
            Action::RoleChanged,
            role,
            [
                "ingrid@fjord.example changed your permission from Member to Admin",
                "You changed lea@fjord.example's permission from Member to Admin",
                "The operator changed lea@fjord.example's permission from Member to Admin",
            ],
        ),
        (
            Action::AccountDisabled,
            json!({}),
            [
                "ingrid@fjord.example disabled your account",
                "You disabled lea@fjord.example's account",
                "The operator disabled lea@fjord.example's account",
            ],
        ),
        (
            Action::AccountDisabled,
            json!({ "why": "date", "set_by": "acc_bbbbbbbbbbbbb" }),
            [
                "ingrid@fjord.example disabled your account, as was set before",
                "You disabled lea@fjord.example's account, as was set before",
                "The operator disabled lea@fjord.example's account, as was set before",
            ],
        ),
        (
            Action::DepartureSet,
            json!({ "day": "2026-11-30", "at": 1_796_079_600 }),
            [
                "ingrid@fjord.example set your account to be disabled at the end of 30 Nov 2026",
                "You set lea@fjord.example's account to be disabled at the end of 30 Nov 2026",
                "The operator set lea@fjord.example's account to be disabled at the end of 30 Nov 2026",
            ],
        ),
        (
            Action::DepartureCancelled,
            json!({ "day": "2026-11-30" }),
            [
                "ingrid@fjord.example decided that your account is not to be disabled on a date",
                "You decided that lea@fjord.example's account is not to be disabled on a date",
                "The operator decided that lea@fjord.example's account is not to be disabled on a date",
            ],
        ),
        (
            Action::DepartureCancelled,
            json!({ "why": "ownership" }),
            [
                "Your account is not to be disabled on a date any more: it owns the organisation",
                "lea@fjord.example's account is not to be disabled on a date any more: it owns the organisation",
                "lea@fjord.example's account is not to be disabled on a date any more: it owns the organisation",
            ],
        ),
        (
            Action::DepartureDropped,
            json!({ "why": "last_master" }),
            [
                "ingrid@fjord.example could not disable your account on the date that was set: it is the last Active Master",
                "You could not disable lea@fjord.example's account on the date that was set: it is the last Active Master",
                "The operator could not disable lea@fjord.example's account on the date that was set: it is the last Active Master",
            ],
        ),
        (
            Action::AccountEnabled,
            json!({}),
            [
                "ingrid@fjord.example enabled your account",
                "You enabled lea@fjord.example's account",
                "The operator enabled lea@fjord.example's account",
            ],
        ),
        (
            Action::AccountDeleted,
            json!({ "why": "by_hand" }),
            [
                "ingrid@fjord.example deleted your account",
                "You deleted lea@fjord.example's account",
                "The operator deleted lea@fjord.example's account",
            ],
        ),
        (
            Action::SessionsEnded,
            json!({}),
            [
                "ingrid@fjord.example signed you out everywhere",
                "You signed lea@fjord.example out everywhere",
                "The operator signed lea@fjord.example out everywhere",
            ],
        ),
        (
            Action::PasswordReset,
            json!({ "link": "mailed" }),
            [
                "ingrid@fjord.example reset your password",
                "You reset lea@fjord.example's password",
                "The operator reset lea@fjord.example's password",
            ],
        ),
        (
            Action::PasswordReset,
            json!({ "link": "shown" }),
            [
                "ingrid@fjord.example reset your password, and took the link to pass it on",
                "You reset lea@fjord.example's password, and took the link to pass it on",
                "The operator reset lea@fjord.example's password, and took the link to pass it on",
            ],
        ),
        (
            Action::AccountUnlocked,
            json!({}),
            [
                "ingrid@fjord.example let sign-ins to your account begin anew",
                "You let sign-ins to lea@fjord.example's account begin anew",
                "The operator let sign-ins to lea@fjord.example's account begin anew",
            ],
        ),
        (
            Action::OwnershipOffered,
            json!({}),
            [
                "ingrid@fjord.example offered you the ownership",
                "You offered lea@fjord.example the ownership",
                "The operator offered lea@fjord.example the ownership",
            ],
        ),
        (
            Action::OwnershipWithdrawn,
            json!({}),
            [
                "ingrid@fjord.example took the offer of the ownership to you back",
                "You took the offer of the ownership to lea@fjord.example back",
                "The operator took the offer of the ownership to lea@fjord.example back",
            ],
        ),
    ] {
        let told = |hand, whom| told(action, hand, whom, details.clone());
        assert_eq!(told(ingrid(), Whom::Reader), to_you);
        assert_eq!(told(Hand::Own, on_lea()), by_you);
        assert_eq!(told(Hand::Operator, on_lea()), operator);
    }
}

#[test]
fn what_people_do_to_their_own_account_reads_well_to_them_and_to_others() {
    let none = json!({});
    for (action, own, others) in [
        (
            Action::AccountActivated,
            "You activated your account",
            "ingrid@fjord.example activated their account",
        ),
        (
            Action::OwnershipDeclined,
            "You declined the ownership",
            "ingrid@fjord.example declined the ownership",
        ),
        (
            Action::OwnershipMoved,
            "You accepted the ownership",
            "ingrid@fjord.example accepted the ownership",
        ),
        (
            Action::SignedOut,
            "You signed out",
            "ingrid@fjord.example signed out",
        ),
        (
            Action::SessionEnded,
            "You ended another of your sessions",
            "ingrid@fjord.example ended another of their sessions",
        ),
        (
            Action::SessionsEnded,
            "You signed out everywhere else",
            "ingrid@fjord.example signed out everywhere else",
        ),
        (
            Action::PasswordChanged,
            "You changed your password",
            "ingrid@fjord.example changed their password",
        ),
        (
            Action::ProfileChanged,
            "You changed your name or phone",
            "ingrid@fjord.example changed their name or phone",
        ),
        (
            Action::PreferencesChanged,
            "You changed your preferences",
            "ingrid@fjord.example changed their preferences",
        ),
    ] {
        assert_eq!(told(action, Hand::Own, Whom::Reader, none.clone()), own);
        assert_eq!(told(action, ingrid(), Whom::Doer, none.clone()), others);
    }
}

/// What people do to their own second factor, told to them and to others.
#[test]
fn what_people_do_with_their_second_factor_reads_well() {
    for (action, details, does) in [
        (
            Action::TwoFactorBegun,
            json!({ "replaces": false }),
            "began to set up 2-step verification",
        ),
        (
            Action::TwoFactorBegun,
            json!({ "replaces": true }),
            "began to move 2-step verification to another phone",
        ),
        (
            Action::TwoFactorOn,
            json!({ "replaced": false }),
            "enabled 2-step verification",
        ),
        (
            Action::TwoFactorOn,
            json!({ "replaced": true }),
            "moved 2-step verification to another phone",
        ),
        (
            Action::TwoFactorOff,
            json!({}),
            "disabled 2-step verification",
        ),
        (
            Action::RecoveryCodesRenewed,
            json!({}),
            "made new recovery codes",
        ),
        (
            Action::ProofGiven,
            json!({ "how": "code" }),
            "gave a code again from 203.0.113.24",
        ),
        (
            Action::ProofGiven,
            json!({ "how": "recovery" }),
            "gave a recovery code from 203.0.113.24",
        ),
        (
            Action::CodeFailed,
            json!({}),
            "typed a wrong code from 203.0.113.24",
        ),
        (
            Action::SignedIn,
            json!({ "agent": "Firefox on Linux", "second": "none" }),
            "signed in with Firefox on Linux from 203.0.113.24",
        ),
        (
            Action::SignedIn,
            json!({ "agent": "Firefox on Linux", "second": "code" }),
            "signed in with Firefox on Linux from 203.0.113.24, and gave a code",
        ),
        (
            Action::SignedIn,
            json!({ "agent": "Firefox on Linux", "second": "recovery" }),
            "signed in with Firefox on Linux from 203.0.113.24, and gave a recovery code",
        ),
        (
            Action::SignedIn,
            json!({ "agent": "Firefox on Linux", "second": "trusted" }),
            "signed in with Firefox on Linux from 203.0.113.24, without a code, as the browser is trusted",
        ),
    ] {
        assert_eq!(
            told(action, Hand::Own, Whom::Reader, details.clone()),
            format!("You {does}")
        );
        assert_eq!(
            told(action, ingrid(), Whom::Doer, details),
            format!("{INGRID} {does}")
        );
    }
    let password = json!({ "how": "password" });
    assert_eq!(
        told(
            Action::ProofGiven,
            Hand::Own,
            Whom::Reader,
            password.clone()
        ),
        "You gave your password again from 203.0.113.24"
    );
    assert_eq!(
        told(Action::ProofGiven, ingrid(), Whom::Doer, password),
        "ingrid@fjord.example gave their password again from 203.0.113.24"
    );
}

/// Whoever typed the password is nobody before the code, to the account's own person as to others.
#[test]
fn between_password_and_code_whoever_signs_in_may_be_anybody() {
    for (action, details, to_lea, to_others) in [
        (
            Action::CodeAsked,
            json!({ "key": "password" }),
            "Somebody gave your password from 203.0.113.24, and was asked for the code",
            "Somebody gave lea@fjord.example's password from 203.0.113.24, and was asked for the code",
        ),
        (
            Action::CodeAsked,
            json!({ "key": "link" }),
            "Somebody opened your sign-in link from 203.0.113.24, and was asked for the code",
            "Somebody opened lea@fjord.example's sign-in link from 203.0.113.24, and was asked for the code",
        ),
        (
            Action::CodeFailed,
            json!({}),
            "Somebody typed a wrong code for your account from 203.0.113.24",
            "Somebody typed a wrong code for lea@fjord.example's account from 203.0.113.24",
        ),
        (
            Action::CodeThrottled,
            json!({}),
            "A code for your account from 203.0.113.24 had to wait, as too many had failed",
            "A code for lea@fjord.example's account from 203.0.113.24 had to wait, as too many had failed",
        ),
        (
            Action::SignedOut,
            json!({ "half": true }),
            "A sign-in to your account from 203.0.113.24 was left at the code",
            "A sign-in to lea@fjord.example's account from 203.0.113.24 was left at the code",
        ),
    ] {
        let told = |whom| told(action, Hand::Stranger, whom, details.clone());
        assert_eq!(told(Whom::Reader), to_lea);
        assert_eq!(told(on_lea()), to_others);
    }
    let sum = |action, count| {
        let sum = json!({ "count": count, "sum": true });
        told(action, Hand::System, Whom::Reader, sum)
    };
    assert_eq!(
        sum(Action::CodeFailed, 3),
        "Somebody typed a wrong code for your account from 203.0.113.24, 3 times more"
    );
    assert_eq!(
        sum(Action::CodeFailed, 1),
        "Somebody typed a wrong code for your account from 203.0.113.24, once more"
    );
    assert_eq!(
        sum(Action::CodeThrottled, 3),
        "3 more codes for your account from 203.0.113.24 had to wait, as too many had failed"
    );
    assert_eq!(
        sum(Action::CodeThrottled, 1),
        "One more code for your account from 203.0.113.24 had to wait, as too many had failed"
    );
}

#[test]
fn what_others_do_about_a_second_factor_reads_well_from_every_side() {
    let none = json!({});
    for (action, [to_you, by_you, operator]) in [
        (
            Action::TwoFactorReset,
            [
                "ingrid@fjord.example reset your 2-step verification",
                "You reset lea@fjord.example's 2-step verification",
                "The operator reset lea@fjord.example's 2-step verification",
            ],
        ),
        (
            Action::SignInLinkMade,
            [
                "ingrid@fjord.example made a sign-in link for you",
                "You made a sign-in link for lea@fjord.example",
                "The operator made a sign-in link for lea@fjord.example",
            ],
        ),
    ] {
        assert_eq!(told(action, ingrid(), Whom::Reader, none.clone()), to_you);
        assert_eq!(told(action, Hand::Own, on_lea(), none.clone()), by_you);
        assert_eq!(
            told(action, Hand::Operator, on_lea(), none.clone()),
            operator
        );
    }
    assert_eq!(
        told(Action::KeyReplaced, Hand::Operator, Whom::Nobody, none),
        "The operator replaced the Portal's secret key: all links and every second factor are void"
    );
}

#[test]
fn a_changed_policy_is_told_by_what_changed() {
    let all = json!({
        "member": "off", "billing": "recommended", "admin": "required after 7 days",
        "master": "required after 7 days", "trust": "offered"
    });
    for (changed, words) in [
        (
            json!(["admin", "master"]),
            ": required after 7 days for Admin and Master",
        ),
        (
            json!(["member", "billing", "trust"]),
            ": off for Member, recommended for Billing, browsers may be trusted for 30 days",
        ),
        (json!(["trust"]), ": browsers may be trusted for 30 days"),
        (json!([]), ""),
    ] {
        let mut details = all.clone();
        details["changed"] = changed;
        assert_eq!(
            told(Action::PolicyChanged, Hand::Own, Whom::Nobody, details),
            format!("You changed the two-factor policy{words}")
        );
    }
    let same = "required at once";
    let details = json!({
        "member": same, "billing": same, "admin": same, "master": same, "trust": "off",
        "changed": ["member", "billing", "admin", "master", "trust"]
    });
    assert_eq!(
        told(Action::PolicyChanged, ingrid(), Whom::Nobody, details),
        "ingrid@fjord.example changed the two-factor policy: required at once for Member, Billing, Admin and Master, \
         no browser is trusted"
    );
}

#[test]
fn what_was_and_what_is_are_told_until_they_are_erased() {
    let changed = |action, hand, whom, before: &str, after: &str| {
        sentence(&Deed {
            change: Some((before.to_owned(), after.to_owned())),
            ..deed(action, hand, whom)
        })
    };
    for (action, kept, erased) in [
        (
            Action::EmailChangeAsked,
            "You asked to change your email from lea@fjord.example to lea@new.example",
            "You asked to change your email",
        ),
        (
            Action::EmailChanged,
            "You changed your email from lea@fjord.example to lea@new.example",
            "You changed your email",
        ),
    ] {
        let words = changed(action, Hand::Own, Whom::Reader, LEA, "lea@new.example");
        assert_eq!(words, kept);
        assert_eq!(told(action, Hand::Own, Whom::Reader, json!({})), erased);
    }
    assert_eq!(
        changed(Action::EmailChanged, ingrid(), Whom::Doer, INGRID, LEA),
        "ingrid@fjord.example changed their email from ingrid@fjord.example to lea@fjord.example"
    );
    assert_eq!(
        changed(
            Action::OrganisationRenamed,
            Hand::Own,
            Whom::Nobody,
            "Fjord",
            "Fjord Works"
        ),
        "You renamed the organisation from Fjord to Fjord Works"
    );
    assert_eq!(
        told(
            Action::RoleChanged,
            Hand::Other(String::new()),
            Whom::Nobody,
            json!({ "from": "admin", "role": "member" })
        ),
        "Somebody changed somebody's permission from Admin to Member"
    );
    let erased = Whom::Other(ERASED.to_owned());
    for (action, words) in [
        (Action::AccountDeleted, "You deleted an erased account"),
        (Action::AccountDisabled, "You disabled an erased account"),
        (
            Action::InvitationExpired,
            "An erased account's activation link expired",
        ),
    ] {
        assert_eq!(told(action, Hand::Own, erased.clone(), json!({})), words);
    }
}

#[test]
fn what_is_decided_for_the_organisation_names_nobody_else() {
    for (action, details, words) in [
        (
            Action::OrganisationMoved,
            json!({ "from": "UTC", "to": "Europe/Oslo" }),
            "You changed the organisation's time zone from UTC to Europe/Oslo",
        ),
        (
            Action::ManagersChanged,
            json!({ "managers": "masters" }),
            "You decided that only Masters manage users",
        ),
        (
            Action::ManagersChanged,
            json!({ "managers": "admins" }),
            "You decided that Admins manage users as well",
        ),
        (
            Action::OrganisationDisabled,
            json!({ "sessions": 3 }),
            "You disabled the organisation",
        ),
        (
            Action::DomainsChanged,
            json!({}),
            "You changed the allowed email domains",
        ),
        (
            Action::FirstStepsPutAway,
            json!({}),
            "You put the list of first steps away",
        ),
    ] {
        assert_eq!(told(action, Hand::Own, Whom::Nobody, details), words);
    }
}

#[test]
fn allowed_domains_are_named_and_a_refusal_says_that_it_was_they() {
    let changed = |after: &str| {
        sentence(&Deed {
            change: Some(("old.example".to_owned(), after.to_owned())),
            ..deed(Action::DomainsChanged, Hand::Own, Whom::Nobody)
        })
    };
    for (after, words) in [
        ("", "You allowed invitations to any email domain"),
        (
            "fjord.example",
            "You allowed invitations to fjord.example alone",
        ),
        (
            "fjord.example\nlake.example",
            "You allowed invitations to fjord.example and lake.example alone",
        ),
    ] {
        assert_eq!(changed(after), words);
    }
    let refused = |details| {
        let whom = Whom::Other("lea@else.example".to_owned());
        told(Action::InvitationRefused, Hand::Own, whom, details)
    };
    assert_eq!(
        refused(json!({ "why": "domain" })),
        "You could not invite lea@else.example: addresses of that domain are not allowed"
    );
    assert_eq!(
        refused(json!({ "why": "domain", "for": "own_account" })),
        "You could not change to lea@else.example: addresses of that domain are not allowed"
    );
}

/// By the reader, by another before the reader, by the operator, and by the Portal itself where it does so.
#[test]
fn what_is_done_to_resources_and_about_the_bill_reads_well_from_every_side() {
    let web = || Whom::Other("web-1".to_owned());
    let renamed = Some(("web-0".to_owned(), "web-1".to_owned()));
    let plans = Some(("2 cores".to_owned(), "4 cores".to_owned()));
    let handed = Some(("Priya Raman".to_owned(), "Samuel Osei".to_owned()));
    let none = json!({});
    let paid = json!({ "invoice": "INV-2026-010", "total": "1,805.12 EUR" });
    for (action, whom, change, details, words) in [
        (
            Action::ResourceCreated,
            web(),
            None,
            none.clone(),
            "created the resource web-1",
        ),
        (
            Action::ResourceDescribed,
            web(),
            renamed,
            none.clone(),
            "renamed the resource web-0 to web-1",
        ),
        (
            Action::ResourceDescribed,
            web(),
            None,
            json!({ "what": "note" }),
            "changed the note of the resource web-1",
        ),
        (
            Action::ResourcePlanChanged,
            web(),
            plans,
            json!({ "plan": "server/s-4", "from": "server/s-2" }),
            "changed the plan of the resource web-1 from 2 cores to 4 cores",
        ),
        (
            Action::ResourceHandedOver,
            web(),
            handed,
            none.clone(),
            "handed the resource web-1 over from Priya Raman to Samuel Osei",
        ),
        (
            Action::ResourceHandedOver,
            web(),
            None,
            none.clone(),
            "handed the resource web-1 over",
        ),
        (
            Action::ResourceEnded,
            web(),
            None,
            none.clone(),
            "ended the resource web-1",
        ),
        (
            Action::InvoicePaid,
            Whom::Other("SEPA 7".to_owned()),
            None,
            paid,
            "marked the invoice INV-2026-010 as paid, with the reference SEPA 7",
        ),
        (
            Action::InvoicePaid,
            Whom::Nobody,
            None,
            json!({ "invoice": "INV-2026-010" }),
            "marked the invoice INV-2026-010 as paid",
        ),
        (
            Action::BudgetChanged,
            Whom::Nobody,
            None,
            json!({ "from": null, "to": "1,750.00 EUR" }),
            "set a monthly budget of 1,750.00 EUR",
        ),
        (
            Action::BudgetChanged,
            Whom::Nobody,
            None,
            json!({ "from": "1,750.00 EUR", "to": "2,000.00 EUR" }),
            "changed the monthly budget from 1,750.00 EUR to 2,000.00 EUR",
        ),
        (
            Action::BudgetChanged,
            Whom::Nobody,
            None,
            json!({ "from": "1,750.00 EUR", "to": null }),
            "removed the monthly budget",
        ),
        (
            Action::BillingDetailsChanged,
            Whom::Nobody,
            None,
            json!({ "changed": ["address", "vat_number", "contact"] }),
            "changed the address, VAT number and contact for billing",
        ),
        (
            Action::BillingDetailsChanged,
            Whom::Nobody,
            None,
            json!({ "changed": ["contact"] }),
            "changed the contact for billing",
        ),
        (
            Action::CatalogueImported,
            Whom::Nobody,
            None,
            json!({ "added": 12, "repriced": 1, "closed": 0 }),
            "imported a catalogue: 12 plans are new, 1 price changes",
        ),
        (
            Action::CatalogueImported,
            Whom::Nobody,
            None,
            json!({ "added": 0, "repriced": 0, "closed": 0 }),
            "imported a catalogue",
        ),
    ] {
        for (hand, who) in [
            (Hand::Own, "You"),
            (ingrid(), INGRID),
            (Hand::Operator, "The operator"),
        ] {
            let told = sentence(&Deed {
                change: change.clone(),
                details: details.clone(),
                ..deed(action, hand, whom.clone())
            });
            assert_eq!(told, format!("{who} {words}"));
        }
    }
    let issued = json!({ "invoice": "INV-2026-010", "month": "2026-10", "total": "1,805.12 EUR" });
    for (hand, who) in [
        (Hand::System, "The Portal"),
        (Hand::Operator, "The operator"),
    ] {
        assert_eq!(
            told(Action::InvoiceIssued, hand, Whom::Nobody, issued.clone()),
            format!("{who} issued the invoice INV-2026-010 for 1,805.12 EUR")
        );
    }
}

#[test]
fn a_resource_whose_name_is_not_known_is_one_all_the_same() {
    for (action, words) in [
        (Action::ResourceCreated, "You created a resource"),
        (Action::ResourceDescribed, "You renamed a resource"),
        (Action::ResourceEnded, "You ended a resource"),
    ] {
        assert_eq!(told(action, Hand::Own, Whom::Nobody, json!({})), words);
    }
}

#[test]
fn a_refused_invitation_says_why() {
    let taken = json!({ "why": "taken" });
    assert_eq!(
        told(Action::InvitationRefused, Hand::Own, on_lea(), taken),
        "You could not invite lea@fjord.example: the address is taken"
    );
    let own = json!({ "why": "taken", "for": "own_account" });
    assert_eq!(
        told(Action::InvitationRefused, Hand::Own, on_lea(), own),
        "You could not change to lea@fjord.example: the address is taken"
    );
    assert_eq!(
        told(
            Action::InvitationRefused,
            Hand::Stranger,
            Whom::Reader,
            json!({})
        ),
        "Your activation link was refused: whoever gave the permission may no longer give it"
    );
}

#[test]
fn the_portal_says_why_it_did_something_by_itself() {
    assert_eq!(
        told(
            Action::InvitationExpired,
            Hand::System,
            Whom::Reader,
            json!({})
        ),
        "Your activation link expired"
    );
    assert_eq!(
        told(
            Action::AccountDeleted,
            Hand::System,
            on_lea(),
            json!({ "why": "never_activated" })
        ),
        "The Portal deleted lea@fjord.example: the account was never activated"
    );
}

#[test]
fn sign_ins_tell_with_what_and_from_where() {
    let known = json!({ "agent": "Firefox on Linux", "known_device": true });
    assert_eq!(
        told(Action::SignedIn, Hand::Own, Whom::Reader, known.clone()),
        "You signed in with Firefox on Linux from 203.0.113.24"
    );
    assert_eq!(
        told(Action::SignedIn, ingrid(), Whom::Doer, known),
        "ingrid@fjord.example signed in with Firefox on Linux from 203.0.113.24"
    );
    let failed = |details| {
        let hand = Hand::Stranger;
        told(Action::SignInFailed, hand, Whom::Reader, details)
    };
    assert_eq!(failed(json!({})), "A sign-in failed from 203.0.113.24");
    assert_eq!(
        failed(json!({ "count": 12, "sum": true })),
        "12 more sign-ins failed from 203.0.113.24"
    );
    assert_eq!(
        failed(json!({ "count": 1, "sum": true })),
        "One more sign-in failed from 203.0.113.24"
    );
    let asked_again = json!({ "asked": "again" });
    assert_eq!(
        told(Action::SignInFailed, Hand::Own, Whom::Reader, asked_again),
        "You typed a wrong password from 203.0.113.24"
    );
    let many = json!({ "asked": "again", "count": 3, "sum": true });
    assert_eq!(
        told(Action::SignInFailed, Hand::System, Whom::Reader, many),
        "Somebody typed a wrong password from 203.0.113.24, 3 times more"
    );
    assert_eq!(
        told(
            Action::SignInThrottled,
            Hand::Stranger,
            Whom::Reader,
            json!({})
        ),
        "A sign-in from 203.0.113.24 had to wait, as too many had failed"
    );
    assert_eq!(
        told(
            Action::PasswordChanged,
            Hand::Stranger,
            Whom::Reader,
            json!({})
        ),
        "Your password was changed with a reset link"
    );
}

#[test]
fn whoever_asks_for_a_link_may_be_anybody() {
    let asked = |action, hand, whom| told(action, hand, whom, json!({}));
    assert_eq!(
        asked(Action::ResetRequested, Hand::Stranger, Whom::Reader),
        "Somebody asked for a reset link for your account from 203.0.113.24"
    );
    assert_eq!(
        asked(Action::ResetRequested, Hand::Own, Whom::Reader),
        "You asked for a reset link for your account from 203.0.113.24"
    );
    assert_eq!(
        asked(Action::InvitationLinkAsked, Hand::Stranger, on_lea()),
        "Somebody asked for a new activation link for lea@fjord.example's account"
    );
}

/// The Portal writes the sum; it was not its deed.
#[test]
fn the_sum_of_a_flood_is_nobodys_deed() {
    let sum = json!({ "why": "taken", "count": 12, "sum": true });
    assert_eq!(
        told(Action::InvitationRefused, Hand::System, on_lea(), sum),
        "Somebody could not invite lea@fjord.example: the address is taken, 12 times more"
    );
}

#[test]
fn the_network_address_of_whoever_manages_is_not_told_to_the_managed() {
    for action in [
        Action::AccountCreated,
        Action::AccountDisabled,
        Action::AccountEnabled,
        Action::RoleChanged,
        Action::SessionsEnded,
        Action::PasswordReset,
        Action::OwnershipOffered,
        Action::OwnershipWithdrawn,
        Action::InvitationResent,
        Action::InvitationLinkCopied,
        Action::MailRetried,
    ] {
        let words = sentence(&deed(action, ingrid(), Whom::Reader));
        assert!(!words.contains("203.0.113.24"), "{words}");
    }
}

#[test]
fn what_was_refused_names_the_permission_by_its_label() {
    let needs = json!({ "permission": "users.list", "route": "/iam/accounts" });
    assert_eq!(
        told(Action::Denied, Hand::Own, Whom::Nobody, needs),
        "You tried something that needs the permission “List users”"
    );
}

#[test]
fn what_people_wrote_is_escaped() {
    let forged = Whom::Other("<b>@x".to_owned());
    let forged = deed(Action::AccountDeleted, Hand::Own, forged);
    let now = Timestamp(1_795_526_400);
    let page = activity("Recent activity", &[forged], now, &TimeZone::UTC).into_string();
    assert!(page.contains("You deleted &lt;b&gt;@x's account"), "{page}");
}
