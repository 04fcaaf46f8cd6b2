//! What a case is: a sentence that can be false, the function that tries it, and what it needs.
//!
//! A suite file opens with [`suite!`](crate::suite!), its table of contents.

mod table;

use std::error::Error;
use std::fmt;

use futures::future::BoxFuture;

use waymark_reports::events::in_one_line;

pub use waymark_reports::events::Answer;
pub use waymark_reports::verdict::Level;

/// Which waypoint a case is tried through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The waypoint of a namespace.
    Namespace,
    /// The waypoint of one service account (emulated by labelled Services from Istio 1.22).
    ServiceAccount,
    /// Not tied to the scope of a waypoint: one trial, whose name has no suffix.
    Mesh,
}

/// What a case may change, which decides what may run beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Routes and policies attached to its own Services; all such cases run in parallel.
    Host,
    /// Policies that select its own Deployments, which stand in a shared place; in parallel.
    Workload,
    /// Its own captured namespace, without a waypoint and with its own Deployments only; in parallel.
    Bare,
    /// Its own namespace with its own apps and waypoint; in parallel, as many as the target has slots.
    Namespace,
    /// Root namespace, GatewayClass, istiod, ztunnel; alone, after all others.
    Mesh,
}

/// Something a case cannot do without. What is missing makes it `unsupported` before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Istio of at least this version (major, minor).
    IstioFrom(u16, u16),
    /// Istio older than this version (major, minor).
    IstioBefore(u16, u16),
    /// A part that must be the real one, by its name among the run's parts, such as `envoy-istio`.
    RealPart(&'static str),
    /// Plain TCP through a waypoint.
    Tcp,
    /// CRDs of the Gateway API of at least this version (major, minor).
    GatewayApi(u16, u16),
    /// CRDs of the Gateway API's experimental channel.
    ExperimentalChannel,
    /// An extension provider of the mesh config, by name.
    Provider(&'static str),
    /// A power over the cluster.
    Power(Power),
}

/// What a run may do to a cluster beside applying objects to namespaces of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// Change what all of the mesh shares: root namespace, GatewayClass, mesh config.
    MeshWide,
    /// Take the API server away for a while.
    ApiOutage,
    /// Reach into nodes.
    NodeAccess,
}

/// The outcome of a case's function.
pub type Verdict = Result<(), Failure>;

/// Why a case is not green.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The mesh broke a promise: verdict `fail`.
    #[error(transparent)]
    Unmet(#[from] Unmet),
    /// The scene could not be set or judged: verdict `error`.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// A promise that was not kept, in the words of the expectation that found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmet {
    /// What was expected: one `label: value` a line.
    pub want: String,
    /// What came instead, in the same shape and order as `want`.
    pub got: String,
    /// The part that decided it, such as `waypoint` or `ztunnel`.
    pub decided_by: Option<String>,
    /// What was sent, such as `GET http://shop.wm-1-ns/ (x-user: canary)`.
    pub sent: Option<String>,
    /// The distinct answers, how often each came and when.
    pub answers: Vec<Answer>,
}

/// The harness could not set the scene, or could not judge what it saw.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    /// Object, place and budget, as a lower-case fragment.
    pub what: String,
    /// What went wrong below.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// One case. `C` is what its function receives: the world of that case.
pub struct Case<C: 'static = crate::world::Ctx> {
    /// The suite it belongs to, first segment of its name.
    pub suite: &'static str,
    /// Subject, condition, result; the function's name.
    pub name: &'static str,
    /// How binding the promise is.
    pub level: Level,
    /// Rows of the reference catalogue that the promise comes from.
    pub refs: &'static [&'static str],
    /// Where the promise comes from when the catalogue has no row for it: a link.
    pub source: Option<&'static str>,
    /// The requirement as one sentence, printed unchanged by reports.
    pub promise: &'static str,
    /// The file that it is written in, relative to the workspace.
    pub file: &'static str,
    /// What it may change.
    pub isolation: Isolation,
    /// One trial for each.
    pub scopes: &'static [Scope],
    /// What it cannot do without.
    pub needs: &'static [Need],
    /// Whether it claims that something is denied: such a case is never quarantined.
    pub denies: bool,
    /// The named defects that turn it red; `waymark sabotage` proves each.
    pub killed_by: &'static [&'static str],
    /// Sets the scene, acts and claims.
    pub run: for<'a> fn(&'a C) -> BoxFuture<'a, Verdict>,
}

/// The cases of one file.
pub struct Suite<C: 'static = crate::world::Ctx> {
    /// First segment of the names of its cases.
    pub name: &'static str,
    /// What its promises are about.
    pub about: &'static str,
    /// In the order in which they are listed.
    pub cases: &'static [Case<C>],
}

impl Scope {
    /// The last segment of a trial's name; none for [`Scope::Mesh`].
    pub const fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Namespace => Some("namespace"),
            Self::ServiceAccount => Some("service_account"),
            Self::Mesh => None,
        }
    }
}

impl Power {
    /// The words used in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MeshWide => "mesh-wide changes",
            Self::ApiOutage => "an outage of the API server",
            Self::NodeAccess => "access to nodes",
        }
    }
}

impl Isolation {
    /// The word used in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Workload => "workload",
            Self::Bare => "bare",
            Self::Namespace => "namespace",
            Self::Mesh => "mesh",
        }
    }

    /// What may run beside it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Host => "changes its own Services only; all such cases run at once",
            Self::Workload => "changes its own Deployments only, in a shared namespace; runs beside others",
            Self::Bare => "has a namespace of its own without a waypoint; runs beside others",
            Self::Namespace => {
                "has a namespace and a waypoint of its own; as many at once as there are slots"
            }
            Self::Mesh => "changes or judges the whole mesh; runs alone, last",
        }
    }
}

impl Broken {
    /// A failure to set the scene or judge, without a deeper cause.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    /// The same with what went wrong below it.
    pub fn with(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: Some(source.into()) }
    }

    /// The message and every cause below it, joined by `: `.
    pub fn chain(&self) -> String {
        let mut text = self.what.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IstioFrom(major, minor) => write!(f, "istio from {major}.{minor}"),
            Self::IstioBefore(major, minor) => write!(f, "istio before {major}.{minor}"),
            Self::RealPart(name) => write!(f, "the real {name}"),
            Self::Tcp => f.write_str("plain TCP through a waypoint"),
            Self::GatewayApi(major, minor) => write!(f, "gateway API from {major}.{minor}"),
            Self::ExperimentalChannel => f.write_str("the gateway API's experimental channel"),
            Self::Provider(name) => write!(f, "the mesh config's provider `{name}`"),
            Self::Power(power) => write!(f, "power over the cluster: {}", power.as_str()),
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_one_line(&self.want, &self.got))
    }
}

impl Error for Unmet {}

impl<C> Case<C> {
    /// The name of the trial at `scope`: `suite::case::namespace`, or `suite::case` for [`Scope::Mesh`].
    pub fn trial(&self, scope: Scope) -> String {
        match scope.suffix() {
            Some(suffix) => format!("{}::{}::{suffix}", self.suite, self.name),
            None => format!("{}::{}", self.suite, self.name),
        }
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "`suite!` writes `pub`, which suites need")]
mod tests {
    use super::{Broken, Failure, Isolation, Level, Need, Scope, Unmet, Verdict};
    use crate::suite;
    use crate::world::Ctx;

    async fn plain_case(_: &Ctx) -> Verdict {
        Ok(())
    }

    async fn special_case(_: &Ctx) -> Verdict {
        Err(Broken::new("nothing to see").into())
    }

    suite! {
        "sample", "Rows with and without options";
        plain_case, Core, ["GWC-03"], "a plain row takes the defaults";
        special_case, Observed, [], "every option can be given",
            isolation = Mesh, scopes = [Mesh], needs = [IstioFrom(1, 22), RealPart("envoy-istio"), Tcp],
            source = "https://istio.io/latest/docs/ambient/", denies = true, killed_by = ["log-off"];
    }

    #[test]
    fn rows_expand_to_cases() {
        let [plain, special] = SUITE.cases else { panic!("two rows") };
        assert_eq!((plain.suite, plain.name, plain.level), ("sample", "plain_case", Level::Core));
        assert_eq!((plain.isolation, plain.needs, plain.denies), (Isolation::Host, &[][..], false));
        assert_eq!(plain.trial(plain.scopes[1]), "sample::plain_case::service_account");
        assert_eq!((special.isolation, special.scopes), (Isolation::Mesh, &[Scope::Mesh][..]));
        assert_eq!(special.needs, [Need::IstioFrom(1, 22), Need::RealPart("envoy-istio"), Need::Tcp]);
        assert!(special.denies);
        assert_eq!((plain.killed_by, special.killed_by), (&[][..], &["log-off"][..]));
        assert_eq!((plain.source, special.source), (None, Some("https://istio.io/latest/docs/ambient/")));
        assert_eq!(special.trial(Scope::Mesh), "sample::special_case");
    }

    #[test]
    fn broken_tells_its_causes() {
        let broken = Broken::with("apply HTTPRoute `by-header`", std::io::Error::other("connection refused"));
        assert_eq!(broken.chain(), "apply HTTPRoute `by-header`: connection refused");
    }

    #[test]
    fn unmet_reads_as_one_line() {
        let unmet = Unmet {
            want: "status: 403".into(),
            got: "status: 200\nserved by: v1".into(),
            ..Unmet::default()
        };
        assert_eq!(Failure::from(unmet).to_string(), "want status: 403, got status: 200, served by: v1");
    }
}
