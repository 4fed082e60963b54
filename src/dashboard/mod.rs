//! The dashboard.
pub mod pages;
pub mod views;
