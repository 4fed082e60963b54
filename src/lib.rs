#![doc = include_str!("../ARCHITECTURE.md")]

pub mod kit;

pub mod domain;

pub mod error;
pub mod routes;
pub mod scope;

pub mod audit;
pub mod outbox;

pub mod accounts;
pub mod invitations;
pub mod organisations;
pub mod passwords;
pub mod sessions;
pub mod setup;
