//! The command: parse it, run it, print the error, exit code.
fn main() {}
