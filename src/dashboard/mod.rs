//! The dashboard: what needs attention, numbers that can be acted on, and sign-ins and recent activity: the
//! organisation's for those who may know of others, their own for everybody else. Owns no table.

pub mod pages;
pub mod views;
