//! Records, verdicts and renderers: events in, bytes out.
//!
//! A run is the list of its [`events`]; [`result::fold`] turns them into a [`result::RunResult`], also when the
//! run was aborted half-way, and [`text`] turns records into what a terminal shows.
#![forbid(unsafe_code)]

pub mod events;
pub mod journal;
pub mod result;
pub mod text;
pub mod verdict;
