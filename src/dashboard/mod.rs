//! The dashboard: what needs attention, numbers that can be acted on, and one's own recent activity. Owns no table.

pub mod pages;
pub mod views;
