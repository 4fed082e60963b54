//! What is shown to be taken away: links and keys to copy, recovery codes, and the code to scan.

use maud::{Markup, html};

use super::button::Button;
use super::icon::Icon;

/// A text in a box with a button that copies it. One click selects all of it, for pages without script.
#[must_use]
pub fn copy_box(id: &str, label: &str, text: &str) -> Markup {
    boxed(id, label, text, &Button::copy("Copy", id))
}

/// As [`copy_box`], for pages whose point it is: the button is focused.
#[must_use]
pub fn first_copy_box(id: &str, label: &str, text: &str) -> Markup {
    boxed(id, label, text, &Button::copy("Copy", id).focused())
}

fn boxed(id: &str, label: &str, text: &str, button: &Button) -> Markup {
    let named = format!("{id}-label");
    html! {
        div.field {
            b id=(named) { (label) }
            div.copy {
                output id=(id) aria-labelledby=(named) { (text) }
                (button)
            }
        }
    }
}

/// Codes that are shown once.
#[must_use]
pub fn codes(id: &str, label: &str, codes: &[&str]) -> Markup {
    html! {
        ol.codes id=(id) aria-label=(label) { @for code in codes { li { (code) } } }
    }
}

/// Where one is in a course of steps; `current` counts from 0, and all before it are done.
#[must_use]
pub fn steps(names: &[&str], current: usize) -> Markup {
    html! {
        ol.steps aria-label="Progress" {
            @for (index, name) in names.iter().enumerate() {
                li class=[(index < current).then_some("done")] aria-current=[(index == current).then_some("step")] { (name) }
            }
        }
    }
}

/// A code to scan: black on white in both themes, as one path. `size` is the number of modules in a row, and
/// `dark` says whether the one in this column and row is dark. The quiet zone of four is added.
#[must_use]
pub fn scan(label: &str, size: u16, dark: impl Fn(u16, u16) -> bool) -> Markup {
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let run = (x..size).take_while(|x| dark(*x, y)).count();
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}", x + 4, y + 4));
            }
            x += u16::try_from(run).unwrap_or(size) + 1;
        }
    }
    let edge = size.saturating_add(8);
    html! {
        div.qr {
            svg role="img" aria-label=(label) viewBox={ "0 -.5 " (edge) " " (edge) } shape-rendering="crispEdges" {
                path stroke="#000" d=(path) {}
            }
        }
    }
}

/// A download link that looks like a button; `name` is the file's.
#[must_use]
pub fn download(label: &str, href: &str, name: &str) -> Markup {
    html! { a.btn href=(href) download=(name) { (Icon::Download) span { (label) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_before_the_current_one_are_done() {
        assert_eq!(
            steps(&["One", "Two", "Three"], 1).into_string(),
            "<ol class=\"steps\" aria-label=\"Progress\"><li class=\"done\">One</li>\
             <li aria-current=\"step\">Two</li><li>Three</li></ol>"
        );
    }

    #[test]
    fn a_code_to_scan_has_its_quiet_zone() {
        let drawn = scan("A code", 3, |x, y| x == y || y == 2).into_string();
        assert!(drawn.contains("viewBox=\"0 -.5 11 11\""), "{drawn}");
        assert!(drawn.contains("d=\"M4 4h1M5 5h1M4 6h3\""), "{drawn}");
    }
}
