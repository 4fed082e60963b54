//! The rule for new passwords, and the other fields of an activation, at their edges; through the page.

use doorward::domain::role::Role;
use doorward::routes::Route;

use crate::portal::Portal;
use crate::visitor::Visitor;

/// A good link in an open browser.
#[track_caller]
fn opened(portal: &Portal, email: &str) -> (Visitor, String) {
    let owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, email);
    let link = Route::Activate(portal.link_of(&owner, id).token.reveal()).to_string();
    let mut visitor = portal.visitor();
    visitor.get(&link).answers(200);
    (visitor, link)
}

fn filled<'f>(name: &'f str, password: &'f str, again: &'f str) -> [(&'f str, &'f str); 3] {
    [
        ("name", name),
        ("password", password),
        ("password_confirmation", again),
    ]
}

#[test]
fn each_thing_a_password_lacks_is_named_and_nothing_is_used_up() {
    let portal = Portal::start();
    let (mut lea, link) = opened(&portal, "lea.fontaine@fjord.example");
    let long = format!("Zx9!{}", "é".repeat(125));
    for (wrong, said) in [
        (
            "",
            "Missing: 8 more characters, upper case, lower case, a number, a special character.",
        ),
        ("Zx9!mnq", "Missing: 1 more character."),
        ("zx9!mnqa", "Missing: upper case."),
        ("ZX9!MNQA", "Missing: lower case."),
        ("Zxi!mnqa", "Missing: a number."),
        ("Zx9mnqab", "Missing: a special character."),
        ("Zx9 mnqa", "Missing: a special character."),
        (long.as_str(), "A password has at most 128 characters."),
        ("Password1!", "on the list of common ones"),
        (
            "my-Fontaine-1",
            "cannot hold your name or the first part of your email",
        ),
        (
            "1!Lea.Fontaine",
            "cannot hold your name or the first part of your email",
        ),
        (
            "Solheim!22x",
            "cannot hold your name or the first part of your email",
        ),
    ] {
        lea.post(&link, &filled("Ingrid Solheim", wrong, wrong))
            .answers(422)
            .sees(said);
        assert!(lea.html().contains("value=\"Ingrid Solheim\""), "{wrong}");
        assert!(lea.html().contains("<title>Error: "), "{wrong}");
        assert!(
            wrong.is_empty() || !lea.html().contains(wrong),
            "{wrong} was drawn"
        );
    }
    assert_eq!(
        portal.ask::<String>("SELECT state FROM invitations"),
        ["open"]
    );
}

#[test]
fn a_password_is_taken_as_it_was_typed() {
    let portal = Portal::start();
    let exact = format!("Zx9!{}", "é".repeat(124));
    let sixty_four = format!("Zx9!{}", "q".repeat(60));
    let composed = "Zx9!mn\u{e9}a";
    let decomposed = "Zx9!mne\u{301}a";
    for (number, (right, near)) in [
        ("Zx9!mnqa", "Zx9!mnqb"),
        (" Zx9!mnqa ", "Zx9!mnqa"),
        ("Zx9\u{1f511}mnqa", "Zx9?mnqa"),
        (composed, decomposed),
        (exact.as_str(), sixty_four.as_str()),
        (sixty_four.as_str(), exact.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("p{number}@fjord.example");
        let (mut visitor, link) = opened(&portal, &email);
        visitor
            .post(&link, &filled("Léa", right, right))
            .answers(303);
        portal.visitor().try_password(&email, near).answers(422);
        portal.visitor().try_password(&email, right).answers(303);
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_beside_what_was_typed() {
    let portal = Portal::start();
    let (mut lea, link) = opened(&portal, "lea@fjord.example");
    let fields = [
        ("name", "Le\u{202e}a"),
        ("phone", "922 41 108"),
        ("password", "short"),
        ("password_confirmation", "other"),
    ];
    lea.post(&link, &fields)
        .answers(422)
        .sees("This holds characters that cannot be seen.")
        .sees("Write the number with its country code")
        .sees("Missing: 3 more characters, upper case, a number, a special character.")
        .sees("The two passwords differ.");
    assert!(lea.html().contains("value=\"922 41 108\""));
    assert_eq!(lea.html().matches("aria-invalid=\"true\"").count(), 4);
    lea.post(&link, &filled("Léa", "Zx9!mnqa", "Zx9!mnqb"))
        .answers(422)
        .sees("The two passwords differ.")
        .sees_not("Missing:");
}

#[test]
fn names_and_numbers_have_their_limits() {
    let portal = Portal::start();
    let (mut lea, link) = opened(&portal, "lea@fjord.example");
    let name = "x".repeat(101);
    for wrong in [
        "",
        "   ",
        "see www.evil.example",
        "https://evil.example",
        "--",
        name.as_str(),
        "A\u{200b}nn",
    ] {
        lea.post(&link, &filled(wrong, "Zx9!mnqa", "Zx9!mnqa"))
            .answers(422);
    }
    for wrong in ["+123456", "+1234567890123456", "+0123456789", "call me"] {
        let mut fields = filled("Léa", "Zx9!mnqa", "Zx9!mnqa").to_vec();
        fields.push(("phone", wrong));
        lea.post(&link, &fields).answers(422).sees("country code");
    }
    let longest: String = name.chars().take(100).collect();
    let mut fields = filled(&longest, "Zx9!mnqa", "Zx9!mnqa").to_vec();
    fields.push(("phone", "+123456789012345"));
    lea.post(&link, &fields).answers(303);
}
