//! Every case as a libtest-mimic trial.

use std::process::ExitCode;

use waymark_harness::local::Local;
use waymark_harness::trials;

fn main() -> ExitCode {
    waymark_harness::role().unwrap_or_else(|| trials::main(waymark::suites(), local()))
}

fn local() -> Local {
    let (file, text) = waymark::KNOWN;
    Local::new().knowing(file, text)
}
