//! Whether the system would give more memory, asked before what is large is begun: what is small cannot be refused, since
//! the process ends where a small piece of memory is not to be had.

use std::hint::black_box;

/// What is left for all that is small. Above 32 MiB glibc always asks the system, and gives it back at once.
const SPARE: usize = 33 << 20;

/// Whether there is room for so many bytes, and for what is small besides. They are not touched, so asking costs little.
#[must_use]
pub fn has_room(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let is_given = room.try_reserve_exact(bytes.saturating_add(SPARE)).is_ok();
    // Or the compiler knows that nobody looks at it, and asks for nothing.
    black_box(&room);
    is_given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_system_has_is_not_there() {
        assert!(has_room(0));
        assert!(!has_room(usize::MAX));
        assert!(!has_room(1 << 62));
    }
}
