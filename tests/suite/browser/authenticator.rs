//! An authenticator app that others wrote, `oathtool`, and a camera, `zbarimg`, that reads the code to scan out of a
//! picture of the page. `tests/run` installs both.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use doorward::kit::totp::STEP;

use crate::served::now;
use crate::wait;

/// Longer than a code is shown.
const PATIENCE: Duration = Duration::from_secs(40);
/// A code of the past step is taken only with so many seconds left in the present one: then it is sent in time.
const LEFT: i64 = 12;

/// An app with one key in it.
pub(super) struct App {
    key: String,
    /// The step of the last code that it showed: each is good for once.
    shown: Cell<i64>,
}

impl App {
    /// Learns a key; spaces do not matter.
    pub(super) fn of(key: &str) -> Self {
        Self {
            key: key.replace(' ', ""),
            shown: Cell::new(0),
        }
    }

    /// A code that is good and was not shown before. The server takes the one before and the one after the present one
    /// too; when all three were shown, this waits for the next.
    pub(super) fn code(&self) -> String {
        let step = wait::until(PATIENCE, || {
            let now = now();
            let present = now / STEP;
            let first = if STEP - now % STEP > LEFT {
                present - 1
            } else {
                present
            };
            let step = first.max(self.shown.get() + 1);
            (step <= present + 1).then_some(step)
        });
        let step = step.unwrap();
        self.shown.set(step);
        let at = format!("@{}", step * STEP);
        let code = run("oathtool", &["--totp", "-b", "--now", &at, &self.key]);
        assert!(
            code.len() == 6 && code.bytes().all(|sign| sign.is_ascii_digit()),
            "{code}"
        );
        code
    }

    /// A code that is not good now, and was not a minute ago.
    pub(super) fn wrong_code(&self) -> String {
        let present = now() / STEP;
        let good: Vec<String> = (present - 3..present + 4)
            .map(|step| {
                let at = format!("@{}", step * STEP);
                run("oathtool", &["--totp", "-b", "--now", &at, &self.key])
            })
            .collect();
        let wrong = [
            "000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777",
        ];
        let wrong = wrong
            .into_iter()
            .find(|code| !good.iter().any(|one| one == code));
        wrong.unwrap().to_owned()
    }
}

/// What the code in this picture says.
pub(super) fn scanned(picture: &Path) -> String {
    let picture = picture.to_str().unwrap();
    let read = ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture];
    run("zbarimg", &read)
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
