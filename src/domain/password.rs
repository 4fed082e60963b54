//! Passwords: the rule for new ones, and the cap for typed ones.

use std::cmp::Ordering;

use crate::kit::secret::Secret;

/// The shortest and the longest new password, in code points.
const LENGTH_MIN: usize = 8;
const LENGTH_MAX: usize = 128;
/// A part of a name or address must have so many letters before a password is refused for holding it.
const PART_MIN: usize = 4;

/// A password as typed: never printed, never trimmed, at most 128 code points.
#[derive(Clone, Debug)]
pub struct Password(Secret<String>);

impl Password {
    /// A password typed to sign in. Longer ones are refused before they cost a hash.
    pub fn typed(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Enter your password.".to_owned());
        }
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("A password has at most {LENGTH_MAX} characters."));
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    /// A new password. `about` are the e-mail's local part and the name: what a guesser tries first.
    pub fn chosen(text: &str, about: &[&str]) -> Result<Self, String> {
        let missing = missing(text);
        if !missing.is_empty() {
            return Err(format!(
                "At least {LENGTH_MIN} characters, with upper case, lower case, a number and a special character. Missing: {}.",
                missing.join(", ")
            ));
        }
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("A password has at most {LENGTH_MAX} characters."));
        }
        let folded = text.to_lowercase();
        if is_common(&folded) {
            return Err("This password is on the list of common ones, which are tried first. Choose another.".to_owned());
        }
        let parts = about
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        for part in parts.chain(about.iter().copied()) {
            let part = part.to_lowercase();
            if part.chars().filter(|c| c.is_alphabetic()).count() >= PART_MIN
                && folded.contains(&part)
            {
                return Err(
                    "A password cannot hold your name or the first part of your email.".to_owned(),
                );
            }
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    /// The bytes, for the hash alone.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.reveal().as_bytes()
    }
}

type Test = fn(char) -> bool;

/// What the rule still asks for, in its own order.
fn missing(text: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let length = text.chars().count();
    if length < LENGTH_MIN {
        let more = LENGTH_MIN - length;
        missing.push(format!(
            "{more} more character{}",
            if more == 1 { "" } else { "s" }
        ));
    }
    let rules: [(&str, Test); 4] = [
        ("upper case", char::is_uppercase),
        ("lower case", char::is_lowercase),
        ("a number", char::is_numeric),
        ("a special character", |c| {
            !c.is_alphanumeric() && !c.is_whitespace()
        }),
    ];
    missing.extend(
        rules
            .iter()
            .filter(|(_, holds)| !text.chars().any(holds))
            .map(|(what, _)| (*what).to_owned()),
    );
    missing
}

/// Whether the folded password is on the bundled list: a binary search in its text, which is sorted and ASCII.
fn is_common(folded: &str) -> bool {
    let mut rest = COMMON;
    while !rest.is_empty() {
        let Some((half, _)) = rest.split_at_checked(rest.len() / 2) else {
            return false;
        };
        let start = half.rfind('\n').map_or(0, |end| end + 1);
        let Some((before, from)) = rest.split_at_checked(start) else {
            return false;
        };
        let (line, after) = from.split_once('\n').unwrap_or((from, ""));
        rest = match folded.cmp(line) {
            Ordering::Equal => return true,
            Ordering::Less => before,
            Ordering::Greater => after,
        };
    }
    false
}

/// Common passwords that satisfy the rule, in lower case, one a line, sorted; how they were gathered is said in
/// `common_passwords.LICENSE`.
const COMMON: &str = include_str!("common_passwords.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_the_seeds() {
        for (wrong, missing) in [
            ("Short1!", "1 more character."),
            ("alllower1!", "upper case."),
            ("ALLUPPER1!", "lower case."),
            ("NoNumber!!", "a number."),
            ("NoSpecial11", "a special character."),
            ("Only White1", "a special character."),
        ] {
            let sentence = Password::chosen(wrong, &[]).unwrap_err();
            assert!(
                sentence.ends_with(&format!("Missing: {missing}")),
                "{wrong}: {sentence}"
            );
        }
        for right in ["Zx9!mnqa", " Zx9!mnq ", "Zx9é€mnq", "Ünü-9abc"] {
            assert!(Password::chosen(right, &[]).is_ok(), "{right}");
        }
        let long = format!("Zx9!{}", "é".repeat(124));
        assert_eq!(
            Password::chosen(&long, &[]).unwrap().bytes(),
            long.as_bytes()
        );
        assert!(Password::chosen(&format!("{long}é"), &[]).is_err());
        assert!(Password::typed(&"x".repeat(129)).is_err());
    }

    #[test]
    fn what_a_guesser_tries_first_is_refused() {
        for (wrong, about) in [
            ("Password1!", "lea"),
            ("Fontaine-1", "lea.fontaine"),
            ("my-LEA.FONTAINE-1", "lea.fontaine"),
            ("Solheim!22x", "Ingrid Solheim"),
        ] {
            assert!(Password::chosen(wrong, &[about]).is_err(), "{wrong}");
        }
        assert!(
            Password::chosen("Lea-is-1-of-us", &["lea"]).is_ok(),
            "three letters are no part"
        );
    }

    #[test]
    fn the_list_of_common_passwords_is_in_order() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!((2_800..=3_300).contains(&lines.len()), "{}", lines.len());
        assert!(COMMON.is_ascii() && COMMON.ends_with('\n'));
        for pair in lines.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?} are not in order, or twice");
        }
        for line in &lines {
            assert_eq!(line.to_lowercase(), *line);
            // They are there in lower case; the rest of the rule can be seen.
            assert_eq!(missing(line), ["upper case"], "{line} is refused anyway");
        }
    }

    #[test]
    fn every_common_password_is_found_and_no_other() {
        for line in COMMON.lines() {
            assert!(is_common(line), "{line}");
            assert!(!is_common(&format!("{line}~")), "{line}~");
            assert!(!is_common(&format!("~{line}")), "~{line}");
        }
        for wrong in ["", "\n", "!", "~", "zzzzzzzz", "password1", "é"] {
            assert!(!is_common(wrong), "{wrong:?}");
        }
        for listed in ["password1!", "welcome@123", "qwerty123!", "p@ssw0rd"] {
            assert!(is_common(listed), "{listed}");
        }
        assert!(Password::chosen("WELCOME@123a", &[]).is_ok());
        assert!(Password::chosen("wElCoMe@123", &[]).is_err());
    }
}
