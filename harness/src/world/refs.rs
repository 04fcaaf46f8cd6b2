//! Handles as the manifest builders take them.

use waymark_manifests::http_route::Backends;
use waymark_manifests::{GatewayRef, ServiceRef, Target, WorkloadRef, backend};

use super::{Service, Subset};
use crate::expect::WaypointId;
use crate::probe::Client;

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

impl From<Client<'_>> for WorkloadRef {
    fn from(client: Client<'_>) -> Self {
        client.workload()
    }
}
