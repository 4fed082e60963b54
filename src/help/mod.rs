//! How to do things: pages to read, public, since whoever cannot sign in needs them most. Owns nothing.

pub mod pages;
pub mod views;
