//! The help.
pub mod pages;
pub mod views;
