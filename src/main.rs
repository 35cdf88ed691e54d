//! The `stsctl` binary: hands the process's arguments to the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    stsctl::cli::main(std::env::args_os())
}
