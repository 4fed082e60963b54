//! Chance that can be had again.

use doorward::kit::random::{OsRandom, bytes};

/// A sequence of numbers that its seed decides (SplitMix64).
pub(crate) struct Seed {
    /// Where it began.
    pub(crate) first: u64,
    state: u64,
}

impl Seed {
    /// The one that was asked for, or a new one.
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the tests, not a setting"
    )]
    pub(crate) fn new() -> Self {
        let asked = std::env::var("DOORWARD_FAULTS_SEED").ok();
        let first = asked.map_or_else(
            || u64::from(u32::from_be_bytes(bytes(&OsRandom).unwrap())),
            |seed| seed.parse().unwrap(),
        );
        Self {
            first,
            state: first,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap();
        usize::try_from(self.next() % limit).unwrap()
    }

    /// So many of these at most, in their order.
    pub(crate) fn some<T>(&mut self, mut all: Vec<T>, count: usize) -> Vec<T> {
        while all.len() > count {
            let at = self.below(all.len());
            all.remove(at);
        }
        all
    }
}

#[test]
fn a_seed_gives_the_same_again() {
    let mut one = Seed { first: 7, state: 7 };
    let mut other = Seed { first: 7, state: 7 };
    let some = one.some((0..100).collect::<Vec<i32>>(), 5);
    assert_eq!(some, other.some((0..100).collect(), 5));
    assert_eq!(some.len(), 5);
    assert!(some.is_sorted());
    assert_ne!(some, one.some((0..100).collect::<Vec<i32>>(), 5));
}
