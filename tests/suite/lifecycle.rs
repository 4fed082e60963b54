//! Give, take, switch off, in the Portal: each deed's page says what will happen, and then that happens. Who may do
//! what to whom is asked in `guards`.

use std::sync::Barrier;

use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::mail::Message;
use doorward::kit::time::{HOUR, MINUTE};
use doorward::{ownership, passwords};

use crate::answer;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const MIA: &str = "mia@fjord.example";
const ADA: &str = "ada@fjord.example";
const LEA: &str = "lea@fjord.example";
const NEW: &str = "Quiet-Harbour-9";
/// The deeds that have a page, with the fields that it sends.
const DEEDS: [(&str, &[(&str, &str)]); 7] = [
    ("role", &[("role", "billing")]),
    ("disable", &[]),
    ("enable", &[]),
    ("delete", &[("email", MIA)]),
    ("sign-out", &[]),
    ("reset-password", &[("handover", "copy")]),
    ("reset-two-factor", &[]),
];

fn page_of(account: &Visitor) -> String {
    format!("/iam/accounts/{}", account.account().id)
}

/// How many events of this action the first organisation has.
fn recorded(portal: &Portal, action: &str) -> usize {
    let entries = portal.audit(Some(portal.first()));
    entries.iter().filter(|one| one.action == action).count()
}

fn status_of(portal: &Portal, id: AccountId) -> String {
    let sql = format!("SELECT status FROM accounts WHERE id = {}", id.number());
    portal.ask(&sql).remove(0)
}

fn role_of(portal: &Portal, id: AccountId) -> String {
    let sql = format!("SELECT role FROM accounts WHERE id = {}", id.number());
    portal.ask(&sql).remove(0)
}

/// The mails to this address whose subject holds these words.
fn mails(portal: &Portal, to: &str, words: &str) -> Vec<Message> {
    portal.work();
    let all = portal.mails().into_iter();
    all.filter(|mail| mail.to == to && mail.subject.contains(words))
        .collect()
}

/// The text with its lines joined.
fn joined(mail: &Message) -> String {
    mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The one reset link on the page, as a path.
#[track_caller]
fn reset_link_on(visitor: &Visitor) -> String {
    let tokens = answer::tokens(&visitor.html());
    assert_eq!(tokens.len(), 1, "{}", visitor.text());
    format!("/reset-password/{}", tokens[0])
}

fn typed(password: &str) -> [(&str, &str); 2] {
    [("password", password), ("password_confirmation", password)]
}

#[test]
fn a_gain_waits_for_the_next_sign_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    owner
        .get(format!("{page}/role"))
        .answers(200)
        .sees("Change permission of MIA Vik")
        .sees("Now Member. Read-only access to resources (get resources).")
        .sees("Member → Admin")
        .sees("Gains Manage billing · Manage resources · List users · Get user · Manage users (invite, disable, delete) · Change role")
        .sees("Loses Nothing")
        .sees("Takes effect the next time MIA Vik signs out and in again.")
        .sees("A mail tells MIA Vik.")
        .sees_not("is signed out now");
    assert!(owner.html().contains("value=\"member\" selected"));
    owner
        .post(format!("{page}/role"), &[("role", "admin")])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("MIA Vik is Admin now. It takes effect the next time they sign out and in again.")
        .sees("Admin · Joined");
    // Signed in still, with what they had, and told so.
    mia.get("/")
        .answers(200)
        .sees("Your permission is now Admin. Sign out and in to use it.");
    mia.get("/iam/accounts").answers(403);
    mia.sign_out();
    mia.sign_in();
    mia.get("/iam/accounts")
        .answers(200)
        .sees_not("Sign out and in to use it");

    let told = mails(&portal, MIA, "You are now");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].subject, "You are now Admin at Fjord Supply");
    let text = joined(&told[0]);
    assert!(
        text.contains("was Member, and is now Admin: manage resources + billing + users. It takes effect the next time you sign out and in again."),
        "{text}"
    );
    let entries = portal.audit(Some(portal.first()));
    let event = entries
        .iter()
        .find(|one| one.action == "role.changed")
        .unwrap();
    assert_eq!(event.target.as_deref(), Some(MIA));
    assert_eq!(event.actor_text.as_deref(), Some(OWNER));
    assert!(event.details.contains("\"from\":\"member\""));
    assert!(event.details.contains("\"role\":\"admin\""));
}

#[test]
fn a_loss_ends_every_session_at_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ada = portal.member(Role::Admin, ADA);
    let mut second = ada.elsewhere();
    second.agent = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36".to_owned();
    second.sign_in();
    let (page, address) = (page_of(&ada), second.address);
    owner
        .get(format!("{page}/role"))
        .answers(200)
        .sees("Admin → Billing Gains Nothing Loses Manage resources · List users")
        .sees("ADA Vik is signed out now. 2 sessions end now:")
        .sees(&format!("Chrome on Windows, {address}, Now"))
        .sees("Firefox on Linux")
        .sees_not("stop working");
    owner
        .post(format!("{page}/role"), &[("role", "billing")])
        .answers(303)
        .follow()
        .sees("ADA Vik is Billing now, and signed out everywhere.")
        .sees("Nobody is signed in with this account.");
    for lost in [&mut ada, &mut second] {
        lost.get("/iam/accounts").answers(303);
        assert!(!lost.is_signed_in());
    }
    ada.sign_in();
    ada.get("/iam/accounts").answers(403);
    ada.get("/").answers(200).sees_not("Your permission is now");
    let told = mails(&portal, ADA, "You are now Billing at Fjord Supply");
    let text = joined(&told[0]);
    assert!(
        text.contains("It took effect at once, and every session was ended."),
        "{text}"
    );
}

#[test]
fn a_mail_of_a_permission_that_is_another_by_now_is_not_sent() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    for role in ["admin", "billing"] {
        owner
            .post(format!("{page}/role"), &[("role", role)])
            .answers(303);
    }
    let told = mails(&portal, MIA, "You are now");
    assert_eq!(told.len(), 1);
    assert!(joined(&told[0]).contains("was Admin, and is now Billing"));
    owner
        .post(format!("{page}/role"), &[("role", "admin")])
        .answers(303);
    owner.post(format!("{page}/disable"), &[]).answers(303);
    assert_eq!(mails(&portal, MIA, "You are now").len(), 1);
}

#[test]
fn links_that_a_demoted_person_sent_are_named_and_die() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, "max@fjord.example");
    let lea = portal.invite(&max, Role::Member, LEA);
    let chief = portal.invite(&max, Role::Master, "chief@fjord.example");
    portal.work();
    let (to_lea, to_chief) = (portal.link_for(LEA), portal.link_for("chief@fjord.example"));
    let page = page_of(&max);
    owner.get(format!("{page}/role")).answers(200);
    let about: Vec<String> = owner
        .html()
        .split("class=\"about\"")
        .skip(1)
        .map(|part| answer::words(&format!("<p {part}")))
        .collect();
    let [member, billing, admin, master] = [0, 1, 2, 3].map(|at| about[at].clone());
    for outcome in [&member, &billing] {
        for gone in ["lea@fjord.example (Member)", "chief@fjord.example (Master)"] {
            assert!(outcome.contains(gone), "{outcome}");
        }
        assert!(outcome.contains("Resend an invitation to keep it: it is yours then."));
    }
    assert!(admin.contains("chief@fjord.example (Master)"), "{admin}");
    assert!(!admin.contains("lea@fjord.example"), "{admin}");
    assert!(!master.contains("fjord.example ("), "{master}");
    owner
        .post(format!("{page}/role"), &[("role", "admin")])
        .answers(303);
    portal.visitor().get(&to_lea).answers(200);
    portal.visitor().get(&to_chief).answers(410);
    // The way out that the page names.
    portal.travel(2 * MINUTE);
    owner
        .post(format!("/iam/accounts/{chief}/resend"), &[])
        .answers(303);
    portal.work();
    let again = portal.link_for("chief@fjord.example");
    portal.visitor().get(again).answers(200);
    assert_eq!(status_of(&portal, lea), "pending");
    // What does not work already is not named as something that ends.
    owner
        .get(format!("{page}/disable"))
        .sees("lea@fjord.example (Member)")
        .sees_not("chief@fjord.example (Master)");
}

#[test]
fn an_offer_of_the_ownership_ends_with_a_loss() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, "max@fjord.example");
    let page = page_of(&max);
    let offer = || {
        let app = portal.app();
        let by = portal.signed_in(OWNER);
        let proof = passwords::proof(by.account().id);
        app.write_if(app.now(), |tx| {
            ownership::offer(tx, &by.allowed(), &proof, max.account().id)
        })
        .unwrap();
    };
    let offered = || portal.ask::<Option<i64>>("SELECT offered_to FROM organisations")[0].is_some();
    offer();
    portal.leave_mail();
    owner
        .get(format!("{page}/disable"))
        .sees("Ownership The offer to own the organisation ends.");
    owner
        .get(format!("{page}/role"))
        .sees("The offer to own the organisation ends.");
    assert!(offered());
    owner
        .post(format!("{page}/role"), &[("role", "admin")])
        .answers(303);
    assert!(!offered());
    owner
        .post(format!("{page}/role"), &[("role", "master")])
        .answers(303);
    offer();
    owner
        .post(format!("{page}/delete"), &[("email", "max@fjord.example")])
        .answers(303);
    assert!(!offered());
}

#[test]
fn disabling_blocks_sign_in_and_keeps_everything() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ada = portal.member(Role::Admin, ADA);
    portal.invite(&ada, Role::Member, LEA);
    portal
        .visitor()
        .post("/forgot-password", &[("email", ADA)])
        .answers(303);
    portal.work();
    let (reset, activation) = (portal.link_for(ADA), portal.link_for(LEA));
    let page = page_of(&ada);
    let sent = portal.mails().len();
    owner
        .get(format!("{page}/disable"))
        .answers(200)
        .sees("Disable ADA Vik?")
        .sees("Blocks sign-in and keeps everything. No mail tells ADA Vik.")
        .sees("1 session ends: Firefox on Linux")
        .sees(
            "The links this account sent to these people stop working: lea@fjord.example (Member)",
        )
        .sees("the permission Admin")
        .sees("Cancel Disable ADA Vik");
    assert!(ada.is_signed_in(), "looking does nothing");
    owner
        .post(format!("{page}/disable"), &[])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("ADA Vik is disabled and signed out everywhere.")
        .sees("Disabled Since today");
    ada.get("/").answers(303).goes_to("/sign-in");
    ada.try_password(ADA, PASSWORD).answers(422);
    portal.visitor().get(&reset).answers(410);
    portal.visitor().get(&activation).answers(410);
    owner.get(&page).sees_not("Reset password").sees("Enable");
    owner
        .post(format!("{page}/disable"), &[])
        .answers(403)
        .sees("This account is disabled already.");

    owner
        .get(format!("{page}/enable"))
        .answers(200)
        .sees("Enable ADA Vik?")
        .sees("Works again, with the password the account had.")
        .sees("Admin. Manage resources + billing + users.")
        .sees("The links this account sent to these people work again: lea@fjord.example (Member)")
        .sees("Cancel Enable ADA Vik");
    owner
        .post(format!("{page}/enable"), &[])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("ADA Vik is enabled and can sign in again.");
    assert!(!ada.is_signed_in(), "what ended stays ended");
    ada.sign_in();
    ada.get("/iam/accounts").answers(200);
    portal.visitor().get(&reset).answers(410);
    portal.visitor().get(&activation).answers(200);
    portal.work();
    assert_eq!(portal.mails().len(), sent, "no mail tells anybody");
    for action in ["account.disabled", "account.enabled"] {
        assert_eq!(recorded(&portal, action), 1, "{action}");
    }
}

#[test]
fn signing_somebody_out_ends_their_sessions_and_nothing_else() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let other = portal.signed_in(MIA);
    let bystander = portal.member(Role::Member, "bo@fjord.example");
    let page = page_of(&mia);
    owner
        .get(&page)
        .sees("Sessions 2")
        .sees(&format!("Firefox on Linux {} Now Now", mia.address));
    owner
        .get(format!("{page}/sign-out"))
        .answers(200)
        .sees("Sign out MIA Vik everywhere?")
        .sees("2 sessions end now:")
        .sees("Password and permission. MIA Vik can sign in again at once")
        .sees("Cancel Sign out MIA Vik");
    owner
        .post(format!("{page}/sign-out"), &[])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("MIA Vik is signed out everywhere.")
        .sees("Sessions 0 Nobody is signed in with this account.");
    assert!(!mia.is_signed_in() && !other.is_signed_in());
    assert!(bystander.is_signed_in() && owner.is_signed_in());
    assert_eq!(recorded(&portal, "sessions.ended"), 1);
    mia.sign_in();
    for _ in 0..11 {
        portal.signed_in(MIA);
    }
    owner
        .get(format!("{page}/sign-out"))
        .sees("12 sessions end now:")
        .sees("and 2 more.");
    owner.post(format!("{page}/sign-out"), &[]).answers(303);
    // With nobody there it does no harm.
    owner.post(format!("{page}/sign-out"), &[]).answers(303);
    owner
        .get(format!("{page}/sign-out"))
        .sees("Nobody is signed in with this account now.");
}

#[test]
fn a_reset_is_handed_over_and_its_person_is_told() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    portal
        .visitor()
        .post("/forgot-password", &[("email", MIA)])
        .answers(303);
    portal.work();
    let older = portal.link_for(MIA);
    owner
        .get(format!("{page}/reset-password"))
        .answers(200)
        .sees("Reset password of MIA Vik?")
        .sees("The one MIA Vik has stops working now.")
        .sees("1 session ends now:")
        .sees("Mail it to mia@fjord.example")
        .sees("A mail tells MIA Vik that you reset the password.")
        .sees("Cancel Reset password of MIA Vik");
    assert!(owner.html().contains("value=\"mail\" selected"));
    owner
        .post(format!("{page}/reset-password"), &[("handover", "copy")])
        .answers(200)
        .sees("The password of MIA Vik is reset, and every session is ended.")
        .sees("Works once, for one hour: until today, 15:20.");
    assert_eq!(owner.header("Cache-Control").as_deref(), Some("no-store"));
    let link = reset_link_on(&owner);
    assert!(!mia.is_signed_in());
    mia.try_password(MIA, PASSWORD).answers(422);
    portal.visitor().get(&older).answers(410);
    // No page shows the link that was only opened.
    for path in [&page, &format!("{page}/reset-password")] {
        owner.get(path).answers(200);
        assert_eq!(answer::tokens(&owner.html()), Vec::<String>::new());
    }
    owner
        .get(&page)
        .sees("Password None: it was reset, and its person has not set another yet");
    let told = mails(&portal, MIA, "Your password was reset at Fjord Supply");
    assert_eq!(told.len(), 1);
    let text = joined(&told[0]);
    assert!(
        text.contains("Olivia Berg reset the password of your account at Fjord Supply."),
        "{text}"
    );
    assert!(text.contains("Choose a new one with the link that they hand you"));
    assert_eq!(answer::tokens(&told[0].text), Vec::<String>::new());

    mia.get(&link)
        .answers(200)
        .sees("Your password was reset by somebody who manages your account");
    mia.post(&link, &typed(NEW)).answers(303);
    mia.try_password(MIA, NEW).answers(303);
    portal.visitor().get(&link).answers(410);
    assert_eq!(recorded(&portal, "password.reset"), 1);
    owner
        .get(&page)
        .sees("Password Set today, 14:20")
        .sees("You reset mia@fjord.example's password, and took the link to pass it on");
}

#[test]
fn a_reset_is_mailed() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    owner
        .post(format!("{page}/reset-password"), &[("handover", "mail")])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("The password of MIA Vik is reset, and every session ended. A link is on its way to mia@fjord.example.");
    assert_eq!(answer::tokens(&owner.html()), Vec::<String>::new());
    assert!(!mia.is_signed_in());
    let told = mails(
        &portal,
        MIA,
        "Olivia Berg reset your password at Fjord Supply",
    );
    assert_eq!(told.len(), 1);
    let text = joined(&told[0]);
    for words in [
        "Olivia Berg reset the password of your account at Fjord Supply. The old one opens nothing any more, and every session was ended. Choose a new one.",
        "You did not expect this? Ask Olivia Berg, or a Master of Fjord Supply.",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let link = portal.link_for(MIA);
    mia.post_from(&link, &link, &typed(NEW)).answers(303);
    mia.try_password(MIA, NEW).answers(303);
    // Whoever asks for a link of their own is told in the old words, also after that.
    mia.elsewhere()
        .post("/forgot-password", &[("email", MIA)])
        .answers(303);
    assert_eq!(
        mails(&portal, MIA, "Reset your password at Fjord Supply").len(),
        1
    );
}

#[test]
fn without_mail_the_link_can_only_be_handed_over() {
    let portal = Portal::build().mail_off().start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    owner
        .get(format!("{page}/role"))
        .sees("Mail is off on this server: tell MIA Vik yourself.");
    owner
        .get(format!("{page}/reset-password"))
        .answers(200)
        .sees("Mail is off on this server: you get the link and hand it over.")
        .sees("Mail it to mia@fjord.example (mail is off)");
    assert!(owner.html().contains("value=\"copy\" selected"));
    assert_eq!(owner.html().matches(" disabled>").count(), 1);
    owner
        .post(format!("{page}/reset-password"), &[("handover", "mail")])
        .answers(422)
        .sees("Mail is off on this server. Let the link be shown to you");
    assert!(mia.is_signed_in(), "nothing was done");
    owner
        .post(format!("{page}/reset-password"), &[("handover", "copy")])
        .answers(200)
        .sees("Mail is off on this server, so nothing was sent.");
    let link = reset_link_on(&owner);
    portal.visitor().get(link).answers(200);
}

#[test]
fn whoever_is_deleted_leaves_the_name_and_frees_the_address() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut lakeside = portal.organisation("Lakeside");
    let mut ada = portal.member(Role::Admin, ADA);
    let lea = portal.invite(&ada, Role::Member, LEA);
    portal.work();
    let (page, id) = (page_of(&ada), ada.account().id);
    owner
        .get(format!("{page}/delete"))
        .answers(200)
        .sees("Delete ADA Vik?")
        .sees("This cannot be undone.")
        .sees("Password, email, phone, reset links and known browsers are removed.")
        .sees("1 session ends:")
        .sees("lea@fjord.example (Member)")
        .sees("ada@fjord.example can be invited again, here or in another organisation.")
        .sees("The name, in the audit log and beside what the account made.")
        .sees("now or on a date, disable the account instead")
        .sees("Type ada@fjord.example to confirm")
        .sees("Cancel Delete ADA Vik");
    owner
        .post(format!("{page}/delete"), &[("email", "ADA Vik")])
        .answers(422)
        .sees("Type ada@fjord.example, letter for letter.");
    assert!(owner.html().contains("value=\"ADA Vik\""));
    assert!(ada.is_signed_in());
    owner
        .post(format!("{page}/delete"), &[("email", ADA)])
        .answers(303)
        .goes_to("/iam/accounts")
        .follow()
        .sees("Deleted ADA Vik. The address is free again.")
        .sees_not("ada@fjord.example");
    ada.get("/").answers(303).goes_to("/sign-in");
    ada.try_password(ADA, PASSWORD).answers(422);
    owner
        .get(&page)
        .answers(200)
        .sees("This account is deleted.")
        .sees("ADA Vik");
    for path in [format!("{page}/delete"), format!("{page}/role")] {
        owner.get(path).answers(404);
    }
    let tombstone: Vec<String> = portal.ask(&format!(
        "SELECT status || ' ' || name || ' ' || coalesce(email, 'no address') FROM accounts WHERE id = {}",
        id.number()
    ));
    assert_eq!(tombstone, ["deleted ADA Vik no address"]);
    owner
        .get(format!("/iam/accounts/{lea}"))
        .sees("by ADA Vik")
        .sees("ada@fjord.example invited lea@fjord.example as Member");
    let entries = portal.audit(Some(portal.first()));
    let event = entries
        .iter()
        .find(|one| one.action == "account.deleted")
        .unwrap();
    assert_eq!(event.target.as_deref(), Some(ADA));
    assert!(event.details.contains("\"status\":\"active\""));

    // The same address, another organisation, another account.
    lakeside
        .post("/iam/accounts", &[("email", ADA), ("role", "admin")])
        .answers(303);
    portal.work();
    portal
        .visitor()
        .post(
            portal.link_for(ADA),
            &[
                ("name", "Ada Lund"),
                ("phone", ""),
                ("password", NEW),
                ("password_confirmation", NEW),
            ],
        )
        .answers(303);
    ada.try_password(ADA, PASSWORD).answers(422);
    ada.try_password(ADA, NEW).answers(303);
    ada.get("/iam/accounts")
        .answers(200)
        .sees("Lakeside")
        .sees_not("Olivia Berg");
    ada.get(&page).answers(404);
}

#[test]
fn a_disabled_account_is_deleted_too() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA);
    let (page, id) = (page_of(&mia), mia.account().id);
    owner.post(format!("{page}/disable"), &[]).answers(303);
    owner
        .get(format!("{page}/delete"))
        .answers(200)
        .sees("Nobody is signed in with this account now.")
        .sees_not("disable the account instead");
    owner
        .post(format!("{page}/delete"), &[("email", MIA)])
        .answers(303);
    assert_eq!(status_of(&portal, id), "deleted");
}

#[test]
fn another_permission_leaves_the_status_as_it_is() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let lea = portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let link = portal.link_for(LEA);
    let page = format!("/iam/accounts/{lea}");
    owner
        .get(format!("{page}/role"))
        .answers(200)
        .sees("Change permission of lea@fjord.example")
        .sees("The activation link stays the same, and makes the account Billing.")
        .sees("A mail that went out already still says Member.")
        .sees_not("signed out now")
        .sees_not("A mail tells");
    owner
        .post(format!("{page}/role"), &[("role", "billing")])
        .answers(303)
        .follow()
        .sees("lea@fjord.example is Billing now. The activation link stays the same.");
    assert_eq!(status_of(&portal, lea), "pending");
    portal
        .visitor()
        .post(
            &link,
            &[
                ("name", "Léa Fontaine"),
                ("phone", ""),
                ("password", PASSWORD),
                ("password_confirmation", PASSWORD),
            ],
        )
        .answers(303);
    assert_eq!(role_of(&portal, lea), "billing");
    let mut lea_there = portal.signed_in(LEA);
    lea_there.get("/").sees("Billing");

    owner.post(format!("{page}/disable"), &[]).answers(303);
    owner
        .get(format!("{page}/role"))
        .sees("Change permission of Léa Fontaine")
        .sees("The account stays disabled. Once it is enabled, it is Admin.");
    owner
        .post(format!("{page}/role"), &[("role", "admin")])
        .answers(303)
        .follow()
        .sees("Léa Fontaine is Admin now, and still disabled.");
    assert_eq!(status_of(&portal, lea), "disabled");
    assert_eq!(role_of(&portal, lea), "admin");
    assert_eq!(mails(&portal, LEA, "You are now").len(), 0);
}

#[test]
fn whoever_gives_the_role_anew_answers_for_the_link() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, "max@fjord.example");
    let ada = portal.member(Role::Admin, ADA);
    let lea = portal.invite(&ada, Role::Member, LEA);
    portal.work();
    let link = portal.link_for(LEA);
    max.clone()
        .post(format!("/iam/accounts/{lea}/role"), &[("role", "master")])
        .answers(303);
    // An Admin's link that makes a Master, since a Master says so.
    portal.visitor().get(&link).answers(200).sees("Master");
    owner
        .post(format!("{}/role", page_of(&max)), &[("role", "admin")])
        .answers(303);
    portal.visitor().get(&link).answers(410);
}

#[test]
fn what_is_not_theirs_is_not_there() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut lakeside = portal.organisation("Lakeside");
    let mia = portal.member(Role::Member, MIA);
    let ids = [mia.account().id.to_string(), "acc_bbbbbbbbbbbbb".to_owned()];
    for id in &ids {
        for (deed, fields) in DEEDS {
            let path = format!("/iam/accounts/{id}/{deed}");
            lakeside.get(&path).answers(404);
            lakeside.post(&path, fields).answers(404);
        }
    }
    owner
        .get("/iam/accounts/acc_bbbbbbbbbbbbb/role")
        .answers(404);
    owner.get("/iam/accounts/mia/role").answers(404);
    assert!(mia.is_signed_in());
    assert_eq!(role_of(&portal, mia.account().id), "member");
    assert_eq!(status_of(&portal, mia.account().id), "active");
}

#[test]
fn refusals_say_why_on_page_and_deed_alike() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ada = portal.member(Role::Admin, ADA);
    let mut max = portal.member(Role::Master, "max@fjord.example");
    max.enrol();
    let (of_owner, of_ada, of_max) = (page_of(&owner), page_of(&ada), page_of(&max));
    for (visitor, page, told) in [
        (&owner, &of_owner, "This is your own account."),
        (&ada, &of_ada, "This is your own account."),
        (&max, &of_owner, "This account owns the organisation"),
        (&ada, &of_max, "Only a Master can do this to a Master."),
    ] {
        for (deed, fields) in DEEDS {
            if deed == "enable" {
                continue;
            }
            let (path, mut visitor) = (format!("{page}/{deed}"), visitor.clone());
            visitor.get(&path).answers(403).sees(told);
            visitor.post(&path, fields).answers(403).sees(told);
        }
    }
    ada.get("/iam/accounts/new").answers(200);
    let bo = portal.member(Role::Billing, "bo@fjord.example");
    let of_bo = page_of(&bo);
    ada.get(format!("{of_bo}/role"))
        .answers(200)
        .sees("Master (only a Master can give this)");
    assert_eq!(ada.html().matches(" disabled>").count(), 1);
    ada.post(format!("{of_bo}/role"), &[("role", "master")])
        .answers(403)
        .sees("Only a Master can give the permission Master.");
    assert_eq!(role_of(&portal, bo.account().id), "billing");
    let lea = portal.invite(&owner, Role::Member, LEA);
    for (deed, told) in [
        ("disable", "A Pending account cannot be disabled"),
        ("enable", "This account is Pending"),
        ("sign-out", "Nobody is signed in with this account"),
        ("reset-password", "Resend the invitation instead"),
        (
            "reset-two-factor",
            "nobody has set up a second factor with it yet",
        ),
    ] {
        let path = format!("/iam/accounts/{lea}/{deed}");
        owner.get(path).answers(403).sees(told);
    }
}

#[test]
fn what_is_sent_wrong_is_said_beside_its_field_or_refused() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    owner
        .post(format!("{page}/role"), &[("role", "member")])
        .answers(422)
        .sees("MIA Vik has the permission Member already.");
    assert!(owner.html().contains("<title>Error: Change permission"));
    assert!(owner.html().contains("aria-invalid=\"true\""));
    for role in ["", "Member", "MASTER", "owner", "0"] {
        owner
            .post(format!("{page}/role"), &[("role", role)])
            .answers(400);
    }
    owner.post(format!("{page}/role"), &[]).answers(400);
    for handover in ["", "Copy", "sms"] {
        owner
            .post(format!("{page}/reset-password"), &[("handover", handover)])
            .answers(400);
    }
    for (deed, fields) in DEEDS {
        let more: Vec<(&str, &str)> = fields.iter().copied().chain([("status", "x")]).collect();
        owner.post(format!("{page}/{deed}"), &more).answers(400);
    }
    assert!(mia.is_signed_in());
    assert_eq!(recorded(&portal, "role.changed"), 0);
}

#[test]
fn a_deed_leads_back_to_where_it_came_from() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    let list = "/iam/accounts?q=mia&role=member&sort=name";
    owner
        .draft(Method::Get, format!("{page}/disable"))
        .header("referer", &format!("https://portal.example.com{list}&x=y"))
        .send()
        .answers(200);
    assert!(
        owner
            .html()
            .contains("name=\"from\" value=\"/iam/accounts?q=mia&amp;role=member&amp;sort=name\"")
    );
    assert!(
        owner
            .html()
            .contains("href=\"/iam/accounts?q=mia&amp;role=member&amp;sort=name\" data-close")
    );
    owner
        .post(format!("{page}/disable"), &[("from", list)])
        .answers(303)
        .goes_to(list);
    owner
        .post(format!("{page}/enable"), &[("from", list)])
        .goes_to(list)
        .follow()
        .sees("MIA Vik is enabled and can sign in again.");
    // What was typed wrong does not lose the way back.
    owner
        .post(format!("{page}/delete"), &[("email", "x"), ("from", list)])
        .answers(422);
    assert!(owner.html().contains("name=\"from\""));
    for elsewhere in [
        "",
        "https://evil.example/iam/accounts",
        "//evil.example/iam/accounts",
        "/mail",
        "/iam/accounts/new",
        "javascript:alert(1)",
    ] {
        owner
            .post(format!("{page}/sign-out"), &[("from", elsewhere)])
            .answers(303)
            .goes_to(&page);
    }
    owner
        .post(
            format!("{page}/sign-out"),
            &[("from", "/iam/accounts?q=a\r\nX: y")],
        )
        .goes_to("/iam/accounts?q=a%0D%0AX%3A+y");
    owner
        .draft(Method::Get, format!("{page}/disable"))
        .header("referer", "https://evil.example/iam/accounts?q=mia")
        .send();
    assert!(!owner.html().contains("name=\"from\""));
    owner
        .post(format!("{page}/delete"), &[("email", MIA), ("from", list)])
        .goes_to(list);
}

/// The lines of the menu of this account's row.
fn menu(list: &Visitor, label: &str) -> String {
    let html = list.html();
    let Some((_, after)) = html.split_once(&format!("Actions for {label}\"")) else {
        return String::new();
    };
    let menu = after.split("</details>").next().unwrap();
    answer::words(&format!("<p {menu}"))
}

#[test]
fn the_menu_of_a_row_holds_what_can_be_done() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    portal.member(Role::Master, "max@fjord.example");
    let mut ada = portal.member(Role::Admin, ADA);
    portal.invite(&owner, Role::Member, LEA);
    owner.get("/iam/accounts");
    assert_eq!(
        menu(&owner, "MIA Vik"),
        "Change permission… Sign out everywhere Reset password… Disable… Delete…"
    );
    assert_eq!(
        menu(&owner, LEA),
        "Resend invitation Copy activation link Change permission… Delete…"
    );
    assert_eq!(menu(&owner, "Olivia Berg"), "");
    mia.enrol();
    owner.get("/iam/accounts");
    assert_eq!(
        menu(&owner, "MIA Vik"),
        "Change permission… Sign out everywhere Reset password… Reset two-factor… Disable… Delete…"
    );
    owner
        .post(format!("{}/disable", page_of(&mia)), &[])
        .answers(303);
    owner.get("/iam/accounts");
    assert_eq!(menu(&owner, "MIA Vik"), "Enable Change permission… Delete…");
    ada.get("/iam/accounts");
    assert_eq!(menu(&ada, "MIA Vik"), "Enable Change permission… Delete…");
    for above in ["MAX Vik", "Olivia Berg", "ADA Vik"] {
        assert_eq!(menu(&ada, above), "", "{above}");
    }
}

#[test]
fn the_page_of_an_account_offers_what_its_menu_does() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    owner.get(&page).answers(200).sees_not("Reset two-factor");
    mia.enrol();
    owner.get(&page).answers(200);
    for deed in [
        "role",
        "disable",
        "delete",
        "sign-out",
        "reset-password",
        "reset-two-factor",
    ] {
        assert!(
            owner
                .html()
                .contains(&format!("href=\"{page}/{deed}\" data-dialog")),
            "{deed}"
        );
    }
    owner.sees_not("Enable");
    let own = page_of(&owner);
    owner
        .get(&own)
        .sees("This is your own account.")
        .sees("Open your Account page")
        .sees_not("Danger")
        .sees_not("Change permission")
        .sees_not("Sign out everywhere");
    assert!(owner.html().contains("href=\"/account\""));
    let mut max = portal.member(Role::Master, "max@fjord.example");
    max.get(&own)
        .sees("This account owns the organisation.")
        .sees_not("Danger")
        .sees_not("Open your Account page");
}

#[test]
fn nothing_is_done_by_whoever_lost_the_right_meanwhile() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ada = portal.member(Role::Admin, ADA);
    let mia = portal.member(Role::Member, MIA);
    let page = page_of(&mia);
    ada.get(format!("{page}/disable")).answers(200);
    owner
        .post(format!("{}/role", page_of(&ada)), &[("role", "member")])
        .answers(303);
    ada.post(format!("{page}/disable"), &[])
        .answers(303)
        .goes_to("/sign-in");
    assert!(mia.is_signed_in());
    // Whoever is gone meanwhile is not there.
    let mut second = portal.member(Role::Admin, "bo@fjord.example");
    second.get(format!("{page}/disable")).answers(200);
    owner
        .post(format!("{page}/delete"), &[("email", MIA)])
        .answers(303);
    second.post(format!("{page}/disable"), &[]).answers(404);
}

#[test]
fn of_two_who_demote_each_other_one_does() {
    let portal = Portal::start();
    let owner = portal.owner();
    for round in 0..5 {
        portal.travel(2 * HOUR);
        let hands = ["ann", "ben"].map(|name| {
            portal.member_of(
                &portal.signed_in(OWNER),
                Role::Master,
                &format!("{name}{round}@fjord.example"),
            )
        });
        let ids = [hands[0].account().id, hands[1].account().id];
        let mut hands = hands;
        for hand in &mut hands {
            hand.get("/").answers(200);
        }
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            for (hand, other) in hands.iter_mut().zip([ids[1], ids[0]]) {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    hand.post(format!("/iam/accounts/{other}/role"), &[("role", "admin")])
                        .answers(303);
                });
            }
        });
        let mut places = hands.map(|hand| hand.location().unwrap());
        places.sort();
        assert!(places[0].starts_with("/iam/accounts/"), "{places:?}");
        assert!(places[1].starts_with("/sign-in"), "{places:?}");
        let mut roles = ids.map(|id| role_of(&portal, id));
        roles.sort();
        assert_eq!(roles, ["admin", "master"]);
    }
    assert_eq!(role_of(&portal, owner.account().id), "master");
}

#[test]
fn names_are_drawn_as_text_whatever_they_hold() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    let page = page_of(&mia);
    portal.tamper("UPDATE accounts SET name = 'Nguyễn Thị <b>Hương</b> & \"Sons\"' WHERE email = 'mia@fjord.example'");
    for deed in [
        "role",
        "disable",
        "delete",
        "sign-out",
        "reset-password",
        "reset-two-factor",
    ] {
        owner
            .get(format!("{page}/{deed}"))
            .answers(200)
            .sees("Nguyễn Thị <b>Hương</b> & \"Sons\"");
        assert!(!owner.html().contains("<b>Hương"), "{deed}");
    }
    owner
        .post(format!("{page}/disable"), &[])
        .answers(303)
        .follow()
        .sees("Nguyễn Thị <b>Hương</b> & \"Sons\" is disabled and signed out everywhere.");
}
