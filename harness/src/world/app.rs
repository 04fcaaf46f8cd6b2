//! Pods of a case's own, at which L4 policies may be tried without anybody else noticing.

use std::net::{IpAddr, SocketAddr};

use waymark_echo::api::DEFAULT_CONTROL_PORT;
use waymark_manifests::WorkloadRef;
use waymark_manifests::mesh::HBONE_PORT;

use super::Ctx;
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::expect::{direct_l4, status};
use crate::observe::PodHere;
use crate::observe::ztunnel::ConnectionLine;
use crate::stage::cast::{Backend, Part, Sender};
use crate::stage::objects::ObjectRef;
use crate::stage::port::Port;

/// A pod of a case's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    workload: WorkloadRef,
    pod: PodHere,
    address: IpAddr,
}

impl App {
    /// The URL of `path` at the pod, past every Service.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.url_at(Port::Http, path)
    }

    /// The same at the container's port behind this port of Services.
    #[must_use]
    pub fn url_at(&self, port: Port, path: &str) -> String {
        format!("http://{}{path}", SocketAddr::new(self.address, port.target()))
    }

    /// What a tunnel to the application asks for.
    #[must_use]
    pub fn authority(&self) -> String {
        SocketAddr::new(self.address, Port::Http.target()).to_string()
    }

    /// The pod itself.
    pub(crate) fn pod(&self) -> &PodHere {
        &self.pod
    }

    /// The label that no other pod carries.
    pub(crate) fn label(&self) -> (&str, &str) {
        self.workload.labels.iter().next().map_or(("", ""), |(key, value)| (key.as_str(), value.as_str()))
    }
}

impl From<&App> for WorkloadRef {
    fn from(app: &App) -> Self {
        app.workload.clone()
    }
}

impl Ctx {
    /// A pod of the case's own of this backend, in the case's place; answers once a client inside the mesh has reached it.
    ///
    /// # Errors
    /// A pod that is not ready in time, or not reached.
    pub async fn app(&self, backend: Backend) -> Result<App, Failure> {
        let name = self.named(&backend.deployment());
        let [account, deployment] = self.place.extra(backend, &name, self.stage.bill());
        self.journal.applied(ObjectRef::of(&deployment)?, deployment.clone());
        if self.own {
            self.stage.objects().apply(&account).await?;
        }
        self.stage.objects().apply(&deployment).await?;
        self.stage.up(&self.place, name.clone()).await?;
        let pod = self.stage.ready_pod(&self.place, &name).await?;
        let address = pod.addresses.first().copied();
        let address = address.ok_or_else(|| Broken::new(format!("pod {} has no address", pod.name)))?;
        let labels = [("waymark.app", name)];
        let app = App {
            workload: WorkloadRef::new(&self.place.namespace, backend.account(), labels),
            pod,
            address,
        };
        self.client(Sender::ClientA).get(app.url("/")).must(status(200).and(direct_l4())).await?;
        Ok(app)
    }

    /// The URL of the port at which a pod takes HBONE.
    #[must_use]
    pub fn tunnel_of(&self, app: &App) -> String {
        self.decided([Part::Ztunnel]);
        format!("http://{}/", SocketAddr::new(app.address, HBONE_PORT))
    }

    /// The URL of the port at which the waypoint takes HBONE.
    ///
    /// # Errors
    /// A waypoint without a pod.
    pub async fn tunnel_of_waypoint(&self) -> Result<String, Broken> {
        self.decided([Part::Envoy]);
        let addresses = self.stage.addresses(&self.waypoint).await?;
        let address = addresses.first();
        let address = address.ok_or_else(|| Broken::new(format!("waypoint {} has no pod", self.waypoint)))?;
        Ok(format!("http://{}/", SocketAddr::new(*address, HBONE_PORT)))
    }

    /// The ztunnel of this pod must tell that policy refused a connection to it, and why: in its own words, such as
    /// `explicitly denied by` or `none allowed`.
    ///
    /// # Errors
    /// What it tells of instead.
    pub async fn must_tell_refusal(&self, app: &App, why: &str) -> Verdict {
        self.decided([Part::Ztunnel]);
        let look = || async {
            let lines = self.stage.observer().ztunnel_lines(ConnectionLine::policy_rejection).await?;
            Ok::<_, Broken>(refusal(&lines, app.address, why))
        };
        let judged = self.stage.converge().logged("ztunnel's line of a refusal", look).await.map(drop);
        let Err(missed) = judged else { return Ok(()) };
        Err(Failure::Unmet(Unmet {
            want: format!("ztunnel: a connection refused, {why}"),
            got: format!("ztunnel: {}", missed.seen()?),
            decided_by: Some("ztunnel".to_owned()),
            ..Unmet::default()
        }))
    }

    /// Waits until a pod has seen a request with this `user-agent` arrive.
    pub(crate) async fn arrived_at_app(&self, app: &App, tag: &str) -> Result<(), Broken> {
        let path = format!("/v1/seen?user_agent={tag}");
        let look = || async {
            let text = self.stage.observer().ask(app.pod(), DEFAULT_CONTROL_PORT, &path).await?;
            Ok::<_, Broken>(if text.contains(tag) {
                Look::Met(())
            } else {
                Look::Unmet("nothing".to_owned())
            })
        };
        self.stage.converge().until(&format!("{tag} to arrive at {}", app.pod.name), look).await?;
        Ok(())
    }
}

/// Whether policy refused a connection to this address for this reason; else the refusals that there are.
fn refusal(lines: &[ConnectionLine], to: IpAddr, why: &str) -> Look<()> {
    let here = |line: &&ConnectionLine| {
        let at = line.get("dst.addr").and_then(|at| at.parse::<SocketAddr>().ok());
        line.inbound() && line.policy_rejection() && at.is_some_and(|at| at.ip() == to)
    };
    let told: Vec<_> = lines.iter().filter(here).filter_map(|line| line.get("error")).collect();
    match told.iter().any(|error| error.contains(why)) {
        true => Look::Met(()),
        false => Look::Unmet(told.last().map_or("no refusal".to_owned(), |error| (*error).to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_of_this_pod_and_for_this_reason() {
        let line = |to: &str, error: &str| {
            let text = format!(
                "t\terror\taccess\tconnection complete\tdst.addr={to} direction=\"inbound\" \
                 error=\"connection closed due to policy rejection: {error}\""
            );
            ConnectionLine::parse(&text).unwrap()
        };
        let to = "10.1.1.2".parse().unwrap();
        let none = "allow policies exist, but none allowed";
        let lines = [line("10.1.1.3:8080", "explicitly denied by: a/b"), line("10.1.1.2:8080", none)];
        assert!(matches!(refusal(&lines, to, "none allowed"), Look::Met(())));
        let Look::Unmet(seen) = refusal(&lines, to, "explicitly denied by") else { panic!("another pod's") };
        assert!(seen.ends_with(none), "{seen}");
        assert!(matches!(refusal(&lines[..1], to, "denied"), Look::Unmet(seen) if seen == "no refusal"));
    }
}
