//! Every case as a libtest-mimic trial.
fn main() {}
