//! The unit that is shipped, as systemd itself judges it.

use std::fs;
use std::path::Path;
use std::process::Command;

const UNIT: &str = include_str!("../../packaging/doorward.service");
const PORTS: &str = include_str!("../../packaging/drop-ins/ports.conf");
/// How much of the machine a service may reach, from 0 to 10, in tenths.
const EXPOSURE_MAX: &str = "15";

/// The lines that say something.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// What systemd-analyze says about this unit and whether it is content; none where it is not installed.
fn judged(unit: &str, most: &str) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doorward.service");
    fs::write(&file, unit).unwrap();
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={most}"))
        .arg(&file)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output.status.success(), said + &complaint))
}

#[test]
fn the_unit_reaches_no_more_of_the_machine_than_it_must() {
    let Some((is_content, said)) = judged(UNIT, EXPOSURE_MAX) else {
        assert!(!Path::new("/usr/bin/systemd-analyze").exists());
        return;
    };
    assert!(is_content && said.contains("Overall exposure"), "{said}");
    // The measure measures: without the walls the same unit is refused.
    let open: String = UNIT
        .lines()
        .filter(|line| !line.starts_with("Protect") && !line.starts_with("SystemCall"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (is_content, said) = judged(&open, EXPOSURE_MAX).unwrap();
    assert!(!is_content, "{said}");
}

#[test]
fn the_unit_waits_for_the_servers_word_and_for_its_pulse() {
    let lines = lines(UNIT);
    for wanted in [
        "Type=notify",
        "WatchdogSec=30s",
        "ExecStart=/usr/bin/doorward serve",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "DynamicUser=yes",
        "StateDirectory=doorward",
        "StateDirectoryMode=0700",
        "UMask=0077",
    ] {
        assert!(lines.contains(&wanted), "{wanted}");
    }
}

#[test]
fn the_drop_in_for_low_ports_gives_that_right_alone() {
    assert_eq!(
        lines(PORTS),
        [
            "[Service]",
            "AmbientCapabilities=CAP_NET_BIND_SERVICE",
            "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
            "PrivateUsers=no",
        ]
    );
}
