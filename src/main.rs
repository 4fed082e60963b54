//! The command: parse it, run it, print the error, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorward::cli::main()
}
