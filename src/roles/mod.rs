//! The four roles: what each may do, and who has it. Drawn from `domain::role`; no table of its own, and nothing to
//! change: the roles are built in.

pub mod pages;
pub mod views;
