//! An applied object that is there and not accepted, by its own status.

use serde_json::Value;
use waymark_reports::events::Confidence;

use super::super::object::{kind, name, namespace};
use super::super::{Applied, Facts, Finding};
use crate::stage::status::Judge;

/// What istiod says of an object that it accepted once, and has not looked at since: another cause.
pub(super) const OLD: &str = "older generation";

/// The first object of these kinds that `judge` refuses.
pub(super) fn refused(facts: &Facts, id: &'static str, kinds: &[&str], judge: Judge) -> Option<Finding> {
    let ours = facts.applied.iter().filter(|it| kinds.contains(&kind(&it.manifest)));
    let (found, why) = ours.filter_map(|applied| refusal(applied, judge)).next()?;
    let waits = facts.failure.reason.contains(name(found));
    let confidence = if waits { Confidence::High } else { Confidence::Medium };
    Some(
        Finding::new(id, confidence)
            .sign(format!("{} {}/{}: {why}", kind(found), namespace(found), name(found)))
            .name("kind", kind(found).to_lowercase())
            .name("object", name(found))
            .name("namespace", namespace(found)),
    )
}

fn refusal(applied: &Applied, judge: Judge) -> Option<(&Value, String)> {
    let found = applied.found.as_ref()?;
    let why = judge(found).err()?;
    (!why.contains(OLD)).then_some((found, why))
}
