//! The integration tests, one binary.
//! `cfg(test)` is always on here; written out, it tells Clippy that helpers are tests too.

#[cfg(test)]
mod gate;
