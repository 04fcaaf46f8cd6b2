//! The `waymark` command.

use std::process::ExitCode;

use waymark_harness::cli;
use waymark_harness::local::Local;

fn main() -> ExitCode {
    waymark_harness::role().unwrap_or_else(|| cli::main(waymark::suites(), local()))
}

fn local() -> Local {
    let (file, text) = waymark::KNOWN;
    Local::new().knowing(file, text).citing(waymark::ROWS)
}
