//! A person in a row: initials in a circle, then the name.

use maud::{Markup, html};

use super::icon::Icon;

/// How many hues an avatar can have.
pub const HUES: u8 = 6;

/// Initials in a circle; `hue` counts from 0 to 5, higher ones begin again.
#[must_use]
pub fn avatar(initials: &str, hue: u8) -> Markup {
    match hue % HUES {
        0 => html! { span.avatar aria-hidden="true" { (initials) } },
        hue => html! { span class={ "avatar c" (hue) } aria-hidden="true" { (initials) } },
    }
}

/// A dashed circle with a letter in it: invited, and not here yet.
#[must_use]
pub fn invited_avatar() -> Markup {
    html! { span.avatar.invited aria-hidden="true" { (Icon::Mail) } }
}

/// A person without a face: whose name was erased.
#[must_use]
pub fn erased_avatar() -> Markup {
    html! { span.avatar aria-hidden="true" { (Icon::UserRound) } }
}

/// Two initials of a name, the first and the last word's; "?" for a name without letters.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    let letters: String = first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect();
    if letters.is_empty() {
        "?".to_owned()
    } else {
        letters
    }
}

/// An avatar and what stands beside it: a name, a link, a tag.
#[must_use]
pub fn person(avatar: &Markup, beside: &Markup) -> Markup {
    html! { span.person { (avatar) (beside) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Ingrid Solheim", "IS"),
            ("Nguyễn Thị Hương", "NH"),
            ("Madonna", "M"),
            ("  élodie  de la (Tour) ", "ÉT"),
            ("’", "?"),
            ("", "?"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn hues_begin_again() {
        assert_eq!(avatar("A", 6).into_string(), avatar("A", 0).into_string());
        assert!(avatar("A", 5).into_string().contains("avatar c5"));
    }
}
