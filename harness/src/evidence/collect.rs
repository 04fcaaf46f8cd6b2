//! The edge that gathers: everything at once, each item within its own share, the whole within its bounds.

use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use super::item::Content;
use super::mesh::{self, Mesh};
use super::pods::{Pods, Reader};
use super::reads::Reads;
use super::{Item, Limits, Subject};
use crate::diagnose::{Facts, Failing, Names};
use crate::observe::nack::Rejections;
use crate::stage::Stage;

const EXCHANGES: (&str, &str) = ("exchanges.json", "what was sent and what came back, oldest first");

/// Gathers the evidence of red cases of one run.
pub struct Collector {
    limits: Limits,
    turns: Semaphore,
    reads: Reads,
}

/// What was gathered of one case.
#[derive(Default)]
pub struct Gathered {
    /// The files, in the order of their listing.
    pub items: Vec<Item>,
    /// What rules may judge by.
    pub facts: Facts,
    /// When.
    pub at: Timestamp,
    /// How long it took, waiting for a turn included.
    pub took: Duration,
}

/// What has come so far, so that a cut in time loses only what is not there yet.
#[derive(Default)]
struct Slots {
    mesh: Mutex<Option<Mesh>>,
    pods: Mutex<Option<Pods>>,
    rejections: Mutex<Option<Result<Rejections, String>>>,
}

impl Collector {
    /// Gathers within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let turns = Semaphore::new(limits.at_once);
        Self { limits, turns, reads: Reads::default() }
    }

    /// Gathers what there is of one red case.
    pub async fn gather(&self, stage: &Stage, subject: &Subject, failure: Failing) -> Gathered {
        let began = Instant::now();
        let end = began + self.limits.time;
        let slots = Slots::default();
        let sending = self.exchanges(subject);
        let work = async {
            // Never closed.
            let _turn = self.turns.acquire().await;
            self.read(stage, subject, &slots).await;
        };
        let late = timeout_at(end, work).await.is_err();
        let mut gathered = self.sum_up(subject, failure, slots, late);
        gathered.items.insert(0, sent(sending.await));
        self.fit(&mut gathered.items);
        gathered.took = began.elapsed();
        gathered.at = Timestamp::now();
        gathered
    }

    /// What was sent and what came back, off the threads where others wait for their answers.
    fn exchanges(&self, subject: &Subject) -> JoinHandle<Item> {
        let (exchanges, dropped) = subject.exchanges.clone();
        let most = self.limits.exchanges;
        tokio::task::spawn_blocking(move || {
            let sent = json!({"dropped": dropped, "exchanges": exchanges});
            Item::json(EXCHANGES.0, EXCHANGES.1, sent, most)
        })
    }

    async fn read(&self, stage: &Stage, subject: &Subject, slots: &Slots) {
        let cluster = async {
            let mesh = mesh::read(stage, subject, &self.limits).await;
            let pods = mesh.objects.pods.clone().unwrap_or_default();
            put(&slots.mesh, mesh);
            let Self { limits, reads, .. } = self;
            let reader = Reader { observer: stage.observer(), reads, subject, limits };
            put(&slots.pods, reader.read(&pods).await);
        };
        let refused = async {
            let refused = match timeout(self.limits.item, stage.rejections()).await {
                Ok(read) => read.map_err(|why| why.chain()),
                Err(_) => Err(format!("no answer within {:?}", self.limits.item)),
            };
            put(&slots.rejections, refused);
        };
        tokio::join!(cluster, refused);
    }

    fn sum_up(&self, subject: &Subject, failure: Failing, slots: Slots, late: bool) -> Gathered {
        let mut items = Vec::new();
        let cut = |name: &str, about: &str| {
            Item::missing(name, about, format!("not there when {:?} were over", self.limits.time))
        };
        let mesh = take(&slots.mesh);
        let pods = take(&slots.pods);
        if late && mesh.is_none() {
            items.push(cut("objects.json", "what the API server holds"));
        }
        if late && pods.is_none() {
            items.push(cut("pods", "logs and configuration of proxies"));
        }
        let mesh = mesh.unwrap_or_default();
        let pods = pods.unwrap_or_default();
        items.extend(mesh.items);
        items.extend(pods.items);
        let about = "configuration that proxies refused in this run, in istiod's words";
        let refused = take(&slots.rejections);
        items.push(match &refused {
            Some(Ok(it)) => {
                let words = json!({"total": it.total, "words": it.words});
                Item::json("rejections.json", about, words, self.limits.rejections)
            }
            Some(Err(why)) => Item::missing("rejections.json", about, why.as_str()),
            None => cut("rejections.json", about),
        });
        let names = Names {
            id: subject.id.clone(),
            namespace: subject.namespace.clone(),
            waypoint: subject.waypoint.clone(),
            home: subject.home.clone(),
            opened: subject.opened,
        };
        let facts = Facts {
            failure,
            names,
            objects: mesh.objects,
            applied: mesh.applied,
            exchanges: subject.exchanges.0.clone(),
            waypoint_lines: pods.waypoint_lines,
            ztunnel_lines: pods.ztunnel_lines,
            ztunnel: pods.ztunnel,
            config: pods.config,
            rejections: refused.and_then(Result::ok),
            unreadable: mesh.unreadable,
            reads: mesh.reads,
        };
        Gathered { items, facts, at: Timestamp::now(), took: Duration::ZERO }
    }

    /// Drops the largest files until the rest keeps the bound. The shares fit by themselves; what cutting cannot
    /// shorten further does not have to.
    fn fit(&self, items: &mut [Item]) {
        let size = |item: &Item| item.content.as_ref().map_or(0, |it| it.bytes.len());
        while items.iter().map(size).sum::<usize>() > self.limits.bytes {
            let Some(largest) = items.iter_mut().max_by_key(|item| size(item)) else { return };
            if let Ok(Content { bytes, .. }) = &largest.content {
                largest.content = Err(format!("left out: {} bytes do not fit", bytes.len()));
            }
        }
    }
}

fn sent(built: Result<Item, tokio::task::JoinError>) -> Item {
    built.unwrap_or_else(|why| Item::missing(EXCHANGES.0, EXCHANGES.1, why.to_string()))
}

fn put<T>(slot: &Mutex<Option<T>>, value: T) {
    if let Ok(mut slot) = slot.lock() {
        *slot = Some(value);
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().ok()?.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_said() {
        let collector = Collector::new(Limits { bytes: 1000, ..Limits::default() });
        let text = "x".repeat(900);
        let mut items = vec![
            Item::log("a.log", "a", &text, 2000, |_| true),
            Item::log("b.log", "b", &text[..800], 2000, |_| true),
            Item::log("c.log", "c", "short", 2000, |_| true),
        ];
        collector.fit(&mut items);
        assert_eq!(items[0].content, Err("left out: 900 bytes do not fit".to_owned()));
        assert!(items[1].content.is_ok() && items[2].content.is_ok());
    }

    #[test]
    fn what_came_in_time_is_kept_and_the_rest_is_said() {
        let collector = Collector::new(Limits::default());
        let subject = Subject::named("a::b", "c7");
        let slots = Slots::default();
        put(&slots.rejections, Ok(Rejections::default()));
        let gathered = collector.sum_up(&subject, Failing::default(), slots, true);
        let missing: Vec<_> =
            gathered.items.iter().filter(|it| it.content.is_err()).map(|it| it.name.as_str()).collect();
        assert_eq!(missing, ["objects.json", "pods"]);
        assert_eq!(gathered.facts.rejections, Some(Rejections::default()));
        assert_eq!(gathered.facts.config, None);
    }
}
