//! What is kept of a red case before its world goes: bounded in time and size, redacted, with an index.
//!
//! [`Collector`] is the edge that reads; what it reads also becomes the facts that [`crate::diagnose`] judges.

mod collect;
mod cut;
mod folder;
mod item;
mod limits;
mod mesh;
mod pods;
mod reads;
pub mod redact;
mod subject;
mod view;

pub use collect::{Collector, Gathered};
pub use folder::keep;
pub use item::Item;
pub use limits::Limits;
pub use subject::Subject;
