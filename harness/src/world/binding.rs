//! Which waypoint a Service or a pod names by its labels, and what Istio says of it in the Service's status.

use serde_json::{Map, Value, json};
use waymark_manifests::mesh::{NO_WAYPOINT, USE_WAYPOINT, USE_WAYPOINT_NAMESPACE};

use super::{Ctx, Service};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::expect::WaypointId;
use crate::stage::cast::{Backend, Part};
use crate::stage::objects::ObjectRef;

/// The condition of a Service that uses, or tries to use, a waypoint.
const CONDITION: &str = "istio.io/WaypointBound";

/// What the status of a Service says about its waypoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// It is bound to this one.
    To(WaypointId),
    /// It names one but is not bound to it, for this reason.
    Refused(&'static str),
    /// Nothing: it names none.
    Absent,
}

impl Binding {
    fn wanted(&self) -> String {
        match self {
            Self::To(waypoint) => {
                format!("{CONDITION}: True (WaypointAccepted) Successfully attached to waypoint {waypoint}")
            }
            Self::Refused(reason) => format!("{CONDITION}: False ({reason})"),
            Self::Absent => format!("{CONDITION}: absent"),
        }
    }

    /// Whether the status of this Service says so, or what it says instead.
    fn check(&self, service: &Value) -> Result<(), String> {
        let conditions = service.pointer("/status/conditions").and_then(Value::as_array);
        let found = conditions.into_iter().flatten().find(|condition| condition["type"] == CONDITION);
        let Some(found) = found else {
            return if *self == Self::Absent { Ok(()) } else { Err(format!("{CONDITION}: absent")) };
        };
        let text = |key: &str| found[key].as_str().unwrap_or_default();
        let (status, reason, message) = (text("status"), text("reason"), text("message"));
        let met = match self {
            Self::To(waypoint) => {
                let begin = format!("Successfully attached to waypoint {waypoint}");
                let rest = message.strip_prefix(&begin);
                status == "True"
                    && reason == "WaypointAccepted"
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            Self::Refused(wanted) => status == "False" && reason == *wanted,
            Self::Absent => false,
        };
        if met { Ok(()) } else { Err(format!("{CONDITION}: {status} ({reason}) {message}")) }
    }
}

impl Ctx {
    /// A waypoint that is not there, in the case's namespace.
    #[must_use]
    pub fn absent_waypoint(&self) -> WaypointId {
        WaypointId { namespace: self.place.namespace.clone(), name: self.named("absent") }
    }

    /// The waypoint of the other scope, in its own namespace, which admits only Services of that namespace.
    ///
    /// # Errors
    /// A stage without it.
    pub fn foreign_waypoint(&self) -> Result<WaypointId, Broken> {
        use crate::case::Scope::{Mesh, Namespace, ServiceAccount};
        let other = match self.scope {
            Namespace | Mesh => ServiceAccount,
            ServiceAccount => Namespace,
        };
        let place = self.stage.place(other)?;
        place.waypoint().ok_or_else(|| Broken::new("a place without a waypoint"))
    }

    /// Bound to the waypoint of this case.
    #[must_use]
    pub fn binding(&self) -> Binding {
        Binding::To(self.waypoint.clone())
    }

    /// Deletes a Service and waits until the API has forgotten it.
    ///
    /// # Errors
    /// A Service that does not go.
    pub async fn remove_service(&self, service: &Service) -> Verdict {
        let object = service.whole().object();
        self.stage.remove(&object).await?;
        self.journal.deleted(&object);
        self.journal.changed(service);
        Ok(())
    }

    /// Labels a Service so that it names this waypoint, in whatever namespace.
    ///
    /// # Errors
    /// A Service that cannot be changed.
    pub async fn bind(&self, service: &Service, waypoint: &WaypointId) -> Verdict {
        self.relabel(service, naming(waypoint, &service.whole().namespace)).await
    }

    /// Takes a Service from its waypoint as the scope asks: by the value `none` where its namespace has a waypoint, else by
    /// taking away its label.
    ///
    /// # Errors
    /// A Service that cannot be changed.
    pub async fn unbind(&self, service: &Service) -> Verdict {
        let none = json!({USE_WAYPOINT: NO_WAYPOINT}).as_object().cloned().unwrap_or_default();
        self.relabel(service, if self.whole_namespace_bound() { none } else { Map::new() }).await
    }

    /// Takes the label `istio.io/use-waypoint` away, so that a Service uses what its namespace uses.
    ///
    /// # Errors
    /// A Service that cannot be changed.
    pub async fn unlabel(&self, service: &Service) -> Verdict {
        self.relabel(service, Map::new()).await
    }

    /// Lets a Service use the waypoint of the scope again, by whatever label the scope asks for.
    ///
    /// # Errors
    /// A Service that cannot be changed.
    pub async fn rebind(&self, service: &Service) -> Verdict {
        match self.whole_namespace_bound() {
            true => self.unlabel(service).await,
            false => self.bind(service, &self.waypoint).await,
        }
    }

    /// Labels the pods of a backend so that they name the waypoint of this case.
    ///
    /// # Errors
    /// A case without a namespace of its own; a pod that cannot be changed.
    pub async fn bind_pods(&self, backend: Backend) -> Verdict {
        self.label_pods(backend, &self.waypoint.name).await
    }

    /// Labels the pods of a backend so that they opt out of the waypoint of their namespace.
    ///
    /// # Errors
    /// A case without a namespace of its own; a pod that cannot be changed.
    pub async fn unbind_pods(&self, backend: Backend) -> Verdict {
        self.label_pods(backend, NO_WAYPOINT).await
    }

    /// The status of a Service must come to say this about its waypoint.
    ///
    /// # Errors
    /// What it says instead.
    pub async fn must_show(&self, service: &Service, binding: Binding) -> Verdict {
        self.decided([Part::Istiod]);
        let object = service.whole().object();
        let what = format!("{object}: {}", binding.wanted());
        let look = || self.stage.objects().look(&object, |service| binding.check(service));
        let Err(missed) = self.stage.converge().until(&what, look).await else { return Ok(()) };
        Err(unmet(binding.wanted(), missed.seen()?))
    }

    /// A condition of this type in the status of an object of the case must come to say these words.
    ///
    /// # Errors
    /// What it says instead.
    pub async fn must_explain(&self, object: &super::Applied, condition: &str, words: &str) -> Verdict {
        self.decided([Part::Istiod]);
        let object = object.object();
        let look = || async {
            let found = self.stage.objects().get(object).await?;
            let said = found.map(|found| said(&found.data, condition)).unwrap_or_default();
            Ok::<_, Broken>(match said.contains(words) {
                true => Look::Met(()),
                false => Look::Unmet(said),
            })
        };
        let Err(missed) = self.stage.converge().until(&format!("{object}: {words}"), look).await else {
            return Ok(());
        };
        Err(unmet(format!("{condition}: {words}"), format!("{condition}: {}", missed.seen()?)))
    }

    async fn relabel(&self, service: &Service, labels: Map<String, Value>) -> Verdict {
        let object = service.whole().object();
        let manifest = self.journal.manifest(&object);
        let mut manifest = manifest.ok_or_else(|| Broken::new(format!("{object} is not of this case")))?;
        manifest["metadata"]["labels"] = labels.into();
        self.journal.changed(service);
        self.apply_value(manifest).await?;
        Ok(())
    }

    async fn label_pods(&self, backend: Backend, waypoint: &str) -> Verdict {
        self.own_only("label pods")?;
        let labels = format!("waymark.app={}", backend.deployment());
        for pod in self.stage.observer().pods(&self.place.namespace, &labels).await? {
            let labelled = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": pod.name, "namespace": pod.namespace, "labels": {USE_WAYPOINT: waypoint}},
            });
            self.stage.objects().apply(&labelled).await?;
        }
        Ok(())
    }
}

/// The messages of all conditions of this type, of whatever parent.
fn said(data: &Value, condition: &str) -> String {
    let parents = data.pointer("/status/parents").and_then(Value::as_array).into_iter().flatten();
    let conditions = parents.chain(data.get("status")).filter_map(|it| it["conditions"].as_array());
    let found = conditions.flatten().filter(|it| it["type"] == condition);
    found.filter_map(|it| it["message"].as_str()).collect::<Vec<_>>().join("; ")
}

/// The labels by which something in `namespace` names a waypoint.
fn naming(waypoint: &WaypointId, namespace: &str) -> Map<String, Value> {
    let mut labels = Map::new();
    labels.insert(USE_WAYPOINT.into(), waypoint.name.as_str().into());
    if waypoint.namespace != namespace {
        labels.insert(USE_WAYPOINT_NAMESPACE.into(), waypoint.namespace.as_str().into());
    }
    labels
}

pub(super) fn unmet(want: String, got: String) -> Failure {
    Unmet { want, got, decided_by: Some("istiod".into()), ..Unmet::default() }.into()
}

/// An object of the core group, or of `apps`.
pub(super) fn object(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    let group = if kind == "Deployment" { "apps/v1" } else { "v1" };
    ObjectRef {
        api_version: group.into(),
        kind: kind.into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn waypoint() -> WaypointId {
        WaypointId { namespace: "wm-1-ns".into(), name: "waypoint".into() }
    }

    fn service(status: &str, reason: &str, message: &str) -> Value {
        let condition = json!({"type": CONDITION, "status": status, "reason": reason, "message": message});
        json!({"status": {"conditions": [condition]}})
    }

    #[rstest]
    #[case::bound("Successfully attached to waypoint wm-1-ns/waypoint", true)]
    #[case::with_ingress("Successfully attached to waypoint wm-1-ns/waypoint. Ingress traffic", true)]
    #[case::to_another("Successfully attached to waypoint wm-1-ns/waypoint2", false)]
    #[case::without_words("", false)]
    fn bound_names_the_waypoint(#[case] message: &str, #[case] met: bool) {
        let shown = service("True", "WaypointAccepted", message);
        assert_eq!(Binding::To(waypoint()).check(&shown).is_ok(), met);
        Binding::Absent.check(&shown).unwrap_err();
    }

    #[test]
    fn a_refusal_has_its_reason() {
        let shown = service("False", "AttachmentDenied", "no");
        Binding::Refused("AttachmentDenied").check(&shown).unwrap();
        let why = Binding::Refused("WaypointIsNotReady").check(&shown).unwrap_err();
        assert_eq!(why, "istio.io/WaypointBound: False (AttachmentDenied) no");
        Binding::Absent.check(&json!({})).unwrap();
        Binding::To(waypoint()).check(&json!({})).unwrap_err();
    }

    #[test]
    fn a_waypoint_of_another_namespace_is_named_with_it() {
        assert_eq!(naming(&waypoint(), "wm-1-ns").len(), 1);
        let labels = Value::from(naming(&waypoint(), "wm-1-sa")).to_string();
        assert!(labels.contains(r#""istio.io/use-waypoint-namespace":"wm-1-ns""#), "{labels}");
    }

    #[test]
    fn conditions_are_read_of_every_parent() {
        let condition = json!({"type": "A", "message": "one"});
        let data = json!({"status": {"parents": [{"conditions": [condition]}, {}]}});
        assert_eq!((said(&data, "A"), said(&data, "B")), ("one".into(), String::new()));
    }
}
