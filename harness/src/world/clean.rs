//! Cleaning up is a step: what a case made goes away, and the behaviour from before must be back.

use futures::future::join_all;
use serde_json::{Value, json};

use super::Ctx;
use crate::case::{Broken, Failure};
use crate::observe::PodHere;
use crate::stage::cast::Sender;
use crate::stage::objects::ObjectRef;

/// Lines of the waypoint's log that are kept as evidence.
const TAIL: u32 = 200;

/// Bytes of the waypoint's listeners that are kept as evidence.
const MOST_LISTENERS: usize = 4 << 20;

/// How cleaning up went.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// What did not go away or did not come back, each with its reason.
    pub problems: Vec<String>,
    /// For a red case: name of a file and its content.
    pub evidence: Vec<(String, Vec<u8>)>,
}

impl Ctx {
    /// Gathers evidence if the case is red, deletes what it made, and verifies that its Services behave as before.
    pub async fn close(&self, red: bool) -> Cleaned {
        let mut cleaned = Cleaned::default();
        if red {
            cleaned.evidence = self.evidence().await;
        }
        let problems = if self.own { self.clear_own().await } else { self.clear_shared(red).await };
        cleaned.problems = problems.iter().map(Broken::chain).collect();
        cleaned
    }

    async fn clear_own(&self) -> Vec<Broken> {
        let namespace = ObjectRef {
            api_version: "v1".into(),
            kind: "Namespace".into(),
            namespace: None,
            name: self.place.namespace.clone(),
        };
        // Ends in the background; the run waits for all of its namespaces when it strikes the stage.
        self.stage.objects().delete(&namespace).await.err().into_iter().collect()
    }

    async fn clear_shared(&self, red: bool) -> Vec<Broken> {
        let (services, rules): (Vec<_>, Vec<_>) =
            self.journal.objects().into_iter().partition(|(object, _)| object.kind == "Service");
        let mut problems = self.remove_all(&rules).await;
        // A red case has said already that something is wrong; its Services need not prove it again.
        if !red && !rules.is_empty() {
            problems.extend(self.back_as_before().await);
        }
        problems.extend(self.remove_all(&services).await);
        problems
    }

    async fn remove_all(&self, objects: &[(ObjectRef, Value)]) -> Vec<Broken> {
        let gone = join_all(objects.iter().map(|(object, _)| self.stage.remove(object))).await;
        gone.into_iter().filter_map(Result::err).collect()
    }

    async fn back_as_before(&self) -> Vec<Broken> {
        let services = self.journal.services();
        let probes = services.iter().map(|service| async {
            let probe = self.client(Sender::ClientA).get(service.url("/"));
            match probe.must(self.untouched(service)).await {
                Ok(()) => None,
                Err(Failure::Broken(broken)) => Some(broken),
                Err(Failure::Unmet(unmet)) => Some(Broken::with(
                    format!("{} is not as before after its rules were deleted", service.host()),
                    unmet,
                )),
            }
        });
        join_all(probes).await.into_iter().flatten().collect()
    }

    /// Bounded: the last exchanges, the applied objects with their status, the waypoint's last lines and
    /// listeners, refusals.
    async fn evidence(&self) -> Vec<(String, Vec<u8>)> {
        let (exchanges, dropped) = self.exchanges();
        let mut files = vec![pretty("exchanges.json", &json!({"dropped": dropped, "exchanges": exchanges}))];
        let objects = self.journal.objects();
        let objects = join_all(objects.iter().map(|(object, applied)| async move {
            match self.stage.objects().get(object).await {
                Ok(Some(found)) => json!({"applied": applied, "found": found}),
                Ok(None) => json!({"applied": applied, "found": null}),
                Err(why) => json!({"applied": applied, "unreadable": why.chain()}),
            }
        }))
        .await;
        files.push(pretty("objects.json", &Value::Array(objects)));
        let pods = self.stage.observer().waypoint_pods(&self.waypoint).await.unwrap_or_default();
        files.extend(join_all(pods.iter().map(|pod| self.waypoint_tail(pod))).await);
        files.extend(join_all(pods.iter().map(|pod| self.waypoint_listeners(pod))).await);
        if let Ok(rejections) = self.stage.rejections().await {
            let words = json!({"total": rejections.total, "words": rejections.words});
            files.push(pretty("rejections.json", &words));
        }
        files
    }

    async fn waypoint_listeners(&self, pod: &PodHere) -> (String, Vec<u8>) {
        let listeners = self.stage.observer().waypoint_listeners(pod).await;
        let mut listeners = listeners.unwrap_or_else(|why| why.chain()).into_bytes();
        listeners.truncate(MOST_LISTENERS);
        (format!("waypoint-{}-listeners.json", pod.name), listeners)
    }

    async fn waypoint_tail(&self, pod: &PodHere) -> (String, Vec<u8>) {
        let tail = self.stage.observer().tail(pod, "istio-proxy", TAIL).await;
        (format!("waypoint-{}.log", pod.name), tail.unwrap_or_else(|why| why.chain()).into_bytes())
    }
}

fn pretty(name: &str, value: &Value) -> (String, Vec<u8>) {
    (name.to_owned(), serde_json::to_vec_pretty(value).unwrap_or_default())
}
