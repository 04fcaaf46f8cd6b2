//! The edge that reads pods' logs and metrics through the Kubernetes API.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, Client};

use super::access_log::AccessLine;
use super::metrics::Metrics;
use super::nack::{self, Rejections};
use super::ztunnel::ConnectionLine;
use crate::case::Broken;
use crate::expect::WaypointId;
use crate::stage::forward;

/// Where Istio itself lives.
const SYSTEM: &str = "istio-system";
/// Metrics of a proxy, merged by pilot-agent.
const PROXY_METRICS: (u16, &str) = (15020, "/stats/prometheus");
/// Envoy's own port, on loopback.
const ENVOY_ADMIN: u16 = 15000;
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
}

impl Observer {
    /// Reads by this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
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

    /// The lines that requests with this user agent left in a waypoint's access log within the last `seconds`.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn access_lines(
        &self,
        waypoint: &WaypointId,
        agent: &str,
        seconds: u32,
    ) -> Result<Vec<AccessLine>, Broken> {
        let mut lines = Vec::new();
        for pod in self.waypoint_pods(waypoint).await? {
            let log = self.log(&pod, "istio-proxy", Since::Seconds(seconds)).await?;
            lines.extend(log.lines().filter(|line| line.contains(agent)).filter_map(AccessLine::parse));
        }
        lines.retain(|line| line.user_agent == agent);
        Ok(lines)
    }

    /// Metrics of all pods of a waypoint, in one.
    ///
    /// # Errors
    /// A pod that cannot be scraped.
    pub async fn waypoint_metrics(&self, waypoint: &WaypointId) -> Result<Metrics, Broken> {
        self.scrape(&self.waypoint_pods(waypoint).await?, PROXY_METRICS).await
    }

    /// The connections that all ztunnels tell of within the last `seconds`.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn ztunnel_lines(&self, seconds: u32) -> Result<Vec<ConnectionLine>, Broken> {
        let mut lines = Vec::new();
        for pod in self.pods(SYSTEM, "app=ztunnel").await? {
            let log = self.log(&pod, "istio-proxy", Since::Seconds(seconds)).await?;
            lines.extend(log.lines().filter_map(ConnectionLine::parse));
        }
        Ok(lines)
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
                words.extend(nack::words(&self.log(pod, "discovery", Since::Start).await?));
            }
        }
        Ok(Rejections { total, words })
    }

    /// The last lines of a pod's log, for evidence.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn tail(&self, pod: &PodHere, container: &str, lines: u32) -> Result<String, Broken> {
        self.log(pod, container, Since::Lines(lines)).await
    }

    /// The listeners that a waypoint's pod has, as Envoy's admin port dumps them: a waypoint's routes are inline in them.
    ///
    /// # Errors
    /// An admin port that does not answer.
    pub async fn waypoint_listeners(&self, pod: &PodHere) -> Result<String, Broken> {
        forward::get(
            &self.client,
            &pod.namespace,
            &pod.name,
            ENVOY_ADMIN,
            "/config_dump?resource=dynamic_listeners",
        )
        .await
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

    async fn log(&self, pod: &PodHere, container: &str, since: Since) -> Result<String, Broken> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &pod.namespace);
        let mut params = LogParams { container: Some(container.to_owned()), ..LogParams::default() };
        match since {
            Since::Start => {}
            Since::Seconds(seconds) => params.since_seconds = Some(i64::from(seconds)),
            Since::Lines(lines) => params.tail_lines = Some(i64::from(lines)),
        }
        let log = pods.logs(&pod.name, &params).await;
        log.map_err(|why| Broken::with(format!("log of {}/{}", pod.namespace, pod.name), why))
    }
}

/// Which part of a log.
enum Since {
    Start,
    Seconds(u32),
    Lines(u32),
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
