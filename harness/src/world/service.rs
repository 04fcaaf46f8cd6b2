//! Services of a case's own, over the shared pods.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde_json::{Map, Value, json};

use super::Ctx;
use crate::case::{Broken, Failure};
use crate::expect::{Expectation, direct_l4, passed, status};
use crate::stage::cast::{Backend, Sender, set_label};
use crate::stage::objects::ObjectRef;
use crate::stage::scenery::{Mesh, Place, WAYPOINT};
use crate::stage::status as judge;

/// The port of every Service.
const PORT: u16 = 80;

/// A Service of this case, and one more for each of its backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    whole: Subset,
    subsets: BTreeMap<Backend, Subset>,
    bound: bool,
}

/// A Service by itself: what a route may attach to or send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subset {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Service {
    /// The URL of `path` at this Service.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.whole.host())
    }

    /// The same pods, but only of one backend.
    ///
    /// # Panics
    /// When the Service was made without that backend: a mistake of the case.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a case that names a backend its Service lacks cannot be judged")]
    pub fn subset(&self, backend: Backend) -> &Subset {
        self.subsets.get(&backend).expect("the Service was made with this backend")
    }

    /// The Service as a whole.
    #[must_use]
    pub fn whole(&self) -> &Subset {
        &self.whole
    }

    /// The name by which logs and metrics know it.
    #[must_use]
    pub fn host(&self) -> String {
        self.whole.host()
    }
}

impl Subset {
    /// Its fully qualified name.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.{}.svc.cluster.local", self.name, self.namespace)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        PORT
    }

    /// Its short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn object(&self) -> ObjectRef {
        ObjectRef {
            api_version: "v1".into(),
            kind: "Service".into(),
            namespace: Some(self.namespace.clone()),
            name: self.name.clone(),
        }
    }

    fn manifest(&self, set: &[Backend], label: Label) -> Value {
        let mut labels = Map::new();
        match label {
            Label::Waypoint => drop(labels.insert("istio.io/use-waypoint".into(), WAYPOINT.into())),
            Label::OptOut => drop(labels.insert("istio.io/use-waypoint".into(), "none".into())),
            Label::Absent => {}
        }
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": {
                "selector": {set_label(set): "true"},
                "ports": [{"name": "http", "port": PORT, "targetPort": 8080, "appProtocol": "http"}],
            },
        })
    }
}

/// The `istio.io/use-waypoint` label of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Waypoint,
    OptOut,
    Absent,
}

impl Ctx {
    /// A Service over these backends, which uses the waypoint as the scope asks: at service-account scope when a backend
    /// runs under the account that the scope is for. Answers once it is bound and a first request went the right way.
    ///
    /// # Errors
    /// A Service that is not bound in time, or whose requests go another way.
    pub async fn service<const N: usize>(
        &self,
        name: &str,
        backends: [Backend; N],
    ) -> Result<Service, Failure> {
        let covered = backends.iter().any(|backend| backend.account() == "echo");
        let label = if covered && !self.whole_namespace_bound() { Label::Waypoint } else { Label::Absent };
        self.make(&self.place, name, &backends, label).await
    }

    /// A Service beside the others that does not use the waypoint: opted out, or without the label.
    ///
    /// # Errors
    /// As [`Ctx::service`].
    pub async fn service_outside<const N: usize>(
        &self,
        name: &str,
        backends: [Backend; N],
    ) -> Result<Service, Failure> {
        let label = if self.whole_namespace_bound() { Label::OptOut } else { Label::Absent };
        self.make(&self.place, name, &backends, label).await
    }

    /// A Service in a captured namespace that has no waypoint.
    ///
    /// # Errors
    /// As [`Ctx::service`].
    pub async fn service_without_waypoint<const N: usize>(
        &self,
        name: &str,
        backends: [Backend; N],
    ) -> Result<Service, Failure> {
        let place = self.stage.place_of(Mesh::Captured)?;
        self.make(place, name, &backends, Label::Absent).await
    }

    async fn make(
        &self,
        place: &Place,
        name: &str,
        backends: &[Backend],
        label: Label,
    ) -> Result<Service, Failure> {
        let service = self.lay_out(place, name, backends, label);
        let mut manifests = vec![service.whole.manifest(backends, label)];
        // Backends of a route need no waypoint of their own, so only what the case calls is behind it.
        let behind = if place.mesh == Mesh::NamespaceWaypoint { Label::OptOut } else { Label::Absent };
        let subsets = service.subsets.iter().filter(|(_, subset)| **subset != service.whole);
        manifests.extend(subsets.map(|(backend, subset)| subset.manifest(&[*backend], behind)));
        for manifest in &manifests {
            self.journal.applied(ObjectRef::of(manifest)?, manifest.clone());
        }
        try_join_all(manifests.iter().map(|manifest| self.stage.objects().apply(manifest))).await?;
        if service.bound {
            self.bound(&service).await?;
        }
        self.client(Sender::ClientA).get(service.url("/")).must(self.untouched(&service)).await?;
        self.journal.service(service.clone());
        Ok(service)
    }

    /// What a request to this Service gets when nothing was attached to it.
    pub(super) fn untouched(&self, service: &Service) -> Expectation {
        match service.bound {
            true => status(200).and(passed(&self.waypoint)),
            false => status(200).and(direct_l4()),
        }
    }

    fn lay_out(&self, place: &Place, name: &str, backends: &[Backend], label: Label) -> Service {
        let subset = |name: String| Subset { namespace: place.namespace.clone(), name };
        let whole = subset(self.named(name));
        let subsets = backends.iter().map(|backend| {
            let own = match backends.len() {
                1 => whole.clone(),
                _ => subset(format!("{}-{backend}", whole.name)),
            };
            (*backend, own)
        });
        let bound = match label {
            Label::Waypoint => true,
            Label::OptOut => false,
            Label::Absent => place.mesh == Mesh::NamespaceWaypoint,
        };
        Service { subsets: subsets.collect(), whole, bound }
    }

    async fn bound(&self, service: &Service) -> Result<(), Broken> {
        let object = service.whole.object();
        let waypoint = self.waypoint.to_string();
        let what = format!("{object} bound to waypoint {waypoint}");
        let look = || self.stage.objects().look(&object, |service| judge::bound(service, &waypoint));
        self.stage.converge().until(&what, look).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Subset {
        Subset { namespace: "wm-1-sa".into(), name: "shop-c1".into() }
    }

    #[test]
    fn a_labelled_service_over_two_versions() {
        insta::assert_yaml_snapshot!(shop().manifest(&[Backend::V2, Backend::V1], Label::Waypoint), @r#"
        apiVersion: v1
        kind: Service
        metadata:
          name: shop-c1
          namespace: wm-1-sa
          labels:
            istio.io/use-waypoint: waypoint
        spec:
          selector:
            waymark.set/v1-v2: "true"
          ports:
            - name: http
              port: 80
              targetPort: 8080
              appProtocol: http
        "#);
    }

    #[test]
    fn labels_differ_by_what_is_asked() {
        let labels = |label| shop().manifest(&[Backend::V1], label)["metadata"]["labels"].to_string();
        assert_eq!(labels(Label::OptOut), r#"{"istio.io/use-waypoint":"none"}"#);
        assert_eq!(labels(Label::Absent), "{}");
    }

    #[test]
    fn urls_name_the_service_in_full() {
        let service = Service { whole: shop(), subsets: BTreeMap::new(), bound: true };
        assert_eq!(service.url("/a"), "http://shop-c1.wm-1-sa.svc.cluster.local/a");
    }
}
