//! Completions and manual pages, as shells and readers use them.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use crate::process::Launch;

fn text(output: &Output) -> String {
    let code = output.status.code();
    let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert_eq!(code, Some(0), "{err}");
    String::from_utf8(out.clone()).unwrap()
}

/// What bash offers after these words, of which the last one is not yet whole.
fn offered(script: &str, words: &[&str]) -> BTreeSet<String> {
    let ask = r#"
        source "$0"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _doorward doorward "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["-c", ask, script])
        .args(words)
        .output();
    text(&output.unwrap())
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let launch = Launch::serve();
    let script = launch.data().join("doorward.bash");
    fs::write(&script, launch.run(&["completions", "bash"]).stdout).unwrap();
    let script = script.to_str().unwrap();
    let commands = offered(script, &["doorward", ""]);
    for known in ["serve", "doctor", "healthcheck", "completions", "man"] {
        assert!(commands.contains(known), "{commands:?}");
    }
    for (words, only) in [
        (&["doorward", "heal"][..], "healthcheck"),
        (&["doorward", "healthcheck", "--w"], "--wait"),
        (&["doorward", "org", "cr"], "create"),
        (&["doorward", "account", "reset"], "reset-two-factor"),
        (&["doorward", "completions", "fi"], "fish"),
        (&["doorward", "serve", "--public"], "--public-url"),
        (
            &["doorward", "account", "set-role", "--pub"],
            "--public-url",
        ),
    ] {
        let offered: Vec<String> = offered(script, words).into_iter().collect();
        assert_eq!(offered, [only], "{words:?}");
    }
}

#[test]
fn every_shell_has_its_script() {
    let launch = Launch::serve();
    for (shell, sign) in [
        ("zsh", "#compdef doorward"),
        ("fish", "complete -c doorward"),
        ("elvish", "edit:completion:arg-completer[doorward]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = text(&launch.run(&["completions", shell]));
        assert!(script.contains(sign), "{shell}");
        assert!(script.contains("healthcheck"), "{shell}");
    }
    let wrong = launch.run(&["completions", "cmd"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn every_command_has_a_page_and_the_file_of_settings_too() {
    let launch = Launch::serve();
    let folder = launch.data().join("a/man");
    let said = text(&launch.run(&["man", folder.to_str().unwrap()]));
    let pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        said.starts_with(&format!("{} pages in ", pages.len())),
        "{said}"
    );
    for known in [
        "doorward.1",
        "doorward-serve.1",
        "doorward-org-create.1",
        "doorward-account-reset-two-factor.1",
        "doorward.toml.5",
    ] {
        assert!(pages.contains(known), "{known}");
    }
    let page = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    for name in &pages {
        let page = page(name);
        for section in [
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH DESCRIPTION",
            ".SH \"SEE ALSO\"",
        ] {
            assert!(page.contains(section), "{name}: {section}");
        }
    }
    let settings = page("doorward.toml.5");
    for key in doorward::config::keys::Key::ALL {
        let named = format!("\\fB{}\\fR", key.name());
        assert!(settings.contains(&named), "{named}");
        let flag = format!("\\-\\-{}", key.flag().replace('-', "\\-"));
        assert_eq!(
            page("doorward-serve.1").contains(&flag),
            key.has_flag(),
            "{flag}"
        );
    }
    lint(&folder);
}

/// What the two programs that show manuals have to say about these, where they are installed.
fn lint(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mandoc = Command::new("mandoc")
            .args(["-Tlint", "-Wwarning"])
            .arg(&path)
            .output();
        let man = Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"])
            .arg(&path)
            .output();
        if let Ok(output) = mandoc {
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "",
                "{}",
                path.display()
            );
        }
        if let Ok(output) = man {
            assert_eq!(
                String::from_utf8_lossy(&output.stderr),
                "",
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn short_help_has_what_a_command_alone_takes_and_long_help_everything() {
    let launch = Launch::serve();
    let help = |args: &[&str]| text(&launch.run(args));
    let short = help(&["org", "create", "-h"]);
    assert!(
        short.contains("--master-email") && !short.contains("--public-url"),
        "{short}"
    );
    let long = help(&["org", "create", "--help"]);
    let (own, settings) = long.split_once("\nSettings:\n").unwrap();
    assert!(
        own.contains("--master-email") && settings.contains("--public-url"),
        "{long}"
    );
    let serve = help(&["serve", "-h"]);
    assert!(
        serve.contains("--public-url") && !serve.contains("--backup-keep"),
        "{serve}"
    );
    assert!(help(&["serve", "--help"]).contains("--backup-keep"));
}
