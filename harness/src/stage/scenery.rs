//! The objects of the stage, as pure functions of a run: namespaces, accounts, apps and waypoints.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use waymark_echo::api::DEFAULT_CONTROL_PORT;

use super::cast::{Backend, Sender, set_labels};
use crate::expect::WaypointId;

/// The image reference of the app unless the target names another.
pub const APP_IMAGE: &str = "localhost/waymark/echo:dev";
/// The label that every namespace of a run carries.
pub const RUN_LABEL: &str = "waymark.run";
/// When a namespace may be swept, as seconds of Unix time.
pub const EXPIRY_LABEL: &str = "waymark.expires";
/// The name of the waypoint of every namespace that has one.
pub const WAYPOINT: &str = "waypoint";

/// What all objects of a run have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playbill {
    /// Short id of the run: lower-case letters and digits.
    pub run: String,
    /// When its namespaces may be swept, as seconds of Unix time.
    pub expires: u64,
    /// Image reference of the app.
    pub image: String,
}

/// How a namespace takes part in the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mesh {
    /// Not at all.
    Out,
    /// Captured, no waypoint.
    Captured,
    /// Captured, with a waypoint that everything in the namespace uses.
    NamespaceWaypoint,
    /// Captured, with a waypoint that only labelled Services use.
    LabelledWaypoint,
}

impl Mesh {
    /// Whether a waypoint stands in the namespace.
    #[must_use]
    pub fn has_waypoint(self) -> bool {
        matches!(self, Self::NamespaceWaypoint | Self::LabelledWaypoint)
    }
}

/// One namespace and who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The namespace.
    pub namespace: String,
    /// Its part in the mesh.
    pub mesh: Mesh,
    /// The apps that answer there.
    pub backends: Vec<Backend>,
    /// The apps that send from there.
    pub senders: Vec<Sender>,
}

/// The shared places of a run.
#[must_use]
pub fn places(run: &str) -> Vec<Place> {
    let place = |word: &str, mesh, backends: &[Backend], senders: &[Sender]| Place {
        namespace: format!("wm-{run}-{word}"),
        mesh,
        backends: backends.to_vec(),
        senders: senders.to_vec(),
    };
    vec![
        place("ns", Mesh::NamespaceWaypoint, &Backend::ALL, &[Sender::Neighbour]),
        place("sa", Mesh::LabelledWaypoint, &Backend::ALL, &[]),
        place("l4", Mesh::Captured, &[Backend::V1, Backend::V2], &[]),
        place("client", Mesh::Captured, &[], &[Sender::ClientA, Sender::ClientB]),
        place("out", Mesh::Out, &[Backend::V1], &[Sender::Outsider]),
    ]
}

impl Place {
    /// The waypoint of this place, if it has one.
    #[must_use]
    pub fn waypoint(&self) -> Option<WaypointId> {
        self.mesh
            .has_waypoint()
            .then(|| WaypointId { namespace: self.namespace.clone(), name: WAYPOINT.to_owned() })
    }

    /// The namespace itself, which must be there before the rest.
    #[must_use]
    pub fn home(&self, bill: &Playbill) -> Value {
        let mut labels = Map::new();
        labels.insert(RUN_LABEL.into(), bill.run.clone().into());
        labels.insert(EXPIRY_LABEL.into(), bill.expires.to_string().into());
        if self.mesh != Mesh::Out {
            labels.insert("istio.io/dataplane-mode".into(), "ambient".into());
        }
        if self.mesh == Mesh::NamespaceWaypoint {
            labels.insert("istio.io/use-waypoint".into(), WAYPOINT.into());
        }
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": labels},
        })
    }

    /// Service accounts, Deployments and waypoint.
    #[must_use]
    pub fn objects(&self, bill: &Playbill) -> Vec<Value> {
        let mut objects = Vec::new();
        let mut accounts: Vec<&str> = self.backends.iter().map(|it| it.account()).collect();
        accounts.extend(self.pure_senders().map(Sender::account));
        accounts.dedup();
        objects.extend(accounts.into_iter().map(|name| self.account(name)));
        if self.mesh.has_waypoint() {
            objects.push(self.gateway());
        }
        objects.extend(self.backends.iter().map(|backend| self.backend(*backend, bill)));
        objects.extend(self.pure_senders().map(|sender| self.sender(sender, bill)));
        objects
    }

    /// A Deployment of one case's own, which no Service of another case selects, and its account.
    #[must_use]
    pub fn extra(&self, backend: Backend, name: &str, bill: &Playbill) -> [Value; 2] {
        let mut labels = Map::new();
        labels.insert("app".into(), backend.account().into());
        labels.insert("version".into(), backend.version().into());
        let account = self.account(backend.account());
        [account, self.deployment(name, backend.account(), backend.version(), labels, bill)]
    }

    /// Those that are not backends as well.
    fn pure_senders(&self) -> impl Iterator<Item = Sender> {
        self.senders.iter().copied().filter(|sender| sender.backend().is_none())
    }

    fn account(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": self.namespace},
        })
    }

    /// The names of its Deployments.
    pub fn deployments(&self) -> impl Iterator<Item = String> {
        let senders = self.pure_senders().map(Sender::deployment);
        self.backends.iter().map(|backend| backend.deployment()).chain(senders)
    }

    fn gateway(&self) -> Value {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {
                "name": WAYPOINT, "namespace": self.namespace,
                "labels": {"istio.io/waypoint-for": "service"},
            },
            "spec": {
                "gatewayClassName": "istio-waypoint",
                "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
            },
        })
    }

    fn backend(&self, backend: Backend, bill: &Playbill) -> Value {
        let mut labels = Map::new();
        labels.insert("app".into(), backend.account().into());
        labels.insert("version".into(), backend.version().into());
        labels.extend(set_labels(backend).map(|label| (label, "true".into())));
        self.deployment(&backend.deployment(), backend.account(), backend.version(), labels, bill)
    }

    fn sender(&self, sender: Sender, bill: &Playbill) -> Value {
        let mut labels = Map::new();
        labels.insert("app".into(), sender.word().into());
        self.deployment(sender.word(), sender.word(), "v1", labels, bill)
    }

    pub(super) fn deployment(
        &self,
        name: &str,
        account: &str,
        version: &str,
        mut labels: Map<String, Value>,
        bill: &Playbill,
    ) -> Value {
        labels.insert("waymark.app".into(), name.into());
        let own =
            |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"waymark.app": name}},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "serviceAccountName": account,
                        "terminationGracePeriodSeconds": 2,
                        "containers": [{
                            "name": "app",
                            "image": bill.image,
                            "imagePullPolicy": "IfNotPresent",
                            "args": ["echo"],
                            "env": [
                                own("POD_NAME", "metadata.name"),
                                own("POD_NAMESPACE", "metadata.namespace"),
                                own("NODE_NAME", "spec.nodeName"),
                                own("SERVICE_ACCOUNT", "spec.serviceAccountName"),
                                {"name": "VERSION", "value": version},
                            ],
                            "ports": [
                                {"name": "http", "containerPort": 8080},
                                {"name": "control", "containerPort": DEFAULT_CONTROL_PORT},
                            ],
                            "readinessProbe": {
                                "httpGet": {"path": "/healthz/ready", "port": 8080},
                                "periodSeconds": 1,
                            },
                        }],
                    },
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill() -> Playbill {
        Playbill { run: "k3x9".into(), expires: 1_800_000_000, image: APP_IMAGE.into() }
    }

    #[test]
    fn only_one_namespace_is_bound_as_a_whole() {
        let homes: Vec<_> = places("k3x9").iter().map(|place| place.home(&bill())).collect();
        let lines = homes.iter().map(|home| home["metadata"].to_string()).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn a_place_in_full() {
        let places = places("k3x9");
        insta::assert_yaml_snapshot!(places[3].objects(&bill()));
        insta::assert_yaml_snapshot!(places[1].gateway());
    }

    #[test]
    fn waypoints_stand_where_the_scopes_are() {
        let with: Vec<_> =
            places("k3x9").iter().filter_map(Place::waypoint).map(|it| it.to_string()).collect();
        assert_eq!(with, ["wm-k3x9-ns/waypoint", "wm-k3x9-sa/waypoint"]);
    }

    #[test]
    fn pods_carry_their_set_labels() {
        let places = places("k3x9");
        let other = places[0].backend(Backend::Other, &bill());
        let labels = &other["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels["waymark.set/v1-other"], "true");
        assert!(labels.get("waymark.set/v1-v2").is_none());
        assert_eq!(other["spec"]["template"]["spec"]["serviceAccountName"], "other");
    }

    #[test]
    fn an_extra_pod_is_in_no_set() {
        let places = places("k3x9");
        let [account, deployment] = places[0].extra(Backend::Other, "other-c1", &bill());
        assert_eq!(account["metadata"]["name"], "other");
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels.to_string(), r#"{"app":"other","version":"v1","waymark.app":"other-c1"}"#);
    }

    #[test]
    fn a_sender_that_is_a_backend_has_no_deployment_of_its_own() {
        let places = places("k3x9");
        let all: Vec<_> = places[0].deployments().collect();
        assert_eq!(all, ["echo-v1", "echo-v2", "echo-v3", "other"]);
        assert_eq!(
            (Sender::Neighbour.deployment().as_str(), Sender::Neighbour.account()),
            ("echo-v1", "echo")
        );
    }
}
