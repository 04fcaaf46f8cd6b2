//! Cleaning up is a step: what a case made goes away, and the behaviour from before must be back.

use futures::future::join_all;
use serde_json::Value;

use super::Ctx;
use crate::case::{Broken, Failure};
use crate::evidence::Subject;
use crate::stage::cast::Sender;
use crate::stage::objects::ObjectRef;

/// How cleaning up went.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// What did not go away or did not come back, each with its reason.
    pub problems: Vec<String>,
}

/// What must stand until the behaviour from before has been seen.
fn is_scenery(object: &ObjectRef) -> bool {
    matches!(object.kind.as_str(), "Service" | "Deployment")
}

impl Ctx {
    /// Deletes what the case made, and verifies that its Services behave as before unless it is red.
    pub async fn close(&self, red: bool) -> Cleaned {
        if self.is_kept() {
            return Cleaned::default();
        }
        let problems = if self.own { self.clear_own().await } else { self.clear_shared(red).await };
        Cleaned { problems: problems.iter().map(Broken::chain).collect() }
    }

    /// What is known of this case when its evidence is gathered.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            trial: self.trial.clone(),
            id: self.id.clone(),
            opened: self.opened,
            namespace: self.place.namespace.clone(),
            waypoint: self.waypoint.clone(),
            home: self.stage.home(Sender::ClientA).to_owned(),
            exchanges: self.exchanges(),
            objects: self.journal.objects(),
        }
    }

    async fn clear_own(&self) -> Vec<Broken> {
        let namespace = ObjectRef {
            api_version: "v1".into(),
            kind: "Namespace".into(),
            namespace: None,
            name: self.place.namespace.clone(),
        };
        let elsewhere: Vec<_> = self.journal.objects();
        let elsewhere: Vec<_> = elsewhere
            .into_iter()
            .filter(|(object, _)| object.namespace.as_ref() != Some(&self.place.namespace))
            .filter(|(object, _)| *object != namespace)
            .collect();
        let mut problems = self.remove_all(&elsewhere).await;
        // Ends in the background; the run waits for all of its namespaces when it strikes the stage.
        problems.extend(self.stage.objects().delete(&namespace).await.err());
        problems
    }

    async fn clear_shared(&self, red: bool) -> Vec<Broken> {
        let (services, rules): (Vec<_>, Vec<_>) =
            self.journal.objects().into_iter().partition(|(object, _)| is_scenery(object));
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
}
