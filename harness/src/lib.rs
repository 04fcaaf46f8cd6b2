//! Targets, stage, world, probes, expectations, engine, command line.
#![forbid(unsafe_code)]

pub mod case;
pub mod cli;
pub mod converge;
pub mod diagnose;
pub mod engine;
pub mod evidence;
pub mod expect;
pub mod istio;
mod json;
pub mod local;
pub mod machine;
pub mod observe;
pub mod prelude;
pub mod printer;
pub mod probe;
pub mod run_dir;
pub mod stage;
pub mod target;
pub mod trials;
pub mod world;

use std::process::ExitCode;

/// Plays a hidden role when the process was started for one: a part of the embedded cluster or of its pods.
///
/// The first line of every `main` of this workspace, before any thread exists: `current_exe` plays all roles.
#[must_use]
pub fn role() -> Option<ExitCode> {
    let args: Vec<_> = std::env::args_os().collect();
    waymark_ambient::role(&args).or_else(|| waymark_echo::role(&args)).or_else(|| waymark_node::role(&args))
}
