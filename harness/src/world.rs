//! The world of one case: handles to Services, clients and the waypoint, and verbs that act on them.
//!
//! [`Ctx`] is all that a case sees. Nothing of Kubernetes leaks through it: namespaces, names and labels follow from the
//! scope and the id of the case.

mod act;
mod app;
mod arrivals;
mod binding;
mod clean;
mod connections;
mod counters;
mod istioctl;
mod journal;
mod lines;
mod parents;
mod refs;
mod service;
mod spans;
mod tokens;
mod waypoint;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use waymark_manifests::WorkloadRef;
use waymark_reports::events::Figure;

use crate::case::{Broken, Isolation, Scope, Verdict};
use crate::expect::{Expectation, WaypointId, because, passed, response_header, served_by, status};
use crate::probe::{Client, Passage};
use crate::stage::Stage;
use crate::stage::cast::{Backend, Part, Sender};
use crate::stage::scenery::{Mesh, Place};

pub use act::Applied;
pub use app::App;
pub use binding::Binding;
pub use clean::Cleaned;
pub use counters::{Answers, Count, Metric, answers};
pub use istioctl::Said;
pub use lines::AccessClaim;
pub use service::{Service, Subset};
pub use spans::{SpanClaim, Trace, span};
pub use tokens::{Claims, Issuer, Token};

use journal::Journal;

/// The world of one case.
pub struct Ctx {
    stage: Arc<Stage>,
    trial: String,
    id: String,
    opened: Timestamp,
    scope: Scope,
    place: Place,
    own: bool,
    waypoint: WaypointId,
    probes: AtomicU32,
    kept: AtomicBool,
    journal: Journal,
}

/// How long a case's claims took to come true.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Convergence {
    /// The slowest claim, from the first look to the first of its streak.
    pub slowest: Duration,
    /// Looks of all claims together.
    pub attempts: u32,
}

impl Ctx {
    /// Opens the world of the trial of this name; `id` is unique in the run and a valid DNS label. A case that may
    /// change its namespace gets one of its own, with its own apps and waypoint, or bare, with the apps that it asks for
    /// ([`Ctx::app`]).
    ///
    /// # Errors
    /// A namespace that did not come up.
    pub async fn open(
        stage: Arc<Stage>,
        trial: String,
        id: &str,
        scope: Scope,
        isolation: Isolation,
    ) -> Result<Self, Broken> {
        let opened = Timestamp::now();
        let own = matches!(isolation, Isolation::Bare | Isolation::Namespace);
        let place = Self::place(&stage, id, scope, isolation)?;
        if own {
            stage.build(&place).await?;
        }
        // A place without a waypoint is next to the scope's: what must not pass one is compared with that.
        let waypoint = place.waypoint().or_else(|| stage.place(scope).ok()?.waypoint());
        let waypoint = waypoint.ok_or_else(|| Broken::new("a scope without a waypoint"))?;
        let probes = AtomicU32::new(0);
        let id = id.to_owned();
        let journal = Journal::default();
        let kept = AtomicBool::new(false);
        Ok(Self { stage, trial, id, opened, scope, place, own, waypoint, probes, kept, journal })
    }

    /// Where a trial plays: in a shared place, or in a namespace of its own.
    pub(crate) fn place(
        stage: &Stage,
        id: &str,
        scope: Scope,
        isolation: Isolation,
    ) -> Result<Place, Broken> {
        let shared = stage.place(scope)?;
        let own = |mesh, backends: &[Backend]| Place {
            namespace: format!("wm-{}-{id}", stage.bill().run),
            mesh,
            backends: backends.to_vec(),
            senders: Vec::new(),
        };
        Ok(match isolation {
            Isolation::Namespace => own(shared.mesh, &[Backend::V1, Backend::V2]),
            Isolation::Bare => own(Mesh::Captured, &[]),
            Isolation::Workload if scope == Scope::Mesh => stage.place_of(Mesh::Captured)?.clone(),
            Isolation::Workload | Isolation::Host | Isolation::Mesh => shared.clone(),
        })
    }

    /// The waypoint of this scope.
    #[must_use]
    pub fn waypoint(&self) -> &WaypointId {
        &self.waypoint
    }

    /// A 200 from this backend, through the waypoint.
    #[must_use]
    pub fn answered_by(&self, backend: Backend) -> Expectation {
        status(200).and(served_by(backend)).and(passed(&self.waypoint))
    }

    /// A redirect of this status to exactly this location, given by the waypoint itself.
    #[must_use]
    pub fn redirected(&self, code: u16, location: impl Into<String>) -> Expectation {
        let there = status(code).and(response_header("location", location));
        there.and(passed(&self.waypoint)).and(because("direct_response"))
    }

    /// The scope that this trial is about.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// A client of the stage.
    #[must_use]
    pub fn client(&self, sender: Sender) -> Client<'_> {
        Client::new(self, sender)
    }

    /// The identity of a client, as certificates and logs spell it.
    #[must_use]
    pub fn identity(&self, sender: Sender) -> String {
        format!("spiffe://cluster.local/ns/{}/sa/{}", self.stage.home(sender), sender.account())
    }

    /// The pods of a backend, as policies select them.
    #[must_use]
    pub fn workload(&self, backend: Backend) -> WorkloadRef {
        let labels = [("waymark.app", backend.deployment())];
        WorkloadRef::new(&self.place.namespace, backend.account(), labels)
    }

    /// The URL of a backend's pod, past every Service.
    ///
    /// # Errors
    /// A backend that has no pod here.
    pub async fn pod_url(&self, backend: Backend, path: &str) -> Result<String, Broken> {
        let pod = self.stage.ready_pod(&self.place, &backend.deployment()).await?;
        let address =
            pod.addresses.first().ok_or_else(|| Broken::new(format!("pod {} has no address", pod.name)))?;
        Ok(format!("http://{address}:8080{path}"))
    }

    /// Proxies took all configuration that istiod sent in this run. One that refuses some serves what it had before,
    /// so that no verdict about it can be trusted: that is an error, in the proxy's own words.
    ///
    /// # Errors
    /// What was refused; or an istiod that cannot be asked.
    pub async fn nothing_refused(&self) -> Verdict {
        let refused = self.stage.rejections().await?;
        if refused.none() {
            return Ok(());
        }
        let words = if refused.words.is_empty() {
            "istiod's log has no words for it".into()
        } else {
            refused.words.join("; ")
        };
        Err(Broken::new(format!("proxies refused configuration {} times: {words}", refused.total)).into())
    }

    /// How long the claims of this case took so far.
    #[must_use]
    pub fn convergence(&self) -> Convergence {
        self.journal.convergence()
    }

    /// The parts of the mesh that decided what this case saw, by its claims and by what it applied.
    #[must_use]
    pub fn decided_by(&self) -> Vec<Part> {
        self.journal.parts().into_iter().collect()
    }

    /// The exchanges of this case, newest last, and how many older ones were dropped.
    #[must_use]
    pub fn exchanges(&self) -> (Vec<Value>, usize) {
        self.journal.exchanges()
    }

    /// What was counted without being judged.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        self.journal.figures()
    }

    pub(crate) fn figure(&self, name: &str, count: u64, of: u64) {
        self.journal.figure(name, count, of);
    }

    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Lets everything that the case made stay where it is.
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Whether it stays.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// The `user-agent` of the next probe.
    pub(crate) fn next_tag(&self) -> String {
        format!("waymark/{}-{}", self.id, self.probes.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn note(&self, attempts: u32, after: Duration) {
        self.journal.note(attempts, after);
    }

    pub(crate) fn journal(&self, exchange: impl FnOnce() -> Value) {
        self.journal.exchange(exchange());
    }

    /// Notes an exchange with a host that a waypoint had its hand in, or may have had.
    pub(crate) fn passed_waypoint(&self, host: &str, passage: Passage) {
        // While a Service is new, a waypoint answers without knowing, or knowing, whom it answers for.
        let new = || !self.journal.services().iter().any(|service| service.host() == host);
        match passage {
            Passage::Backend => self.journal.pass(host),
            Passage::Unsure if new() => self.journal.may_pass(host),
            Passage::Waypoint if new() => self.journal.may_pass(host),
            Passage::Waypoint => self.journal.pass(host),
            Passage::Unsure | Passage::Around => {}
        }
    }

    pub(crate) fn decided(&self, parts: impl IntoIterator<Item = Part>) {
        self.journal.decided(parts);
    }

    /// A name of this case's own.
    fn named(&self, name: &str) -> String {
        format!("{name}-{}", self.id)
    }

    fn whole_namespace_bound(&self) -> bool {
        self.place.mesh == Mesh::NamespaceWaypoint
    }
}
