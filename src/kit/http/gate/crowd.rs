//! All clients' connections: who they are, how many each address has, and which one goes where room must be made.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::caller::{Caller, Phase};
use super::limits::Limits;

/// All connections, by their token; tokens are never used again, so that a late event meets nobody.
#[derive(Debug)]
pub(super) struct Crowd {
    callers: HashMap<usize, Caller>,
    counts: HashMap<IpAddr, usize>,
    next: usize,
    held: usize,
}

impl Crowd {
    /// Nobody; the first token will be `first`.
    pub(super) fn new(first: usize) -> Self {
        Self {
            callers: HashMap::new(),
            counts: HashMap::new(),
            next: first,
            held: 0,
        }
    }

    /// The token of the next one.
    pub(super) const fn next_token(&self) -> usize {
        self.next
    }

    pub(super) fn insert(&mut self, caller: Caller) -> usize {
        let token = self.next;
        self.next = self.next.wrapping_add(1);
        if let Some(network) = caller.network {
            *self.counts.entry(network).or_default() += 1;
        }
        self.callers.insert(token, caller);
        token
    }

    pub(super) fn get(&self, token: usize) -> Option<&Caller> {
        self.callers.get(&token)
    }

    pub(super) fn get_mut(&mut self, token: usize) -> Option<&mut Caller> {
        self.callers.get_mut(&token)
    }

    pub(super) fn remove(&mut self, token: usize) -> Option<Caller> {
        let caller = self.callers.remove(&token)?;
        self.held = self.held.saturating_sub(caller.counted);
        if let Some(network) = caller.network
            && let Some(count) = self.counts.get_mut(&network)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&network);
            }
        }
        Some(caller)
    }

    /// Counts again what one holds; the deadline it has.
    pub(super) fn settle(&mut self, token: usize) -> Option<Instant> {
        let caller = self.callers.get_mut(&token)?;
        let held = caller.held();
        self.held = self
            .held
            .saturating_sub(caller.counted)
            .saturating_add(held);
        caller.counted = held;
        Some(caller.deadline)
    }

    /// Whether all together hold more than they may.
    pub(super) const fn holds_too_much(&self, limits: &Limits) -> bool {
        self.held > limits.memory_bytes_max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.callers.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Caller)> {
        self.callers.iter().map(|(token, caller)| (*token, caller))
    }

    /// How many connections an address has.
    pub(super) fn count(&self, network: IpAddr) -> usize {
        self.counts.get(&network).copied().unwrap_or_default()
    }

    /// The connection of this address that is missed least.
    pub(super) fn least_of(&self, network: IpAddr) -> Option<usize> {
        self.iter()
            .filter(|(_, caller)| caller.network == Some(network))
            .filter_map(|(token, caller)| Some((rank(&caller.phase)?, caller.since, token)))
            .min()
            .map(|(_, _, token)| token)
    }

    /// The connection that is missed least of the busiest address; where every address has one, or none of that
    /// address can go, of all.
    pub(super) fn least(&self) -> Option<usize> {
        self.counts
            .iter()
            .max_by_key(|(_, count)| **count)
            .filter(|(_, count)| **count > 1)
            .and_then(|(network, _)| self.least_of(*network))
            .or_else(|| self.least_of_all())
    }

    fn least_of_all(&self) -> Option<usize> {
        self.iter()
            .filter_map(|(token, caller)| {
                let rank = rank(&caller.phase)?;
                Some((caller.network.is_none(), rank, caller.since, token))
            })
            .min()
            .map(|(_, _, _, token)| token)
    }

    /// The connection that holds most.
    pub(super) fn heaviest(&self) -> Option<usize> {
        self.iter()
            .max_by_key(|(_, caller)| caller.counted)
            .map(|(token, _)| token)
    }
}

/// What is lost with a connection, least first; a request that is being worked on is never given up for another.
const fn rank(phase: &Phase) -> Option<u8> {
    match phase {
        Phase::Lingering => Some(0),
        Phase::Shaking | Phase::Idle => Some(1),
        Phase::Head => Some(2),
        Phase::Body => Some(3),
        Phase::Draining(_) => Some(4),
        Phase::Waiting(_) | Phase::Answering(_) => None,
    }
}
