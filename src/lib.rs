#![doc = include_str!("../ARCHITECTURE.md")]

pub mod kit;

pub mod domain;

pub mod error;
pub mod routes;
pub mod scope;
