//! The Mail pages.
