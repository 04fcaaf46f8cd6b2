//! The edge that reads pods' logs and metrics through the Kubernetes API.

use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, Client};

use super::access_log::AccessLine;
use super::metrics::Metrics;
use super::nack::{self, Rejections};
use super::tail::Tails;
use super::ztunnel::ConnectionLine;
use crate::case::Broken;
use crate::expect::WaypointId;
use crate::stage::forward;

/// Where Istio itself lives.
const SYSTEM: &str = "istio-system";
/// The container of a proxy, in waypoints and ztunnels.
const PROXY: &str = "istio-proxy";
/// Metrics of a proxy: only those in use, and of some name. All of them are thousands of lines.
const PROXY_METRICS: (u16, &str) = (15090, "/stats/prometheus?usedonly&filter=");
/// The admin port of Envoy and of ztunnel, on loopback.
const ADMIN: u16 = 15000;
/// Metrics of a ztunnel.
const ZTUNNEL_METRICS: (u16, &str) = (15020, "/metrics");
/// Metrics of istiod.
const ISTIOD_METRICS: (u16, &str) = (15014, "/metrics");

/// A running pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodHere {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it is Ready and not about to end.
    pub ready: bool,
    /// Whether ambient's node agent has enrolled it.
    pub enrolled: bool,
}

/// Reads what a mesh says about itself.
#[derive(Clone)]
pub struct Observer {
    client: Client,
    waypoints: Arc<Tails<AccessLine>>,
    ztunnels: Arc<Tails<ConnectionLine>>,
}

impl Observer {
    /// Reads by this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let waypoints = Arc::new(Tails::new(PROXY, AccessLine::parse));
        let ztunnels = Arc::new(Tails::new(PROXY, ConnectionLine::parse));
        Self { client, waypoints, ztunnels }
    }

    /// The pods that carry these labels and have not finished.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn pods(&self, namespace: &str, labels: &str) -> Result<Vec<PodHere>, Broken> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let listed = pods.list(&ListParams::default().labels(labels)).await;
        let listed = listed.map_err(|why| Broken::with(format!("list pods {labels} in {namespace}"), why))?;
        Ok(listed.items.iter().filter_map(|pod| here(namespace, pod)).collect())
    }

    /// The pods of a waypoint.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn waypoint_pods(&self, waypoint: &WaypointId) -> Result<Vec<PodHere>, Broken> {
        let labels = format!("gateway.networking.k8s.io/gateway-name={}", waypoint.name);
        self.pods(&waypoint.namespace, &labels).await
    }

    /// The lines that requests with this user agent left in a waypoint's access log, as far as it was read.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn access_lines(&self, waypoint: &WaypointId, agent: &str) -> Result<Vec<AccessLine>, Broken> {
        let pods = self.waypoint_pods(waypoint).await?;
        let by = |line: &AccessLine| line.user_agent == agent;
        Ok(pods.iter().flat_map(|pod| self.waypoints.lines(&self.client, pod, by)).collect())
    }

    /// Metrics of all pods of a waypoint, in one: those whose names match a regular expression of plain characters.
    ///
    /// # Errors
    /// A pod that cannot be scraped.
    pub async fn waypoint_metrics(&self, waypoint: &WaypointId, names: &str) -> Result<Metrics, Broken> {
        let (port, path) = PROXY_METRICS;
        self.scrape(&self.waypoint_pods(waypoint).await?, (port, &format!("{path}{names}"))).await
    }

    /// The connections that all ztunnels tell of, as far as their logs were read, and that `wanted` picks.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn ztunnel_lines(
        &self,
        wanted: impl Fn(&ConnectionLine) -> bool,
    ) -> Result<Vec<ConnectionLine>, Broken> {
        let pods = self.pods(SYSTEM, "app=ztunnel").await?;
        Ok(pods.iter().flat_map(|pod| self.ztunnels.lines(&self.client, pod, &wanted)).collect())
    }

    /// Metrics of all ztunnels, in one.
    ///
    /// # Errors
    /// A ztunnel that cannot be scraped.
    pub async fn ztunnel_metrics(&self) -> Result<Metrics, Broken> {
        self.scrape(&self.pods(SYSTEM, "app=ztunnel").await?, ZTUNNEL_METRICS).await
    }

    /// How often proxies refused configuration since istiod started, and their words. The run asks at its end and after
    /// each failed case: any refusal means that a verdict is about configuration that never arrived.
    ///
    /// # Errors
    /// An istiod that cannot be asked.
    pub async fn rejections(&self) -> Result<Rejections, Broken> {
        let pods = self.pods(SYSTEM, "app=istiod").await?;
        if pods.is_empty() {
            return Err(Broken::new("no istiod runs in istio-system"));
        }
        let total = nack::rejects(&self.scrape(&pods, ISTIOD_METRICS).await?);
        let mut words = Vec::new();
        if total > 0 {
            for pod in &pods {
                words.extend(nack::words(&self.log(pod, "discovery").await?));
            }
        }
        Ok(Rejections { total, words })
    }

    /// A pod's log since a moment, for evidence; of the container before this one, if `previous`.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn log_since(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        since: jiff::Timestamp,
        previous: bool,
    ) -> Result<String, Broken> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let container = Some(container.to_owned());
        let params = LogParams { container, since_time: Some(since), previous, ..LogParams::default() };
        let log = pods.logs(pod, &params).await;
        log.map_err(|why| Broken::with(format!("log of {namespace}/{pod}"), why))
    }

    /// What the admin port of a pod's proxy answers, Envoy's or ztunnel's.
    ///
    /// # Errors
    /// An admin port that does not answer.
    pub async fn admin(&self, namespace: &str, pod: &str, path: &str) -> Result<String, Broken> {
        forward::get(&self.client, namespace, pod, ADMIN, path).await
    }

    /// What a pod answers on one of its ports, without passing the mesh.
    ///
    /// # Errors
    /// A pod that cannot be reached, or whose answer is not 200.
    pub(crate) async fn ask(&self, pod: &PodHere, port: u16, path: &str) -> Result<String, Broken> {
        forward::get(&self.client, &pod.namespace, &pod.name, port, path).await
    }

    async fn scrape(&self, pods: &[PodHere], (port, path): (u16, &str)) -> Result<Metrics, Broken> {
        let mut metrics = Metrics::default();
        for pod in pods {
            let text = forward::get(&self.client, &pod.namespace, &pod.name, port, path).await?;
            let parsed = Metrics::parse(&text);
            metrics.extend(parsed.map_err(|why| Broken::with(format!("metrics of {}", pod.name), why))?);
        }
        Ok(metrics)
    }

    async fn log(&self, pod: &PodHere, container: &str) -> Result<String, Broken> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &pod.namespace);
        let params = LogParams { container: Some(container.to_owned()), ..LogParams::default() };
        let log = pods.logs(&pod.name, &params).await;
        log.map_err(|why| Broken::with(format!("log of {}/{}", pod.namespace, pod.name), why))
    }
}

fn here(namespace: &str, pod: &Pod) -> Option<PodHere> {
    let status = pod.status.as_ref()?;
    if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let condition = |kind: &str| {
        let conditions = status.conditions.iter().flatten();
        conditions.into_iter().any(|condition| condition.type_ == kind && condition.status == "True")
    };
    let listed = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
    let mut addresses: Vec<IpAddr> =
        listed.chain(status.pod_ip.as_deref()).filter_map(|ip| ip.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let redirection =
        pod.metadata.annotations.as_ref().and_then(|all| all.get("ambient.istio.io/redirection"));
    Some(PodHere {
        namespace: namespace.to_owned(),
        name: pod.metadata.name.clone()?,
        addresses,
        ready: condition("Ready") && pod.metadata.deletion_timestamp.is_none(),
        enrolled: redirection.is_some_and(|value| value == "enabled"),
    })
}
