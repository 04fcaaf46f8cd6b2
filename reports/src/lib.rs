//! Records, verdicts and renderers: events in, bytes out.
//!
//! A run is the list of its [`events`]; [`result::fold`] turns them into a [`result::RunResult`], also when the
//! run was aborted half-way, and [`text`] turns records into what a terminal shows.
#![forbid(unsafe_code)]

mod caveat;
pub mod conformance;
pub mod diff;
pub mod events;
pub mod gate;
pub mod gather;
pub mod github;
pub mod history;
pub mod html;
pub mod journal;
pub mod junit;
pub mod markdown;
pub mod matrix;
pub mod merge;
pub mod openmetrics;
mod pairs;
pub mod plain;
mod record;
pub mod result;
pub mod schema;
pub mod text;
pub mod verdict;
