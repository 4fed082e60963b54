//! The roles.
pub mod pages;
pub mod views;
