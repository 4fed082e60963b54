//! The secret that a phone and the Portal share stands nowhere as it is; and what is sealed under another key, or
//! damaged, stops the codes of the app and nothing else.

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use doorward::domain::role::Role;

use crate::log;
use crate::portal::Portal;
use crate::visitor::Visitor;

const ANN: &str = "ann@fjord.example";

/// All that a shared secret may look like.
pub(crate) fn guises_of_key(key: &str) -> Vec<Vec<u8>> {
    let raw = BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    assert_eq!(raw.len(), 20);
    let grouped = |text: &str| {
        let groups: Vec<&str> = text
            .as_bytes()
            .chunks(4)
            .map(|four| std::str::from_utf8(four).unwrap())
            .collect();
        groups.join(" ")
    };
    let lower = key.to_ascii_lowercase();
    let mut guises: Vec<Vec<u8>> = [
        key.to_owned(),
        grouped(key),
        grouped(&lower),
        lower,
        HEXLOWER.encode(&raw),
        HEXUPPER.encode(&raw),
        BASE64.encode(&raw).trim_end_matches('=').to_owned(),
        BASE64URL_NOPAD.encode(&raw),
    ]
    .map(String::into_bytes)
    .to_vec();
    guises.push(raw);
    guises
}

/// All that a recovery code may look like, but for its hash.
pub(crate) fn guises_of_code(code: &str) -> Vec<Vec<u8>> {
    assert_eq!(code.len(), 9, "{code}");
    let plain = code.replace('-', "");
    [
        code.to_owned(),
        code.to_uppercase(),
        plain.to_uppercase(),
        plain,
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Whether these bytes stand in those.
pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_shared_secret_and_the_codes_stand_nowhere() {
    let place = log::keep();
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.tamper("UPDATE policies SET level = 'recommended'");
    let mut ann = portal.member(Role::Member, ANN);
    let mut needles: Vec<Vec<u8>> = Vec::new();
    let mut typed: Vec<String> = Vec::new();
    let learn = |visitor: &Visitor, needles: &mut Vec<Vec<u8>>| {
        let phone = visitor.phone.as_ref().unwrap();
        needles.extend(guises_of_key(&phone.key));
        assert_eq!(phone.recovery.len(), 10);
        for code in &phone.recovery {
            needles.extend(guises_of_code(code));
        }
    };
    ann.enrol();
    learn(&ann, &mut needles);
    // A secret that was shown and not yet confirmed is one as well.
    let mut shown = ann.elsewhere();
    portal.travel(60);
    shown.sign_in();
    let code = shown.code();
    typed.push(code.clone());
    portal.travel(60);
    let code = shown.code();
    typed.push(code.clone());
    shown
        .post("/account/two-factor", &[("code", &code)])
        .answers(303)
        .follow();
    let page = shown.html();
    let key = crate::answer::between(&page, "<output id=\"key\"", "</output>");
    let key = key.split_once('>').unwrap().1.replace(' ', "");
    needles.extend(guises_of_key(&key));
    // Signed in with a code, with a recovery code, with wrong ones; new codes; turned off; reset.
    portal.travel(60);
    ann.sign_out();
    ann.sign_in();
    ann.sign_out();
    let recovery = ann.phone.as_ref().unwrap().recovery[3].clone();
    ann.try_password(ANN, &ann.password.clone()).answers(303);
    for wrong in ["123456", "aaaa-bbbb"] {
        ann.post("/sign-in/code", &[("code", wrong)]).answers(422);
    }
    ann.post("/sign-in/code", &[("code", &recovery)])
        .answers(303);
    ann.post("/account/two-factor/codes", &[]).answers(200);
    let page = ann.html();
    let list = crate::answer::between(&page, "<ol class=\"codes\"", "</ol>");
    let renewed: Vec<&str> = list
        .split("<li>")
        .skip(1)
        .map(|item| item.split('<').next().unwrap())
        .collect();
    assert_eq!(renewed.len(), 10);
    for code in renewed {
        needles.extend(guises_of_code(code));
    }
    let nowhere = |moment: &str| {
        let mut places = Vec::new();
        for name in ["doorward.db", "doorward.db-wal"] {
            let bytes = std::fs::read(portal.file().with_file_name(name)).unwrap();
            places.push((name, bytes));
        }
        let log: String = log::since(place)
            .into_iter()
            .map(|line| line.text)
            .collect();
        places.push(("the log", log.into_bytes()));
        let mails: String = portal
            .mails()
            .iter()
            .map(|mail| format!("{}\n{}\n{}", mail.subject, mail.text, mail.html))
            .collect();
        places.push(("the mails", mails.into_bytes()));
        for (place, bytes) in &places {
            for needle in &needles {
                assert!(
                    !holds(bytes, needle),
                    "{moment}: {:?} stands in {place}",
                    String::from_utf8_lossy(needle)
                );
            }
        }
        // In the audit log and the outbox not even a code of the app stands, which is worth nothing any more.
        for text in portal.ask::<String>(
            "SELECT details FROM audit_events UNION ALL SELECT text FROM audit_texts
              UNION ALL SELECT details || coalesce(answer, '') FROM errands",
        ) {
            for code in &typed {
                assert!(!text.contains(code.as_str()), "{moment}: {code} in {text}");
            }
        }
        // What is looked for would be found: the address is there.
        assert!(holds(&places[0].1, ANN.as_bytes()) || holds(&places[1].1, ANN.as_bytes()));
    };
    portal.work();
    nowhere("in use");
    let id: String = {
        let app = portal.app();
        app.read(app.now(), |read| {
            Ok(doorward::accounts::by_email(read, &ANN.parse().unwrap())?)
        })
        .unwrap()
        .unwrap()
        .id
        .to_string()
    };
    owner
        .post(format!("/iam/accounts/{id}/reset-two-factor"), &[])
        .answers(303);
    portal.work();
    nowhere("after a reset");
    portal.app().db().checkpoint().unwrap();
    nowhere("after a checkpoint");
}

/// Somebody who gave the password and owes the code.
fn half(person: &Visitor) -> Visitor {
    let mut half = person.elsewhere();
    half.try_password(&person.email, &person.password)
        .answers(303);
    half.get("/sign-in/code").answers(200);
    half
}

#[test]
fn a_secret_that_does_not_open_stops_the_app_and_the_log_says_which() {
    for (damage, says) in [
        // The id of another key in front.
        (
            "x'00000000' || substr(sealed, 5)",
            "a sealed secret belongs to another secret.key: in factors, of acc_",
        ),
        // A bit of the tag.
        (
            "substr(sealed, 1, length(sealed) - 1) || iif(substr(sealed, -1) = x'00', x'01', x'00')",
            "a sealed secret is damaged, or was moved: in factors, of acc_",
        ),
        // Another person's secret in its place.
        (
            "(SELECT other.sealed FROM factors other WHERE other.account_id <> factors.account_id)",
            "a sealed secret is damaged, or was moved: in factors, of acc_",
        ),
    ] {
        let place = log::keep();
        let portal = Portal::start();
        portal.expect_failures();
        let mut owner = portal.owner();
        let mut ann = portal.member_of(&owner, Role::Member, ANN);
        owner.enrol();
        ann.enrol();
        portal.travel(60);
        portal.tamper(&format!(
            "UPDATE factors SET sealed = CAST({damage} AS BLOB)
              WHERE account_id = (SELECT id FROM accounts WHERE email = '{ANN}')"
        ));
        let mut late = half(&ann);
        let code = ann.code();
        // A fault of ours is no guess of theirs: it is not counted, however often.
        for _ in 0..12 {
            late.post("/sign-in/code", &[("code", &code)]).answers(500);
        }
        late.sees("Something broke here").sees_not("sealed");
        let said = log::own(place);
        assert!(said.contains(says), "{damage}: {said}");
        assert!(!late.is_signed_in());

        let recovery = ann.phone.as_ref().unwrap().recovery[0].clone();
        late.get("/sign-in/code?with=recovery").answers(200);
        late.post("/sign-in/code", &[("code", &recovery)])
            .answers(303);
        assert!(late.is_signed_in());
        // Who is in can see that it is on, and everybody else is as before.
        late.get("/account/two-factor").answers(200);
        owner.sign_out();
        owner.sign_in();
        assert!(owner.is_signed_in());
    }
}
