//! Lists as people have them: pasted, exported, typed, broken.

use proptest::prelude::*;

use super::file::{self, Entry, PEOPLE_MAX, Parsed, parse};
use super::*;
use crate::kit::csv;

fn read(text: &str) -> Parsed {
    parse(text.as_bytes()).unwrap()
}

/// Line, address, permission, name and telephone of each.
fn told(text: &str) -> Vec<String> {
    let entries = read(text).entries;
    let told = |entry: &Entry| {
        let Entry {
            line,
            email,
            role,
            name,
            phone,
            is_overfull,
        } = entry;
        let more = if *is_overfull { " +" } else { "" };
        format!("{line} {email}|{role}|{name}|{phone}{more}")
    };
    entries.iter().map(told).collect()
}

fn mistake(bytes: &[u8]) -> (usize, String) {
    let mistake = parse(bytes).unwrap_err();
    (mistake.line, mistake.sentence)
}

#[test]
fn columns_stand_in_the_usual_order_or_as_their_heads_say() {
    for text in [
        "lea@x.example,Member,Léa Fontaine,+47 922 41 108\n",
        "lea@x.example;Member;Léa Fontaine;+47 922 41 108",
        "lea@x.example\tMember\tLéa Fontaine\t+47 922 41 108\r\n",
        "\u{feff}lea@x.example , Member, \"Léa Fontaine\" ,'+47 922 41 108",
        "lea@x.example,Member,Léa Fontaine,+47 922 41 108,,",
    ] {
        assert_eq!(
            told(text),
            ["1 lea@x.example|Member|Léa Fontaine|+47 922 41 108"],
            "{text}"
        );
    }
    assert_eq!(
        told("Name;E-Mail;Department;Phone\r\n\r\n\"Fontaine; Léa\";lea@x.example;Sales;\r\n"),
        ["3 lea@x.example||Fontaine; Léa|"]
    );
    let parsed = read("Name,Email,Department,Status\nLéa,lea@x.example,Sales,Active\n");
    assert_eq!(parsed.unused, ["Department", "Status"]);
    assert_eq!(parsed.entries[0].name, "Léa");
    assert_eq!(told("EMAIL\nlea@x.example"), ["2 lea@x.example|||"]);
}

#[test]
fn plain_addresses_may_stand_in_any_heap() {
    assert_eq!(
        told("a@x.example\nb@x.example\r\n\n  c@x.example  "),
        ["1 a@x.example|||", "2 b@x.example|||", "4 c@x.example|||"]
    );
    for text in [
        "a@x.example, b@x.example,c@x.example",
        "a@x.example; b@x.example\nc@x.example",
        "a@x.example b@x.example\nc@x.example",
        "a@x.example, b@x.example; c@x.example",
    ] {
        assert_eq!(
            told(text),
            ["1 a@x.example|||", "2 b@x.example|||", "3 c@x.example|||"],
            "{text}"
        );
    }
    assert_eq!(
        told("Léa Fontaine <lea@x.example>, \"Aas, Bjørn\" <bjorn@x.example>"),
        [
            "1 lea@x.example||Léa Fontaine|",
            "2 bjorn@x.example||Aas, Bjørn|"
        ]
    );
    assert_eq!(
        told("Léa Fontaine <lea@x.example>"),
        ["1 lea@x.example||Léa Fontaine|"]
    );
}

#[test]
fn quotes_hold_what_would_end_a_column_and_lines_are_counted_through_them() {
    assert_eq!(
        told("a@x.example,,\"Ann \"\"Bo\"\"\nBerg, dr.\"\nb@x.example"),
        ["1 a@x.example||Ann \"Bo\" Berg, dr.|", "3 b@x.example|||"]
    );
    assert_eq!(
        told("a@x.example,member,Leif \"Biff\" Olsen"),
        ["1 a@x.example|member|Leif \"Biff\" Olsen|"]
    );
    assert_eq!(
        told("a@x.example,member,Ann,+4792241108,more\nb@x.example"),
        ["1 a@x.example|member|Ann|+4792241108 +", "2 b@x.example|||"]
    );
    assert_eq!(
        told("a@x.example\rb@x.example"),
        ["1 a@x.example|||", "2 b@x.example|||"]
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    for (text, line, words) in [
        ("", 1, "nobody on this list"),
        (" \n , ,\n\"\"\n", 1, "nobody on this list"),
        ("email,name\n", 1, "nobody on this list"),
        ("a@x.example\nb@x.example,\"Ann", 2, "never ends"),
        ("a@x.example\n\"b\nc\"x,d\n", 3, "the column ends"),
        (
            "\nname,phone\nAnn,+4792241108",
            2,
            "No column is called “email”",
        ),
        (
            "email,name,e-mail\na@x.example",
            1,
            "two columns for the email",
        ),
    ] {
        let (at, sentence) = mistake(text.as_bytes());
        assert_eq!(at, line, "{text}");
        assert!(sentence.contains(words), "{text}: {sentence}");
    }
    for (bytes, line) in [
        (&b"a@x.example\nL\xe9a <b@x.example>"[..], 2),
        (b"\xff\xfea\0@\0x\0", 1),
        (b"a@x.example\n\nb\0", 3),
        (b"PK\x03\x04\0\0", 1),
    ] {
        let (at, sentence) = mistake(bytes);
        assert_eq!(at, line, "{bytes:?}");
        assert!(sentence.contains("UTF-8"), "{sentence}");
    }
    let many = |count: usize| "a@x.example\n".repeat(count);
    assert_eq!(read(&many(PEOPLE_MAX)).entries.len(), PEOPLE_MAX);
    let (at, sentence) = mistake(many(PEOPLE_MAX + 1).as_bytes());
    assert_eq!(at, PEOPLE_MAX + 1);
    assert!(sentence.contains("at most 5,000 people"), "{sentence}");
    let (_, sentence) = mistake(&vec![b'a'; file::FILE_MAX + 1]);
    assert!(sentence.contains("1 MiB"), "{sentence}");
}

#[test]
fn a_permission_is_known_by_its_name_in_any_case() {
    for (text, found) in [
        ("member", Some(Role::Member)),
        (" BILLING ", Some(Role::Billing)),
        ("Admin", Some(Role::Admin)),
        ("master", Some(Role::Master)),
        ("owner", None),
        ("", None),
    ] {
        assert_eq!(role(text), found, "{text}");
    }
}

#[test]
fn a_line_is_right_or_says_what_is_wrong_with_it() {
    let person = |email: &str, role: &str, name: &str, phone: &str| {
        let [email, role, name, phone] = [email, role, name, phone].map(str::to_owned);
        let entry = Entry {
            line: 1,
            email,
            role,
            name,
            phone,
            is_overfull: false,
        };
        Person::of(&entry, Role::Billing).map(|person| person.entry(1))
    };
    let right = person(" Lea@X.example ", "ADMIN", " Léa  F ", "+47 922 41 108").unwrap();
    assert_eq!(
        [right.email, right.role, right.name, right.phone],
        ["lea@x.example", "admin", "Léa F", "+4792241108"]
    );
    assert_eq!(person("a@x.example", "", "", " ").unwrap().role, "billing");
    for (line, refusal) in [
        (person("lea", "", "", ""), Refusal::Email),
        (person("", "", "", ""), Refusal::Email),
        (person("a@x.example", "owner", "", ""), Refusal::Unknown),
        (person("a@x.example", "", "www.x", ""), Refusal::Name),
        (person("a@x.example", "", "", "92241108"), Refusal::Phone),
    ] {
        assert_eq!(line.unwrap_err(), refusal);
        assert!(!refusal.sentence(&Entry::default()).is_empty());
    }
}

#[test]
fn a_refusal_reads_back_from_the_file_and_from_an_address() {
    for refusal in Refusal::KINDS {
        let refusal = match refusal {
            Refusal::Twice(_) => Refusal::Twice(38),
            other => other,
        };
        assert_eq!(Refusal::from_slug(&refusal.slug()), Some(refusal));
        assert_eq!(
            Filter::from_key(refusal.key()).key(),
            Some(refusal.key()),
            "{refusal:?}"
        );
    }
    for wrong in ["", "twice", "twice:", "twice:x", "taken:1", "Here"] {
        assert_eq!(Refusal::from_slug(wrong), None, "{wrong}");
    }
    assert_eq!(Filter::from_key("nothing"), Filter::All);
}

proptest! {
    #[test]
    fn what_we_write_is_read_back(rows in prop::collection::vec(
        (
            "[a-z]{1,8}@[a-z]{1,8}\\.example",
            prop::sample::select(vec!["", "member", "Admin"]),
            "[-=+@'\"a-zé ,;\\n]{0,20}",
            prop::sample::select(vec!["", "+4792241108"]),
        ), 1..20)) {
        let cells = |(email, role, name, phone): &(String, &str, String, &str)| {
            vec![(*email).clone(), (*role).to_owned(), name.clone(), (*phone).to_owned()]
        };
        // What begins with an apostrophe of its own reads as one of ours.
        prop_assume!(rows.iter().all(|row| !row.2.trim().starts_with('\'')));
        let document = csv::document(&["email", "permission", "name", "phone"], rows.iter().map(cells)).unwrap();
        let parsed = parse(&document).unwrap();
        prop_assert_eq!(parsed.entries.len(), rows.len());
        for (entry, (email, role, name, phone)) in parsed.entries.iter().zip(&rows) {
            prop_assert_eq!(&entry.email, email);
            prop_assert_eq!(&entry.role, role);
            prop_assert_eq!(&entry.phone, phone);
            prop_assert_eq!(&entry.name, &name.trim().replace('\n', " "));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(parse(&bytes));
    }

    #[test]
    fn no_heap_of_signs_makes_it_panic_or_loses_a_line(text in "[a@.x,;\t\"\\r\\n <>'é=]{0,200}") {
        if let Ok(parsed) = parse(text.as_bytes()) {
            let mut lines: Vec<usize> = parsed.entries.iter().map(|entry| entry.line).collect();
            prop_assert!(lines.is_sorted());
            lines.dedup();
            prop_assert_eq!(lines.len(), parsed.entries.len());
        }
    }
}
