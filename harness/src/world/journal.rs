//! What happened in a case so far: exchanges, objects and pace.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use waymark_reports::events::Figure;

use super::{Convergence, Service};
use crate::stage::cast::Part;
use crate::stage::objects::ObjectRef;

/// How many exchanges are kept as evidence.
const MOST_EXCHANGES: usize = 200;

/// Bounded memory of one case.
#[derive(Default)]
pub(super) struct Journal(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    exchanges: VecDeque<Value>,
    dropped: usize,
    convergence: Convergence,
    parts: BTreeSet<Part>,
    applied: Vec<(ObjectRef, Value)>,
    services: Vec<Service>,
    figures: Vec<Figure>,
    passed: BTreeMap<String, Passed>,
}

/// Requests to one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Those that a waypoint had its hand in.
    pub(super) sure: u32,
    /// Those that it may have had.
    pub(super) unsure: u32,
}

impl Journal {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn exchange(&self, exchange: Value) {
        let mut pages = self.pages();
        if pages.exchanges.len() == MOST_EXCHANGES {
            pages.exchanges.pop_front();
            pages.dropped += 1;
        }
        pages.exchanges.push_back(exchange);
    }

    pub(super) fn exchanges(&self) -> (Vec<Value>, usize) {
        let pages = self.pages();
        (pages.exchanges.iter().cloned().collect(), pages.dropped)
    }

    /// Counts a response that came from a host through the waypoint.
    pub(super) fn pass(&self, host: &str) {
        self.pages().passed.entry(host.to_owned()).or_default().sure += 1;
    }

    /// Counts an exchange with a host of which nobody knows whether the waypoint knew it as one with that host.
    pub(super) fn may_pass(&self, host: &str) {
        self.pages().passed.entry(host.to_owned()).or_default().unsure += 1;
    }

    /// How many there were.
    pub(super) fn passed(&self, host: &str) -> Passed {
        self.pages().passed.get(host).copied().unwrap_or_default()
    }

    pub(super) fn note(&self, attempts: u32, after: Duration) {
        let mut pages = self.pages();
        pages.convergence.attempts += attempts;
        pages.convergence.slowest = pages.convergence.slowest.max(after);
    }

    pub(super) fn convergence(&self) -> Convergence {
        self.pages().convergence
    }

    pub(super) fn decided(&self, parts: impl IntoIterator<Item = Part>) {
        self.pages().parts.extend(parts);
    }

    pub(super) fn parts(&self) -> BTreeSet<Part> {
        self.pages().parts.clone()
    }

    /// Before the object is applied, so that whatever happens it is deleted.
    pub(super) fn applied(&self, object: ObjectRef, manifest: Value) {
        let mut pages = self.pages();
        pages.applied.retain(|(known, _)| *known != object);
        pages.applied.push((object, manifest));
    }

    pub(super) fn deleted(&self, object: &ObjectRef) {
        self.pages().applied.retain(|(known, _)| known != object);
    }

    /// Newest first, the order of cleaning up.
    pub(super) fn objects(&self) -> Vec<(ObjectRef, Value)> {
        self.pages().applied.iter().rev().cloned().collect()
    }

    pub(super) fn service(&self, service: Service) {
        self.pages().services.push(service);
    }

    pub(super) fn services(&self) -> Vec<Service> {
        self.pages().services.clone()
    }

    /// A Service that need not be as before when the case ends.
    pub(super) fn changed(&self, service: &Service) {
        self.pages().services.retain(|known| known.whole() != service.whole());
    }

    /// The manifest that was applied last.
    pub(super) fn manifest(&self, object: &ObjectRef) -> Option<Value> {
        let pages = self.pages();
        pages.applied.iter().find(|(known, _)| known == object).map(|(_, manifest)| manifest.clone())
    }

    /// Adds to the figure of this name.
    pub(super) fn figure(&self, name: &str, count: u64, of: u64) {
        let mut pages = self.pages();
        match pages.figures.iter_mut().find(|known| known.name == name) {
            Some(known) => (known.count, known.of) = (known.count + count, known.of + of),
            None => pages.figures.push(Figure { name: name.to_owned(), count, of }),
        }
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        self.pages().figures.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> ObjectRef {
        let name = name.to_owned();
        ObjectRef { api_version: "v1".into(), kind: "Service".into(), namespace: None, name }
    }

    #[test]
    fn objects_are_deleted_newest_first_and_once() {
        let journal = Journal::default();
        for name in ["a", "b", "c", "b"] {
            journal.applied(object(name), Value::Null);
        }
        journal.deleted(&object("c"));
        let names: Vec<_> = journal.objects().into_iter().map(|(object, _)| object.name).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn exchanges_are_bounded_and_the_rest_is_counted() {
        let journal = Journal::default();
        (0..MOST_EXCHANGES + 3).for_each(|n| journal.exchange(n.into()));
        let (kept, dropped) = journal.exchanges();
        assert_eq!((kept.len(), dropped, &kept[0]), (MOST_EXCHANGES, 3, &Value::from(3)));
    }

    #[test]
    fn figures_of_one_name_add_up() {
        let journal = Journal::default();
        for (name, count) in [("failed", 2), ("late", 1), ("failed", 3)] {
            journal.figure(name, count, 10);
        }
        let words: Vec<_> = journal.figures().iter().map(Figure::words).collect();
        assert_eq!(words, ["failed: 5 of 20 (25.0 %)", "late: 1 of 10 (10.0 %)"]);
    }

    #[test]
    fn the_slowest_claim_counts() {
        let journal = Journal::default();
        journal.note(3, Duration::from_millis(70));
        journal.note(4, Duration::from_millis(20));
        assert_eq!(journal.convergence(), Convergence { slowest: Duration::from_millis(70), attempts: 7 });
    }
}
