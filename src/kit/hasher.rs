//! Password hashing: argon2id (RFC 9106), with as many slots as cores and a short queue.
//!
//! The buffers are the price: 19 MiB each, kept while there is work and freed after a quiet minute.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use prometheus_client::metrics::histogram::Histogram;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::kit::memory;
use crate::kit::random::{self, Random};
use crate::kit::time;

/// The cost of one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// What production uses: m=19456 KiB, t=2, p=1 (OWASP's recommendation for argon2id).
    pub const PRODUCTION: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };
    /// For tests only: as cheap as the algorithm allows.
    pub const CHEAP: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
    }
}

/// Why no hash was made.
#[derive(Debug)]
pub enum Error {
    /// All slots stayed taken, or there is no memory for one more: answer 503, try again in two seconds.
    Busy,
    /// The stored text is no hash of ours.
    Broken(String),
}

/// How many may wait for a slot, and for how long.
const WAITING_MAX: usize = 32;
const WAIT_MAX: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_secs(60);
/// Upper bounds of what a hash may take, in seconds: a tenth is usual, and two seconds is the longest wait for a slot.
const DURATIONS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The slots.
pub struct Hasher {
    cost: Cost,
    slots: Mutex<Slots>,
    /// How long whoever wanted a hash had to wait for it, in seconds: for a slot, and while it was made.
    pub durations: Histogram,
}

struct Slots {
    free: usize,
    /// Who waits, first come first served: whoever comes later never takes the slot of one that was just called.
    queue: VecDeque<Arc<Turn>>,
    buffers: Vec<Vec<Block>>,
    used: Instant,
}

/// One who waits. Its slot is handed over by whoever is done, under the lock.
#[derive(Default)]
struct Turn {
    is_called: AtomicBool,
    called: Condvar,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hasher({:?})", self.cost)
    }
}

impl Hasher {
    /// So many hashes at once, each at that cost.
    #[must_use]
    pub fn new(cost: Cost, slots: usize) -> Self {
        let slots = Slots {
            free: slots.max(1),
            queue: VecDeque::new(),
            buffers: Vec::new(),
            used: time::instant(),
        };
        Self {
            cost,
            slots: Mutex::new(slots),
            durations: Histogram::new(DURATIONS),
        }
    }

    /// Hashes a password under a fresh salt; the answer is a PHC string.
    pub fn hash(&self, password: &[u8], random: &dyn Random) -> Result<String, Error> {
        let salt: [u8; 16] =
            random::bytes(random).map_err(|error| Error::Broken(error.to_string()))?;
        let output = self.run(self.cost, password, &salt)?;
        phc(self.cost, &salt, output.as_slice())
    }

    /// Whether the password made this hash. Takes as long for a wrong one as for the right one.
    pub fn verify(&self, password: &[u8], hash: &str) -> Result<bool, Error> {
        let kept = parse(hash)?;
        let output = self.run(kept.cost, password, &kept.salt)?;
        Ok(output.ct_eq(kept.output.as_slice()).into())
    }

    fn run(&self, cost: Cost, password: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
        let began = time::instant();
        let output = self.slot()?.run(cost, password, salt)?;
        self.durations.observe(began.elapsed().as_secs_f64());
        Ok(output)
    }

    /// Whether the hash was made at a lower cost than today's.
    #[must_use]
    pub fn is_weaker(&self, hash: &str) -> bool {
        parse(hash).map_or(true, |kept| {
            kept.cost.memory_kib < self.cost.memory_kib || kept.cost.passes < self.cost.passes
        })
    }

    /// A hash that no password makes, at today's cost: verified for unknown addresses, so that they take as long.
    #[must_use]
    pub fn decoy(&self) -> String {
        phc(self.cost, &[0; 16], &[0; 32]).unwrap_or_default()
    }

    /// Frees the buffers after a quiet minute.
    pub fn sweep(&self) {
        let mut slots = self.lock();
        if slots.queue.is_empty() && slots.used.elapsed() > QUIET {
            slots.buffers.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self) -> Result<Slot<'_>, Error> {
        let mut slots = self.lock();
        if slots.free == 0 {
            slots = Self::wait(slots)?;
        } else {
            slots.free -= 1;
        }
        let buffer = slots.buffers.pop().unwrap_or_default();
        Ok(Slot {
            hasher: self,
            buffer,
        })
    }

    /// Waits for a slot to be handed over.
    fn wait(mut slots: MutexGuard<'_, Slots>) -> Result<MutexGuard<'_, Slots>, Error> {
        if slots.queue.len() >= WAITING_MAX {
            return Err(Error::Busy);
        }
        let turn = Arc::new(Turn::default());
        slots.queue.push_back(Arc::clone(&turn));
        let is_waiting = |_: &mut Slots| !turn.is_called.load(Ordering::Relaxed);
        let (mut woken, _) = turn
            .called
            .wait_timeout_while(slots, WAIT_MAX, is_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if turn.is_called.load(Ordering::Relaxed) {
            return Ok(woken);
        }
        woken.queue.retain(|other| !Arc::ptr_eq(other, &turn));
        Err(Error::Busy)
    }
}

struct Slot<'h> {
    hasher: &'h Hasher,
    buffer: Vec<Block>,
}

impl Slot<'_> {
    fn run(
        &mut self,
        cost: Cost,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, Error> {
        let params = cost
            .params()
            .map_err(|error| Error::Broken(error.to_string()))?;
        let missing = params.block_count().saturating_sub(self.buffer.len());
        if missing > 0 {
            // The one large thing that is asked of the system: where it has no more, one request waits, and the process
            // goes on.
            let bytes = missing.saturating_mul(Block::SIZE);
            if !memory::has_room(bytes) || self.buffer.try_reserve_exact(missing).is_err() {
                tracing::error!("there is no memory to check a password");
                return Err(Error::Busy);
            }
            self.buffer.resize(params.block_count(), Block::default());
        }
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = Zeroizing::new([0; 32]);
        argon
            .hash_password_into_with_memory(password, salt, output.as_mut_slice(), &mut self.buffer)
            .map_err(|error| Error::Broken(error.to_string()))?;
        Ok(output)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut slots = self.hasher.lock();
        slots.used = time::instant();
        // One for which there was no memory is no buffer: whoever comes next is to find those that there are.
        if !self.buffer.is_empty() {
            slots.buffers.push(std::mem::take(&mut self.buffer));
        }
        match slots.queue.pop_front() {
            Some(next) => {
                next.is_called.store(true, Ordering::Relaxed);
                next.called.notify_one();
            }
            None => slots.free += 1,
        }
    }
}

struct Kept {
    cost: Cost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

fn parse(hash: &str) -> Result<Kept, Error> {
    let broken = || Error::Broken("the stored hash cannot be read".to_owned());
    let kept = PasswordHash::new(hash).map_err(|_| broken())?;
    let params = Params::try_from(&kept).map_err(|_| broken())?;
    let (Some(salt), Some(output)) = (kept.salt, kept.hash) else {
        return Err(broken());
    };
    if kept.algorithm.as_str() != "argon2id" || output.as_bytes().len() != 32 {
        return Err(broken());
    }
    Ok(Kept {
        cost: Cost {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
            lanes: params.p_cost(),
        },
        salt: salt.as_ref().to_vec(),
        output: output.as_bytes().to_vec(),
    })
}

fn phc(cost: Cost, salt: &[u8], output: &[u8]) -> Result<String, Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Broken(error.to_string());
    let params = cost.params().map_err(|error| broken(&error))?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|error| broken(&error))?,
        salt: Some(Salt::new(salt).map_err(|error| broken(&error))?),
        hash: Some(Output::new(output).map_err(|error| broken(&error))?),
    };
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::random::SeededRandom;

    #[test]
    fn only_the_password_that_made_a_hash_verifies_it() {
        let hasher = Hasher::new(Cost::CHEAP, 1);
        let hash = hasher.hash(b"Right-1!", &SeededRandom::new(1)).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(hasher.verify(b"Right-1!", &hash).unwrap());
        assert!(!hasher.verify(b"Wrong-1!", &hash).unwrap());
        assert!(!hasher.verify(b"", &hasher.decoy()).unwrap());
    }

    #[test]
    fn a_cheaper_hash_is_weaker_than_todays() {
        let cheap = Hasher::new(Cost::CHEAP, 1)
            .hash(b"x", &SeededRandom::new(1))
            .unwrap();
        assert!(Hasher::new(Cost::PRODUCTION, 1).is_weaker(&cheap));
        assert!(!Hasher::new(Cost::CHEAP, 1).is_weaker(&cheap));
    }

    #[test]
    fn production_costs_what_the_contract_says() {
        assert!(
            Hasher::new(Cost::PRODUCTION, 1)
                .decoy()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
    }

    #[test]
    fn a_slot_goes_to_whoever_waited_longest() {
        let hasher = Hasher::new(Cost::CHEAP, 1);
        let order = Mutex::new(Vec::new());
        let held = hasher.slot().unwrap();
        let take = |name: usize| {
            let slot = hasher.slot().unwrap();
            order.lock().unwrap().push(name);
            drop(slot);
        };
        std::thread::scope(|scope| {
            for name in 0..3 {
                scope.spawn(move || take(name));
                while hasher.lock().queue.len() <= name {
                    std::thread::yield_now();
                }
            }
            drop(held);
            // Later than all of them, and at once: there is no slot to be had in between.
            take(3);
        });
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
        assert_eq!(hasher.lock().free, 1);
    }

    #[test]
    fn what_is_no_buffer_is_not_kept_for_one() {
        let hasher = Hasher::new(Cost::CHEAP, 1);
        drop(hasher.slot().unwrap());
        assert_eq!(hasher.lock().buffers.len(), 0);
        hasher.hash(b"x", &SeededRandom::new(1)).unwrap();
        assert_eq!(hasher.lock().buffers.len(), 1);
    }

    #[test]
    fn a_full_queue_is_busy_at_once() {
        let hasher = Hasher::new(Cost::CHEAP, 1);
        let held = hasher.slot().unwrap();
        let turns = (0..WAITING_MAX).map(|_| Arc::new(Turn::default()));
        hasher.lock().queue.extend(turns);
        assert!(matches!(hasher.slot(), Err(Error::Busy)));
        hasher.lock().queue.clear();
        drop(held);
        assert!(hasher.slot().is_ok());
    }

    #[test]
    fn whoever_waited_in_vain_leaves_the_queue() {
        let hasher = Hasher::new(Cost::CHEAP, 1);
        let held = hasher.slot().unwrap();
        assert!(matches!(hasher.slot(), Err(Error::Busy)));
        drop(held);
        assert_eq!(hasher.lock().free, 1);
        assert!(hasher.slot().is_ok());
    }

    #[test]
    fn a_text_that_is_no_hash_is_an_error_and_not_a_no() {
        assert!(matches!(
            Hasher::new(Cost::CHEAP, 1).verify(b"x", "plain"),
            Err(Error::Broken(_))
        ));
    }
}
