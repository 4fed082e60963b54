//! The catalogue as the operator writes it.

use crate::domain::money::{Currency, Money};
use crate::kit::time::Timestamp;

/// A whole catalogue: what it does not name is not on offer any more.
#[derive(Clone, Debug)]
pub struct File {
    /// The currency of every price.
    pub currency: Currency,
    /// What can be had, in the order in which it is offered.
    pub kinds: Vec<Kind>,
}

/// One kind of thing.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The ways to have it.
    pub plans: Vec<Plan>,
}

/// One way to have it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its key, its own among those of its kind.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it costs for a month.
    pub price: Money,
    /// From when; none: from the import on.
    pub from: Option<Timestamp>,
}
