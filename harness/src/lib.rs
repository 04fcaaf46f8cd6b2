//! Targets, stage, world, probes, expectations, engine, command line.
#![forbid(unsafe_code)]
