//! How large a file is, in words.

const STEP: i64 = 1_000;

/// "812 bytes", "12 kB", "1.4 MB", "31 GB": two digits are enough to see that something changed.
#[must_use]
pub fn of(bytes: i64) -> String {
    if bytes < STEP {
        return format!("{bytes} bytes");
    }
    let (mut unit, mut scale) = ("kB", STEP);
    for larger in ["MB", "GB", "TB"] {
        if bytes / scale < STEP {
            break;
        }
        (unit, scale) = (larger, scale * STEP);
    }
    let tenths = bytes / (scale / 10);
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_in_the_unit_that_suits_it() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345, "12 kB"),
            (999_999, "999 kB"),
            (1_400_000, "1.4 MB"),
            (31_000_000_000, "31 GB"),
            (7_000_000_000_000_000, "7000 TB"),
        ] {
            assert_eq!(of(bytes), words);
        }
    }
}
