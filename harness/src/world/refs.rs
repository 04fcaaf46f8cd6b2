//! Handles as the manifest builders take them.

use waymark_manifests::http_route::Backends;
use waymark_manifests::{GatewayRef, ServiceRef, Target, WorkloadRef, backend, destination_rule, subset};

use super::{Ctx, Service, Subset};
use crate::expect::WaypointId;
use crate::probe::Client;
use crate::stage::cast::Backend;

impl From<&Subset> for ServiceRef {
    fn from(subset: &Subset) -> Self {
        Self::new(subset.name.clone(), subset.namespace.clone(), subset.port())
    }
}

impl From<&Service> for ServiceRef {
    fn from(service: &Service) -> Self {
        service.whole().into()
    }
}

impl From<&Subset> for Backends {
    fn from(subset: &Subset) -> Self {
        backend(subset).into()
    }
}

impl From<&Service> for Backends {
    fn from(service: &Service) -> Self {
        backend(service).into()
    }
}

impl From<&Subset> for Target {
    fn from(subset: &Subset) -> Self {
        Self::Service(subset.into())
    }
}

impl From<&Service> for Target {
    fn from(service: &Service) -> Self {
        Self::Service(service.into())
    }
}

impl From<Backend> for destination_rule::Subset {
    fn from(backend: Backend) -> Self {
        subset(backend.word()).labelled([("waymark.app", &backend.deployment())])
    }
}

impl From<&WaypointId> for GatewayRef {
    fn from(waypoint: &WaypointId) -> Self {
        Self::new(waypoint.name.clone(), waypoint.namespace.clone())
    }
}

impl From<&WaypointId> for Target {
    fn from(waypoint: &WaypointId) -> Self {
        Self::Gateway(waypoint.into())
    }
}

impl From<&WaypointId> for WorkloadRef {
    /// The pods of a waypoint run under an account of the Gateway's name.
    fn from(waypoint: &WaypointId) -> Self {
        let labels = [("gateway.networking.k8s.io/gateway-name", waypoint.name.as_str())];
        Self::new(waypoint.namespace.as_str(), waypoint.name.as_str(), labels)
    }
}

impl Ctx {
    /// A Gateway of this case's namespace that does not exist.
    #[must_use]
    pub fn no_gateway(&self) -> GatewayRef {
        GatewayRef::new(self.named("nowhere"), &self.place.namespace)
    }
}

impl From<Client<'_>> for WorkloadRef {
    fn from(client: Client<'_>) -> Self {
        client.workload()
    }
}
