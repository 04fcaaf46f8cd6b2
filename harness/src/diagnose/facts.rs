//! What was seen of a red case and of the mesh around it: all that rules may judge by.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use waymark_reports::verdict::CaseVerdict;

use crate::expect::WaypointId;
use crate::observe::access_log::AccessLine;
use crate::observe::nack::Rejections;
use crate::observe::ztunnel::ConnectionLine;

/// Facts about a red case. What could not be read is `None`, and no rule that needs it fires.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How it went wrong.
    pub failure: Failing,
    /// Who and where it is.
    pub names: Names,
    /// The Kubernetes objects around it.
    pub objects: Objects,
    /// What it applied, and what was found of it afterwards.
    pub applied: Vec<Applied>,
    /// What was sent and what came back, newest last: `{tag, request, exchange}`.
    pub exchanges: Vec<Value>,
    /// Lines of the waypoint's access log about this case's probes.
    pub waypoint_lines: Option<Vec<AccessLine>>,
    /// Connections that ztunnels tell of within the case's time, of its namespaces.
    pub ztunnel_lines: Option<Vec<ConnectionLine>>,
    /// What ztunnels know.
    pub ztunnel: Option<Ztunnel>,
    /// The whole configuration of the waypoint's proxies, as text.
    pub config: Option<Arc<str>>,
    /// What proxies refused since the stage was raised.
    pub rejections: Option<Rejections>,
    /// Why the API server could not be read, one for each read that failed.
    pub unreadable: Vec<String>,
    /// How many reads of the API server were tried.
    pub reads: usize,
}

/// How a case went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failing {
    /// `fail` or `error`.
    pub verdict: CaseVerdict,
    /// Why, in one line.
    pub reason: String,
    /// What was expected, one `label: value` a line; empty for an error.
    pub want: String,
    /// What came instead, in the same shape.
    pub got: String,
    /// What was sent: `client-a: GET http://…`.
    pub sent: String,
    /// The distinct answers.
    pub answers: Vec<String>,
}

/// Who and where a case is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its id, which its objects carry at the end of their names.
    pub id: String,
    /// The namespace it plays in.
    pub namespace: String,
    /// The waypoint it is about.
    pub waypoint: WaypointId,
    /// The namespace of the captured clients.
    pub home: String,
    /// When its world opened.
    pub opened: Timestamp,
}

/// Kubernetes objects as the API server gives them.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// The namespaces of the case and its clients.
    pub namespaces: Option<Vec<Value>>,
    /// The Services of those namespaces.
    pub services: Option<Vec<Value>>,
    /// Their pods, and those of istio-system.
    pub pods: Option<Vec<Value>>,
    /// Their Gateways.
    pub gateways: Option<Vec<Value>>,
    /// Their EndpointSlices.
    pub endpoints: Option<Vec<Value>>,
}

/// One object that the case applied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// As it was applied.
    pub manifest: Value,
    /// As it was found, with its status; none when it was not there or could not be read.
    pub found: Option<Value>,
}

/// The union of what all ztunnels know of the case's namespaces, in the shape of their config dump.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ztunnel {
    /// Services.
    pub services: Vec<Value>,
    /// Workloads.
    pub workloads: Vec<Value>,
    /// Policies.
    pub policies: Vec<Value>,
}

/// What was called when the case went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The host as it was called, a name or an address.
    pub host: String,
    /// The Service of that name.
    pub service: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            id: String::new(),
            namespace: String::new(),
            waypoint: WaypointId { namespace: String::new(), name: String::new() },
            home: String::new(),
            opened: Timestamp::UNIX_EPOCH,
        }
    }
}

impl Facts {
    /// What the probe that went wrong had called; the last exchange where the failure does not say, or the Service that
    /// an error names.
    #[must_use]
    pub fn called(&self) -> Option<Called> {
        self.probed().or_else(|| self.named())
    }

    fn named(&self) -> Option<Called> {
        let (_, which) = self.failure.reason.split_once("Service ")?;
        let (home, own) = which.split([' ', ';', ':']).next()?.split_once('/')?;
        let host = format!("{own}.{home}.svc.cluster.local");
        Some(Called { host, service: Some(own.to_owned()), namespace: Some(home.to_owned()) })
    }

    fn probed(&self) -> Option<Called> {
        let last = || self.exchanges.last()?.pointer("/request/url")?.as_str().map(str::to_owned);
        let sent = self.failure.sent.split_whitespace().find(|word| word.starts_with("http"));
        let url = sent.map(str::to_owned).or_else(last)?;
        let host = url.split_once("://")?.1.split(['/', ':', '?']).next()?.to_owned();
        let mut parts = host.split('.');
        let named = host.ends_with(".svc.cluster.local");
        let part = |text: Option<&str>| text.filter(|_| named).map(str::to_owned);
        let (service, namespace) = (part(parts.next()), part(parts.next()));
        Some(Called { host, service, namespace })
    }

    /// The value that was expected under a label, such as `way`.
    #[must_use]
    pub fn want(&self, label: &str) -> Option<&str> {
        value(&self.failure.want, label)
    }

    /// The value that came under a label.
    #[must_use]
    pub fn got(&self, label: &str) -> Option<&str> {
        value(&self.failure.got, label)
    }

    /// Whether the case could only succeed through the waypoint: by what it expected, or because it waited for the
    /// waypoint itself.
    #[must_use]
    pub fn needs_waypoint(&self) -> bool {
        let way = self.want("way").is_some_and(|way| way.starts_with("through waypoint"));
        let denial = self.want("denied by") == Some("waypoint");
        let waits = ["bound to waypoint", "programmed", "pod of waypoint", "waypoint"];
        let reason = self.failure.verdict == CaseVerdict::Error
            && waits.iter().any(|word| self.failure.reason.contains(word));
        way || denial || reason || self.want("because").is_some()
    }

    /// Whether ztunnel sends what was called through the waypoint of the case.
    #[must_use]
    pub fn waypoint_in_effect(&self) -> bool {
        let WaypointId { namespace, name } = &self.names.waypoint;
        let entry = self.called().and_then(|called| self.ztunnel_service(&called));
        let named = entry.and_then(|it| it.pointer("/waypoint/destination")).and_then(Value::as_str);
        named.is_some_and(|it| it.starts_with(&format!("{namespace}/{name}.")))
    }

    /// Whether what came was an answer of a backend that saw the client's own address.
    #[must_use]
    pub fn went_straight(&self) -> bool {
        self.got("way") == Some("straight from the client")
    }

    /// The entry of a Service in ztunnel's view.
    #[must_use]
    pub fn ztunnel_service(&self, called: &Called) -> Option<&Value> {
        let services = &self.ztunnel.as_ref()?.services;
        services.iter().find(|it| it["hostname"].as_str() == Some(called.host.as_str()))
    }

    /// The waypoint's Gateway: `None` when Gateways could not be read, `Some(None)` when it is not there.
    #[must_use]
    pub fn gateway(&self) -> Option<Option<&Value>> {
        let WaypointId { namespace, name } = &self.names.waypoint;
        let gateways = self.objects.gateways.as_ref()?;
        Some(gateways.iter().find(|it| {
            it.pointer("/metadata/name").and_then(Value::as_str) == Some(name)
                && it.pointer("/metadata/namespace").and_then(Value::as_str) == Some(namespace)
        }))
    }

    /// The pods of the waypoint.
    #[must_use]
    pub fn waypoint_pods(&self) -> Option<Vec<&Value>> {
        let WaypointId { namespace, name } = &self.names.waypoint;
        let pods = self.objects.pods.as_ref()?.iter();
        let ours = pods.filter(|pod| {
            super::object::label(pod, "gateway.networking.k8s.io/gateway-name") == Some(name)
                && super::object::namespace(pod) == namespace
        });
        Some(ours.collect())
    }
}

fn value<'a>(lines: &'a str, label: &str) -> Option<&'a str> {
    lines.lines().find_map(|line| line.trim().strip_prefix(label)?.strip_prefix(": ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::service(
        "client-a: GET http://shop-c1.wm-1-ns.svc.cluster.local/a",
        Some("shop-c1"),
        Some("wm-1-ns")
    )]
    #[case::address("client-a: GET http://10.1.2.3:8080/", None, None)]
    fn the_failure_says_what_was_called(
        #[case] sent: &str,
        #[case] service: Option<&str>,
        #[case] namespace: Option<&str>,
    ) {
        let failure = Failing { sent: sent.into(), ..Failing::default() };
        let called = Facts { failure, ..Facts::default() }.called().unwrap();
        assert_eq!((called.service.as_deref(), called.namespace.as_deref()), (service, namespace));
    }

    #[test]
    fn the_last_exchange_says_it_where_the_failure_does_not() {
        let exchange = serde_json::json!({"request": {"url": "http://a.b.svc.cluster.local/"}});
        let facts = Facts { exchanges: vec![exchange], ..Facts::default() };
        assert_eq!(facts.called().unwrap().service.as_deref(), Some("a"));
        assert_eq!(Facts::default().called(), None);
    }

    #[test]
    fn an_error_names_its_service() {
        let reason = "wait 30s (9 looks) for Service wm-1-ns/shop-c1 bound to waypoint wm-1-ns/waypoint; last seen: no";
        let failure = Failing { reason: reason.into(), ..Failing::default() };
        let called = Facts { failure, ..Facts::default() }.called().unwrap();
        assert_eq!(called.host, "shop-c1.wm-1-ns.svc.cluster.local");
    }

    #[test]
    fn values_are_found_by_their_label() {
        let failure = Failing {
            want: "status: 200\nway: through waypoint a/b".into(),
            got: "status: 200\nway: straight from the client".into(),
            ..Failing::default()
        };
        let facts = Facts { failure, ..Facts::default() };
        assert_eq!((facts.want("way"), facts.want("stat")), (Some("through waypoint a/b"), None));
        assert!(facts.needs_waypoint() && facts.went_straight());
    }
}
