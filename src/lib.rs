//! Doorward.
pub mod kit;
