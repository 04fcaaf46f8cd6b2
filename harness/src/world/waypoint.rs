//! The waypoint of a case that has a namespace of its own: deleted, changed, scaled, rolled and killed.

use serde_json::{Value, json};
use waymark_manifests::mesh::{GATEWAY_NAME, WAYPOINT_CLASS};
use waymark_manifests::{Gateway, Manifest};

use super::Ctx;
use super::binding::{object, unmet};
use crate::case::{Broken, Failure, Verdict};
use crate::converge::Look;
use crate::expect::WaypointId;
use crate::stage::cast::Part;
use crate::stage::objects::ObjectRef;
use crate::stage::{gateway_ref, status};

/// What istiod makes for a waypoint.
const MADE: [&str; 4] = ["Deployment", "Service", "ServiceAccount", "Pod"];

impl Ctx {
    /// Deletes the waypoint and waits until the API has forgotten its Gateway; its pods drain a while longer.
    ///
    /// # Errors
    /// A case without a namespace of its own; a Gateway that does not go.
    pub async fn delete_waypoint(&self) -> Verdict {
        self.own_only("delete its waypoint")?;
        self.stage.remove(&gateway_ref(&self.waypoint)).await?;
        Ok(())
    }

    /// Nothing that was made for the waypoint is left in the end: Deployment, Service, account, pods.
    ///
    /// # Errors
    /// What is left.
    pub async fn must_leave_nothing(&self) -> Verdict {
        self.decided([Part::Istiod]);
        let look = || async {
            let left = self.made_for(&self.waypoint).await?;
            Ok::<_, Broken>(if left.is_empty() { Look::Met(()) } else { Look::Unmet(left.join(", ")) })
        };
        match self.stage.converge().rollout("end of what was made for the waypoint", look).await {
            Ok(_) => Ok(()),
            Err(left) => Err(unmet("left behind: nothing".into(), format!("left behind: {}", left.seen()?))),
        }
    }

    /// Nothing is made for this waypoint within a window that follows from the pace of this run.
    ///
    /// # Errors
    /// What was made.
    pub async fn must_make_nothing(&self, waypoint: &WaypointId) -> Verdict {
        self.decided([Part::Istiod]);
        let look = || async {
            let made = self.made_for(waypoint).await?;
            Ok::<_, Broken>(if made.is_empty() { Look::Unmet("nothing".into()) } else { Look::Met(made) })
        };
        match self.stage.converge().must_never(&format!("objects for {waypoint}"), look).await {
            Ok(()) => Ok(()),
            Err(made) => {
                Err(unmet(format!("made for {waypoint}: nothing"), format!("made: {}", made.seen()?)))
            }
        }
    }

    /// Puts up one more waypoint in the case's namespace and does not wait for it.
    ///
    /// # Errors
    /// A Gateway that the API refuses.
    pub async fn add_waypoint(&self, gateway: Gateway) -> Result<WaypointId, Failure> {
        let manifest = self.localise(gateway.into())?;
        let object = ObjectRef::of(&manifest)?;
        self.journal.applied(object.clone(), manifest.clone());
        self.stage.objects().apply(&manifest).await?;
        Ok(WaypointId { namespace: self.place.namespace.clone(), name: object.name })
    }

    /// Makes the waypoint of the case what this Gateway says, whether it is there or not, and waits until it is programmed and
    /// its Deployment is as it should be.
    ///
    /// # Errors
    /// A case without a namespace of its own; a waypoint that is not ready in time, with the reason why not yet.
    pub async fn set_waypoint(&self, gateway: Gateway) -> Verdict {
        self.own_only("change its waypoint")?;
        let manifest = Manifest::from(gateway.named(&self.waypoint.name));
        let manifest = Value::from(manifest.in_namespace(&self.waypoint.namespace));
        self.decided([Part::Istiod]);
        let object = gateway_ref(&self.waypoint);
        self.journal.applied(object.clone(), manifest.clone());
        self.stage.objects().apply(&manifest).await?;
        // Pods may have to start first, which takes longer than a status usually does.
        let what = format!("{object} programmed");
        let look = || self.stage.objects().look(&object, status::gateway);
        self.stage.converge().rollout(&what, look).await.map_err(Broken::from)?;
        self.rolled_out().await
    }

    /// Scales the waypoint to so many pods and waits until so many are Ready; those that end may drain a while longer.
    ///
    /// # Errors
    /// A case without a namespace of its own; pods that are not Ready in time.
    pub async fn scale_waypoint(&self, replicas: u32) -> Verdict {
        self.own_only("scale its waypoint")?;
        self.patch_deployment(json!({"replicas": replicas})).await?;
        self.rolled_out().await
    }

    /// Kills the pods of the waypoint, without a time to drain, and waits until another is Ready.
    ///
    /// # Errors
    /// As [`Ctx::scale_waypoint`].
    pub async fn kill_waypoint(&self) -> Verdict {
        self.own_only("kill its waypoint")?;
        let old = self.stage.observer().waypoint_pods(&self.waypoint).await?;
        for pod in &old {
            self.stage.objects().kill(&object("Pod", &pod.namespace, &pod.name)).await?;
        }
        let look = || async {
            let pods = self.stage.observer().waypoint_pods(&self.waypoint).await?;
            let fresh = pods.iter().find(|pod| pod.ready && old.iter().all(|old| old.name != pod.name));
            Ok::<_, Broken>(match fresh {
                Some(_) => Look::Met(()),
                None => Look::Unmet(format!("pods: {pods:?}")),
            })
        };
        self.stage.converge().rollout("another pod of the waypoint", look).await.map_err(Broken::from)?;
        Ok(())
    }

    /// Waits until the waypoint has so many pods, those that end included.
    ///
    /// # Errors
    /// Pods that do not come, or do not go.
    pub async fn waypoint_pods_are(&self, number: usize) -> Verdict {
        let look = || async {
            let pods = self.stage.observer().waypoint_pods(&self.waypoint).await?;
            Ok::<_, Broken>(if pods.len() == number {
                Look::Met(())
            } else {
                Look::Unmet(format!("{} pods", pods.len()))
            })
        };
        let what = format!("{number} pods of the waypoint");
        self.stage.converge().rollout(&what, look).await.map_err(Broken::from)?;
        Ok(())
    }

    /// Takes the label that names a waypoint from the case's own namespace.
    ///
    /// # Errors
    /// A case without a namespace of its own.
    pub async fn unlabel_namespace(&self) -> Verdict {
        self.own_only("change its namespace")?;
        let mut home = self.place.home(self.stage.bill());
        if let Some(labels) = home["metadata"]["labels"].as_object_mut() {
            labels.remove("istio.io/use-waypoint");
        }
        self.stage.objects().apply(&home).await?;
        Ok(())
    }

    /// The class of waypoints is accepted; the waypoint's Gateway is accepted and programmed, as of its generation, and has the
    /// name of its Service among its addresses.
    ///
    /// # Errors
    /// What their status says instead.
    pub async fn must_report_ready(&self) -> Verdict {
        self.decided([Part::Istiod]);
        let class = ObjectRef { kind: "GatewayClass".into(), ..gateway_ref(&self.waypoint) };
        let class = ObjectRef { namespace: None, name: WAYPOINT_CLASS.into(), ..class };
        let host = format!("{}.{}.svc.cluster.local", self.waypoint.name, self.waypoint.namespace);
        let gateway = gateway_ref(&self.waypoint);
        self.must_be(&class, "accepted", |found| current(found, &["Accepted"])).await?;
        self.must_be(&gateway, "accepted, programmed, with its address", |found| {
            current(found, &["Accepted", "Programmed"])?;
            let addresses = found.pointer("/status/addresses").and_then(Value::as_array);
            let named = |address: &Value| address["type"] == "Hostname" && address["value"] == host.as_str();
            match addresses.is_some_and(|all| all.iter().any(named)) {
                true => Ok(()),
                false => Err(format!("{host} is not among its addresses: {addresses:?}")),
            }
        })
        .await
    }

    /// Everything that was made for the waypoint must come to carry this label.
    ///
    /// # Errors
    /// What does not carry it.
    pub async fn must_be_made_with(&self, key: &str, value: &str) -> Verdict {
        self.decided([Part::Istiod]);
        let look = || async {
            let mut bare = Vec::new();
            for kind in MADE {
                let like = object(kind, &self.waypoint.namespace, "");
                let labels = format!("{GATEWAY_NAME}={}", self.waypoint.name);
                let all = self.stage.objects().list(&like, &labels).await?;
                let carries = |it: &kube::api::DynamicObject| {
                    it.metadata.labels.iter().flatten().any(|(k, v)| k == key && v == value)
                };
                // The pods from before the change end without it.
                if all.is_empty() || !(all.iter().all(carries) || kind == "Pod" && all.iter().any(carries)) {
                    bare.push(kind);
                }
            }
            Ok::<_, Broken>(if bare.is_empty() { Look::Met(()) } else { Look::Unmet(bare.join(", ")) })
        };
        let what = format!("label {key}={value} on what is made for the waypoint");
        match self.stage.converge().rollout(&what, look).await {
            Ok(_) => Ok(()),
            Err(bare) => {
                Err(unmet(format!("without {key}={value}: none"), format!("without it: {}", bare.seen()?)))
            }
        }
    }

    pub(super) fn own_only(&self, what: &str) -> Result<(), Broken> {
        match self.own {
            true => Ok(()),
            false => Err(Broken::new(format!("only a case with a namespace of its own may {what}"))),
        }
    }

    async fn must_be(
        &self,
        object: &ObjectRef,
        what: &str,
        judge: impl Fn(&Value) -> Result<(), String>,
    ) -> Verdict {
        let waited = format!("{object} {what}");
        match self.stage.converge().until(&waited, || self.stage.objects().look(object, &judge)).await {
            Ok(_) => Ok(()),
            Err(missed) => Err(unmet(format!("{object}: {what}"), format!("{object}: {}", missed.seen()?))),
        }
    }

    async fn patch_deployment(&self, spec: Value) -> Result<(), Broken> {
        let patch = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": self.waypoint.name, "namespace": self.waypoint.namespace},
            "spec": spec,
        });
        self.stage.objects().apply(&patch).await?;
        Ok(())
    }

    /// The Deployment of the waypoint has the pods that it should have, all of its newest template.
    async fn rolled_out(&self) -> Verdict {
        let deployment = object("Deployment", &self.waypoint.namespace, &self.waypoint.name);
        let what = format!("{deployment} rolled out");
        let look = || self.stage.objects().look(&deployment, rolled);
        self.stage.converge().rollout(&what, look).await.map_err(Broken::from)?;
        Ok(())
    }

    async fn made_for(&self, waypoint: &WaypointId) -> Result<Vec<String>, Broken> {
        let labels = format!("{GATEWAY_NAME}={}", waypoint.name);
        let mut left = Vec::new();
        for kind in MADE {
            let all = self.stage.objects().list(&object(kind, &waypoint.namespace, ""), &labels).await?;
            left.extend(
                all.into_iter().filter_map(|it| it.metadata.name).map(|name| format!("{kind} {name}")),
            );
        }
        Ok(left)
    }
}

/// These conditions are true, each as of exactly this generation.
fn current(found: &Value, conditions: &[&str]) -> Result<(), String> {
    let all = found.pointer("/status/conditions").and_then(Value::as_array);
    let generation = &found["metadata"]["generation"];
    for kind in conditions {
        let one = all.into_iter().flatten().find(|one| one["type"] == *kind);
        let one = one.ok_or_else(|| format!("no condition {kind}"))?;
        if one["status"] != "True" || one["observedGeneration"] != *generation {
            return Err(format!("{kind} is {one}, of generation {generation}"));
        }
    }
    Ok(())
}

/// A Deployment has exactly its replicas, all Ready and of the newest template, as of its generation.
fn rolled(found: &Value) -> Result<(), String> {
    status::deployment(found)?;
    let number = |path: &str| found.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let want = found.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    match ["replicas", "readyReplicas", "updatedReplicas"].map(|field| number(&format!("/status/{field}"))) {
        all if all == [want; 3] => Ok(()),
        [all, ready, updated] => Err(format!(
            "{want} replicas wanted; {all} there, {ready} ready, {updated} of the newest template"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_of_exactly_this_generation() {
        let found = |observed: i64, status: &str| {
            let one = json!({"type": "Accepted", "status": status, "observedGeneration": observed});
            json!({"metadata": {"generation": 2}, "status": {"conditions": [one]}})
        };
        current(&found(2, "True"), &["Accepted"]).unwrap();
        current(&found(1, "True"), &["Accepted"]).unwrap_err();
        current(&found(2, "False"), &["Accepted"]).unwrap_err();
        assert_eq!(current(&found(2, "True"), &["Programmed"]).unwrap_err(), "no condition Programmed");
    }

    #[test]
    fn a_rollout_is_over_when_no_old_pod_is_left() {
        let found = |all: i64| {
            let status =
                json!({"availableReplicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "replicas": all});
            json!({"spec": {"replicas": 1}, "status": status})
        };
        rolled(&found(1)).unwrap();
        let why = rolled(&found(2)).unwrap_err();
        assert_eq!(why, "1 replicas wanted; 2 there, 1 ready, 1 of the newest template");
    }
}
