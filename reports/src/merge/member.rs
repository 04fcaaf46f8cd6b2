//! One of the runs that are merged.

use crate::events::{CaseFinished, Entry, Event, Outcome, Part, PlannedCase, RunFinished, RunStarted};

/// A run, as far as merging needs to look into it.
pub(super) struct Member<'a> {
    pub(super) id: &'a str,
    pub(super) began: jiff::Timestamp,
    pub(super) ended: jiff::Timestamp,
    pub(super) started: &'a RunStarted,
    pub(super) planned: &'a [PlannedCase],
    pub(super) parts: &'a [Part],
    pub(super) entries: &'a [Entry],
    end: Option<&'a RunFinished>,
}

impl<'a> Member<'a> {
    /// None when the events do not say which run it is.
    pub(super) fn of(entries: &'a [Entry]) -> Option<Self> {
        let (id, began, started) = entries.iter().find_map(|entry| match &entry.event {
            Event::RunStarted(started) => Some((entry.run.as_str(), entry.ts, &**started)),
            _ => None,
        })?;
        let ended = entries.iter().map(|entry| entry.ts).max().unwrap_or(began);
        let mut member = Self { id, began, ended, started, planned: &[], parts: &[], entries, end: None };
        for entry in entries {
            match &entry.event {
                Event::Plan(plan) => member.planned = &plan.cases,
                Event::Parts(parts) => member.parts = &parts.parts,
                Event::RunFinished(end) => member.end = Some(end),
                _ => {}
            }
        }
        Some(member)
    }

    pub(super) fn verdicts(&self) -> impl Iterator<Item = &'a CaseFinished> + use<'a> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::CaseFinished(end) => Some(&**end),
            _ => None,
        })
    }

    /// Why it did not complete; none when it did.
    pub(super) fn unfinished(&self) -> Option<&'a str> {
        match self.end {
            None => Some("the run was aborted"),
            Some(end) if end.outcome == Outcome::Completed => None,
            Some(end) => Some(end.reason.as_deref().unwrap_or("the run was interrupted")),
        }
    }
}
