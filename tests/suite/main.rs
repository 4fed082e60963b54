//! The integration tests, one binary.

#[cfg(test)]
mod relay;
#[cfg(test)]
mod smtp;
