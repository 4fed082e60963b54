//! Randomness as a parameter: the operating system's, and one that repeats for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Where random bytes come from.
pub trait Random: Send + Sync {
    /// Fills `bytes`; fails only where the operating system has no randomness to give.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// So many random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system's randomness.
#[derive(Debug)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes).map_err(std::io::Error::other)
    }
}

/// The same bytes in the same order for the same seed: for tests and repeatable demonstrations.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    next: AtomicU64,
}

impl SeededRandom {
    /// A sequence that `seed` alone decides.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            next: AtomicU64::new(0),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        for chunk in bytes.chunks_mut(32) {
            let block = self.next.fetch_add(1, Ordering::SeqCst);
            let digest = Sha256::new()
                .chain_update(self.seed.to_le_bytes())
                .chain_update(block.to_le_bytes())
                .finalize();
            for (to, from) in chunk.iter_mut().zip(digest) {
                *to = from;
            }
        }
        Ok(())
    }
}
