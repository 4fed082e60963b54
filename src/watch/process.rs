//! What the kernel knows of this process, under the names that every Prometheus client gives it.

use std::fs;

/// The kernel counts time for programs in hundredths of a second, whatever it counts in itself.
const TICKS_PER_SECOND: f64 = 100.0;

/// What the kernel knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Time on a processor, in seconds.
    pub cpu_seconds: f64,
    /// Memory that it has in use, in bytes.
    pub resident: u64,
    /// Memory that it may come to use, in bytes.
    pub reserved: u64,
    /// Files that it has open.
    pub open_files: u64,
    /// Files that it may have open; none without a limit.
    pub files_max: Option<u64>,
    /// Threads.
    pub threads: u64,
    /// When it began, in seconds since 1970.
    pub started: f64,
}

impl Process {
    /// As it is now; none where the kernel does not tell.
    #[must_use]
    pub fn look() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let system = fs::read_to_string("/proc/stat").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let open = fs::read_dir("/proc/self/fd").ok()?.count();
        let times = Times::read(&stat)?;
        let boot: f64 = word_after(&system, "btime ")?.parse().ok()?;
        let bytes = |name: &str| Some(word_after(&status, name)?.parse::<u64>().ok()? * 1024);
        Some(Self {
            cpu_seconds: times.used / TICKS_PER_SECOND,
            resident: bytes("VmRSS:")?,
            reserved: bytes("VmSize:")?,
            // The folder itself is open while it is read.
            open_files: u64::try_from(open.saturating_sub(1)).ok()?,
            files_max: word_after(&limits, "Max open files")?.parse().ok(),
            threads: word_after(&status, "Threads:")?.parse().ok()?,
            started: boot + times.began / TICKS_PER_SECOND,
        })
    }
}

struct Times {
    used: f64,
    began: f64,
}

impl Times {
    /// The name of a program may hold anything, so fields are counted from its end: utime and stime are the 12th and
    /// 13th after it, the start is the 20th.
    fn read(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
        Some(Self {
            used: number(11)? + number(12)?,
            began: number(19)?,
        })
    }
}

/// The first word behind a name that begins a line.
fn word_after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let process = Process::look().unwrap();
        assert!(process.resident > 1 << 20 && process.reserved >= process.resident);
        assert!(
            process.open_files >= 3 && process.threads >= 1,
            "{process:?}"
        );
        let age = crate::kit::time::wall().as_secs_f64() - process.started;
        assert!((0.0..86_400.0).contains(&age), "{process:?}");
        assert!(process.cpu_seconds < age * 64.0 + 1.0, "{process:?}");
    }

    #[test]
    fn a_name_with_brackets_misleads_nobody() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 3 0 1200 5 6";
        let times = Times::read(stat).unwrap();
        assert_eq!((times.used, times.began), (200.0, 1_200.0));
    }
}
