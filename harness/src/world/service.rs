//! Services of a case's own, over the shared pods.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde_json::{Map, Value, json};
use waymark_manifests::ServiceRef;

use super::{App, Ctx};
use crate::case::{Broken, Failure, Scope};
use crate::expect::{Expectation, WaypointId, direct_l4, passed, status};
use crate::stage::cast::{Backend, Sender, set_label};
use crate::stage::objects::ObjectRef;
use crate::stage::port::Port;
use crate::stage::scenery::{Mesh, Place, WAYPOINT};
use crate::stage::status as judge;

/// A Service of this case, and one more for each of its backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    whole: Subset,
    subsets: BTreeMap<Backend, Subset>,
    /// The waypoint that it is bound to.
    waypoint: Option<WaypointId>,
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

    /// The same at another port.
    #[must_use]
    pub fn url_at(&self, port: Port, path: &str) -> String {
        format!("http://{}:{}{path}", self.whole.host(), port.number())
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

    /// The Service by this port, for routes that are not about [`Port::Http`].
    #[must_use]
    pub fn at(&self, port: Port) -> ServiceRef {
        self.whole.at(port)
    }

    /// The Service as a whole.
    #[must_use]
    pub fn whole(&self) -> &Subset {
        &self.whole
    }

    /// The identity of its pods of one backend, as certificates and logs spell it.
    #[must_use]
    pub fn identity(&self, backend: Backend) -> String {
        format!("spiffe://cluster.local/ns/{}/sa/{}", self.whole.namespace, backend.account())
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
        Port::Http.number()
    }

    /// The same by this port.
    #[must_use]
    pub fn at(&self, port: Port) -> ServiceRef {
        ServiceRef::new(self.name.clone(), self.namespace.clone(), port.number())
    }

    /// Its short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn object(&self) -> ObjectRef {
        ObjectRef {
            api_version: "v1".into(),
            kind: "Service".into(),
            namespace: Some(self.namespace.clone()),
            name: self.name.clone(),
        }
    }

    fn manifest(&self, set: &[Backend], ports: &[Port], label: Label) -> Value {
        self.manifest_over((&set_label(set), "true"), ports, label)
    }

    fn manifest_over(&self, (key, value): (&str, &str), ports: &[Port], label: Label) -> Value {
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
                "selector": {key: value},
                "ports": ports.iter().map(|port| port.entry()).collect::<Vec<_>>(),
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
        self.service_with(name, backends, []).await
    }

    /// The same with these ports beside [`Port::Http`].
    ///
    /// # Errors
    /// As [`Ctx::service`].
    pub async fn service_with<const N: usize, const P: usize>(
        &self,
        name: &str,
        backends: [Backend; N],
        ports: [Port; P],
    ) -> Result<Service, Failure> {
        let covered = backends.iter().any(|backend| backend.account() == "echo");
        let labelled = covered && self.place.mesh == Mesh::LabelledWaypoint;
        let label = if labelled { Label::Waypoint } else { Label::Absent };
        self.make(&self.place, name, &backends, &ports, label).await
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
        self.make(&self.place, name, &backends, &[], label).await
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
        self.make(place, name, &backends, &[], Label::Absent).await
    }

    /// A Service beside the waypoint of the other scope, which uses that one.
    ///
    /// # Errors
    /// As [`Ctx::service`].
    pub async fn service_at_other_scope<const N: usize>(
        &self,
        name: &str,
        backends: [Backend; N],
    ) -> Result<Service, Failure> {
        let (mesh, label) = match self.scope {
            Scope::ServiceAccount => (Mesh::NamespaceWaypoint, Label::Absent),
            Scope::Namespace | Scope::Mesh => (Mesh::LabelledWaypoint, Label::Waypoint),
        };
        self.make(self.stage.place_of(mesh)?, name, &backends, &[], label).await
    }

    /// A Service over a pod of the case's own, with the ports [`Port::Http`] and [`Port::Alt`], which uses the waypoint of
    /// the case's place if there is one.
    ///
    /// # Errors
    /// As [`Ctx::service`].
    pub async fn service_over(&self, name: &str, app: &App) -> Result<Service, Failure> {
        let label = if self.place.mesh == Mesh::LabelledWaypoint { Label::Waypoint } else { Label::Absent };
        let service = self.lay_out(&self.place, name, &[], label);
        let ports = [Port::Http, Port::Alt];
        self.put_up(service.clone(), vec![service.whole.manifest_over(app.label(), &ports, label)]).await
    }

    async fn make(
        &self,
        place: &Place,
        name: &str,
        backends: &[Backend],
        more: &[Port],
        label: Label,
    ) -> Result<Service, Failure> {
        let service = self.lay_out(place, name, backends, label);
        let ports = [&[Port::Http], more].concat();
        let mut manifests = vec![service.whole.manifest(backends, &ports, label)];
        // Backends of a route need no waypoint of their own, so only what the case calls is behind it.
        let behind = if place.mesh == Mesh::NamespaceWaypoint { Label::OptOut } else { Label::Absent };
        let subsets = service.subsets.iter().filter(|(_, subset)| **subset != service.whole);
        manifests.extend(subsets.map(|(backend, subset)| subset.manifest(&[*backend], &ports, behind)));
        self.put_up(service, manifests).await
    }

    async fn put_up(&self, service: Service, manifests: Vec<Value>) -> Result<Service, Failure> {
        for manifest in &manifests {
            self.journal.applied(ObjectRef::of(manifest)?, manifest.clone());
        }
        try_join_all(manifests.iter().map(|manifest| self.stage.objects().apply(manifest))).await?;
        if let Some(waypoint) = &service.waypoint {
            self.bound(&service, waypoint).await?;
        }
        self.client(Sender::ClientA).get(service.url("/")).must(self.untouched(&service)).await?;
        self.journal.service(service.clone());
        Ok(service)
    }

    /// What a request to this Service gets when nothing was attached to it: 200, by the way that the Service was made for.
    #[must_use]
    pub fn untouched(&self, service: &Service) -> Expectation {
        match &service.waypoint {
            Some(waypoint) => status(200).and(passed(waypoint)),
            None => status(200).and(direct_l4()),
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
        let waypoint = place.waypoint().filter(|_| bound);
        Service { subsets: subsets.collect(), whole, waypoint }
    }

    async fn bound(&self, service: &Service, waypoint: &WaypointId) -> Result<(), Broken> {
        let object = service.whole.object();
        let waypoint = waypoint.to_string();
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
        insta::assert_yaml_snapshot!(shop().manifest(&[Backend::V2, Backend::V1], &[Port::Http], Label::Waypoint), @r#"
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
        let labels =
            |label| shop().manifest(&[Backend::V1], &[Port::Http], label)["metadata"]["labels"].to_string();
        assert_eq!(labels(Label::OptOut), r#"{"istio.io/use-waypoint":"none"}"#);
        assert_eq!(labels(Label::Absent), "{}");
    }

    #[test]
    fn urls_name_the_service_in_full() {
        let service = Service { whole: shop(), subsets: BTreeMap::new(), waypoint: None };
        assert_eq!(service.url("/a"), "http://shop-c1.wm-1-sa.svc.cluster.local/a");
        assert_eq!(service.url_at(Port::Alt, "/a"), "http://shop-c1.wm-1-sa.svc.cluster.local:81/a");
    }
}
