//! What happened in a case so far: exchanges, objects and pace.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

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
    fn the_slowest_claim_counts() {
        let journal = Journal::default();
        journal.note(3, Duration::from_millis(70));
        journal.note(4, Duration::from_millis(20));
        assert_eq!(journal.convergence(), Convergence { slowest: Duration::from_millis(70), attempts: 7 });
    }
}
