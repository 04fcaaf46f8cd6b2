//! Every cause that a rule can name, as `waymark explain WMC-001` prints it.
//!
//! Ids are stable: one that is withdrawn is not given again. From `WMC-020` on, causes lie in what carries the mesh.

/// One cause, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CauseEntry {
    /// Such as `WMC-001`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What it means, in two or three sentences.
    pub meaning: &'static str,
    /// How it shows.
    pub shows: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Commands that look closer, the first one first. Words in angle brackets stand for names of the case, such as
    /// `<namespace>`, `<service>`, `<waypoint>`.
    pub next: &'static [&'static str],
}

/// Every cause, in the order of their ids.
pub const CAUSES: &[CauseEntry] = &[
    CauseEntry {
        id: "WMC-001",
        title: "traffic never reached the waypoint",
        meaning: "The client's ztunnel sent the request straight to a pod of the Service instead of to the waypoint. \
                  Nothing that is attached to the Service at L7 can have had an effect. Either no use-waypoint label is \
                  in effect, or ztunnel does not do what its configuration says.",
        shows: "The backend saw the client's own address, the waypoint's access log has no line of the probe, and \
                ztunnel's entry of the Service names no waypoint, or names one that was not used.",
        remedy: "Label the namespace or the Service with istio.io/use-waypoint and wait for the condition \
                 istio.io/WaypointBound; if ztunnel knows the waypoint and does not use it, the fault is ztunnel's.",
        next: &[
            "istioctl ztunnel-config service --service-namespace <namespace>",
            "kubectl get service <service> -n <namespace> -o yaml",
            "kubectl get namespace <namespace> --show-labels",
        ],
    },
    CauseEntry {
        id: "WMC-002",
        title: "the waypoint is for another kind of destination",
        meaning: "A waypoint serves Services, workloads, or both, by the label istio.io/waypoint-for of its Gateway. \
                  Traffic to a Service passes by a waypoint for workloads, and traffic to a pod's address passes by one \
                  for services.",
        shows: "The label of the Gateway does not cover the kind of destination that was called, and the waypoint's \
                access log has no line of the probe.",
        remedy: "Set istio.io/waypoint-for on the Gateway to service, workload or all, as the traffic needs.",
        next: &[
            "kubectl get gateway <waypoint> -n <waypoint-namespace> --show-labels",
            "istioctl waypoint list -n <waypoint-namespace>",
        ],
    },
    CauseEntry {
        id: "WMC-003",
        title: "the waypoint is not programmed or has no ready pod",
        meaning: "istiod has not given the waypoint's Gateway an address, or none of the waypoint's pods is Ready. \
                  A Service that is bound to it has no way through.",
        shows: "Programmed or Accepted of the Gateway is not True, or its pods are absent or not Ready; requests end in \
                resets or time out.",
        remedy: "Read the reason in the Gateway's conditions; check that the GatewayClass istio-waypoint is accepted, \
                 that istiod runs, and why the pod does not start.",
        next: &[
            "kubectl get gateway <waypoint> -n <waypoint-namespace> -o yaml",
            "kubectl get pods -n <waypoint-namespace> -l gateway.networking.k8s.io/gateway-name=<waypoint>",
            "istioctl waypoint status -n <waypoint-namespace>",
        ],
    },
    CauseEntry {
        id: "WMC-004",
        title: "a policy was not accepted",
        meaning: "istiod did not attach the policy to what it names, so that no proxy enforces it. Usually targetRefs \
                  name something that does not exist or has no waypoint, or a selector is used where a waypoint needs a \
                  targetRef.",
        shows: "The policy's condition WaypointAccepted or ZtunnelAccepted is not True, or is missing.",
        remedy: "Read the condition's message, correct targetRefs, and keep the policy in the namespace of its target.",
        next: &["kubectl get <kind> <object> -n <namespace> -o yaml", "istioctl analyze -n <namespace>"],
    },
    CauseEntry {
        id: "WMC-005",
        title: "the waypoint's configuration lacks what was applied",
        meaning: "istiod has accepted an object, but the configuration that the waypoint's proxy holds does not carry \
                  it, or the object's status is of an older generation. The proxy decides by what was true before.",
        shows: "The object's conditions are True, and the waypoint's config dump has no trace of it; or \
                observedGeneration is behind the object's generation.",
        remedy: "Compare what istiod sent with what the proxy holds; look for refused or delayed pushes.",
        next: &[
            "istioctl proxy-status <waypoint-pod>.<waypoint-namespace>",
            "istioctl proxy-config all <waypoint-pod>.<waypoint-namespace> -o json",
        ],
    },
    CauseEntry {
        id: "WMC-006",
        title: "a policy is enforced by the other layer",
        meaning: "ztunnel enforces a policy that was meant for the waypoint, or the waypoint one that was meant for \
                  ztunnel. ztunnel cannot judge L7 rules and fails safe: an ALLOW policy with methods or paths refuses \
                  everything at L4.",
        shows: "ztunnel's log says policy rejection and the client sees a reset, a 401 or a 503 where an HTTP 403 of the \
                waypoint was wanted; or the waypoint answers 403 where ztunnel was to refuse.",
        remedy: "Attach L7 policies by targetRefs to the Service or Gateway; keep selectors for L4 rules.",
        next: &[
            "istioctl ztunnel-config policy --policy-namespace <namespace>",
            "kubectl get authorizationpolicies -n <namespace> -o yaml",
        ],
    },
    CauseEntry {
        id: "WMC-007",
        title: "the client is not captured",
        meaning: "The sending pod is not in the mesh: its traffic does not pass a ztunnel, carries no identity, and \
                  reaches Services past their waypoint.",
        shows: "ztunnel's entry of the client's workload has another protocol than HBONE, or the pod lacks the \
                annotation ambient.istio.io/redirection=enabled.",
        remedy: "Label the client's namespace istio.io/dataplane-mode=ambient, and look at the node agent's log if the \
                 label is there.",
        next: &[
            "istioctl ztunnel-config workload --workload-namespace <client-namespace>",
            "kubectl get pods -n <client-namespace> -o yaml",
        ],
    },
    CauseEntry {
        id: "WMC-008",
        title: "something else answered",
        meaning: "The answer came from a pod that no rule of this case sends to: one of another namespace, version or \
                  account. Either another rule still has effect, or traffic takes a way that nobody asked for.",
        shows: "The backend's report names another namespace, account or version, or a peer that is neither the client \
                nor the waypoint of the case.",
        remedy: "Look at the routes of the Service and at what else selects its host; look for objects that an earlier \
                 case left behind.",
        next: &[
            "kubectl get httproutes,virtualservices,destinationrules -n <namespace>",
            "istioctl ztunnel-config service --service-namespace <namespace>",
        ],
    },
    CauseEntry {
        id: "WMC-009",
        title: "the identity is another than expected",
        meaning: "A policy or a log line judged the connection by another identity than the one that the client has. \
                  Either a certificate was fetched for the wrong account or trust domain, or the principal in the \
                  policy is spelt wrongly.",
        shows: "The identity in ztunnel's line, in the backend's report or in the policy differs from the client's \
                spiffe://<trust domain>/ns/<namespace>/sa/<account>.",
        remedy: "Compare principals in the policy (without spiffe://) with the certificate that ztunnel holds for the \
                 client's account.",
        next: &[
            "istioctl ztunnel-config certificate --node <node>",
            "kubectl logs -n istio-system -l app=ztunnel --tail=200",
        ],
    },
    CauseEntry {
        id: "WMC-010",
        title: "no healthy endpoint",
        meaning: "A proxy had a route for the request and nowhere to send it: the Service selects no Ready pod, or the \
                  proxy's connections to all of them fail.",
        shows: "Response flags UH, UF or NC in the waypoint's access log, or a Service without a Ready endpoint; the \
                client sees 503.",
        remedy: "Check the selector and the readiness of the pods behind the Service, and the port's appProtocol.",
        next: &[
            "kubectl get endpointslices -n <namespace> -l kubernetes.io/service-name=<service>",
            "istioctl proxy-config endpoints <waypoint-pod>.<waypoint-namespace>",
        ],
    },
    CauseEntry {
        id: "WMC-011",
        title: "a use-waypoint label names nothing",
        meaning: "The label istio.io/use-waypoint of a namespace, Service or pod names a Gateway that does not exist, or \
                  that does not allow the namespace. The mesh then treats the destination as if it had no waypoint.",
        shows: "There is no Gateway of that name, or istio.io/WaypointBound of the Service is not True; traffic goes \
                straight to the pod.",
        remedy: "Create the Gateway, correct the label, or allow the namespace in the Gateway's allowedRoutes.",
        next: &[
            "kubectl get gateways -n <waypoint-namespace>",
            "kubectl get namespaces,services -A -l istio.io/use-waypoint --show-labels",
        ],
    },
    CauseEntry {
        id: "WMC-012",
        title: "a route was not accepted",
        meaning: "istiod did not accept the route for one of its parents, or could not resolve what it refers to. \
                  Requests are answered as if it were not there, or by 500 where its backend is missing.",
        shows: "Accepted or ResolvedRefs of one of the route's parents is not True, or no parent has answered.",
        remedy: "Read the condition's reason: the parent must be a Service of the same namespace, backends must exist, \
                 and other namespaces need a ReferenceGrant.",
        next: &["kubectl get <kind> <object> -n <namespace> -o yaml", "istioctl analyze -n <namespace>"],
    },
    CauseEntry {
        id: "WMC-013",
        title: "a proxy refused its configuration",
        meaning: "istiod sent configuration that a proxy answered by NACK. The proxy goes on with what it had before, so \
                  that nothing that came later has an effect.",
        shows: "pilot_total_xds_rejects has risen, and istiod's log has a line with ACK ERROR and the proxy's words.",
        remedy: "Read the proxy's words; look for an EnvoyFilter or a field that this version of the proxy does not \
                 know.",
        next: &[
            "kubectl logs -n istio-system -l app=istiod --tail=-1 | grep 'ACK ERROR'",
            "istioctl proxy-status",
        ],
    },
    CauseEntry {
        id: "WMC-014",
        title: "a proxy crashed",
        meaning: "A container of a waypoint, a ztunnel or istiod ended while the case ran, and was started again or not. \
                  Connections through it broke, and new ones failed until it was back.",
        shows: "The container's last state is terminated within the case's time, or it waits in CrashLoopBackOff.",
        remedy: "Read the log of the container that ended, and its exit code: 137 is a kill or the memory limit, 139 a \
                 segmentation fault.",
        next: &[
            "kubectl logs -n <pod-namespace> <pod> --previous",
            "kubectl describe pod -n <pod-namespace> <pod>",
        ],
    },
    CauseEntry {
        id: "WMC-015",
        title: "traffic passed a waypoint that is not in effect",
        meaning: "A request that was to go straight to its destination went through a waypoint. Either a label is in \
                  effect that nobody expects, or ztunnel uses a waypoint that its destination does not have: policies \
                  and routes of somebody else may then apply.",
        shows: "The backend saw the address of a waypoint's pod, while the claim was that it sees the client's own.",
        remedy: "Compare ztunnel's entry of the destination with the labels of namespace, Service and pod; where the \
                 entry names no waypoint, the fault is ztunnel's.",
        next: &[
            "istioctl ztunnel-config service --service-namespace <namespace>",
            "istioctl ztunnel-config workload --workload-namespace <namespace>",
        ],
    },
    CauseEntry {
        id: "WMC-020",
        title: "the cluster is unreachable",
        meaning: "waymark could not talk to the API server, or to a pod through it. Nothing can be said about the mesh: \
                  that is an error, never a broken promise.",
        shows: "Reads of the API server fail while evidence is gathered, or the reason of the error is a connection that \
                was refused, timed out or closed.",
        remedy: "Check that the cluster runs and that the machine is not overloaded, then repeat the case.",
        next: &["waymark status", "waymark doctor", "kubectl get --raw '/readyz?verbose'"],
    },
];

/// The cause of this id.
#[must_use]
pub fn cause(id: &str) -> Option<&'static CauseEntry> {
    CAUSES.iter().find(|entry| entry.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_and_unique() {
        assert!(CAUSES.is_sorted_by(|left, right| left.id < right.id));
    }

    #[test]
    fn an_id_is_found_in_any_case_and_nothing_else() {
        assert_eq!(cause("wmc-013").map(|entry| entry.id), Some("WMC-013"));
        assert_eq!(cause("WMC-999"), None);
    }

    #[test]
    fn every_cause_says_what_to_run_in_one_line() {
        for entry in CAUSES {
            assert!(!entry.next.is_empty(), "{}", entry.id);
            let known = ["istioctl ", "kubectl ", "waymark "];
            for command in entry.next {
                assert!(known.iter().any(|tool| command.starts_with(tool)), "{}: {command}", entry.id);
                assert!(!command.contains('\n'), "{}: {command}", entry.id);
            }
        }
    }
}
