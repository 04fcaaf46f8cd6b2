//! What a case does to the mesh: apply objects, delete them, take the waypoint away.

use serde_json::Value;

use super::Ctx;
use crate::case::{Broken, Failure};
use crate::converge::Look;
use crate::stage::cast::Part;
use crate::stage::objects::ObjectRef;
use crate::stage::{gateway_ref, status};

/// An object that a case applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied(ObjectRef);

impl Applied {
    /// How Istio names the routes of this object in access logs: `<namespace>.<name>.`, followed by the rule's position.
    #[must_use]
    pub fn route_prefix(&self) -> String {
        format!("{}.{}.", self.0.namespace.as_deref().unwrap_or_default(), self.0.name)
    }
}

impl Ctx {
    /// Applies an object in the case's namespace, under a name of the case's own, and waits until its status says that
    /// everybody who must has accepted it. Kinds without status (VirtualService, DestinationRule) are proven by traffic.
    ///
    /// # Errors
    /// An object that the API refuses, or that is not accepted in time, with the reason why not.
    pub async fn apply(&self, object: impl Into<waymark_manifests::Manifest>) -> Result<Applied, Failure> {
        Ok(self.apply_value(self.localise(object.into())?).await?)
    }

    /// Deletes an object and waits until the API has forgotten it; its effect may last a little longer.
    ///
    /// # Errors
    /// An object that does not go.
    pub async fn delete(&self, object: &Applied) -> Result<(), Failure> {
        self.stage.remove(&object.0).await?;
        self.journal.deleted(&object.0);
        Ok(())
    }

    /// Deletes the waypoint of a case that has a namespace of its own, and waits until its pods are gone.
    ///
    /// # Errors
    /// A case without a namespace of its own; a waypoint that does not go.
    pub async fn delete_waypoint(&self) -> Result<(), Failure> {
        if !self.own {
            return Err(Broken::new("only a case with a namespace of its own may delete its waypoint").into());
        }
        self.stage.remove(&gateway_ref(&self.waypoint)).await?;
        let gone = || async {
            let pods = self.stage.observer().waypoint_pods(&self.waypoint).await?;
            Ok(match pods.len() {
                0 => Look::Met(()),
                left => Look::Unmet(format!("{left} pods left")),
            })
        };
        self.stage.converge().rollout("end of the waypoint's pods", gone).await.map_err(Broken::from)?;
        Ok(())
    }

    async fn apply_value(&self, manifest: Value) -> Result<Applied, Broken> {
        let object = ObjectRef::of(&manifest)?;
        self.journal.applied(object.clone(), manifest.clone());
        self.decided([Part::Istiod]);
        self.stage.objects().apply(&manifest).await?;
        if let Some(judge) = status::judge(&object.kind) {
            let what = format!("{object} accepted");
            self.stage.converge().until(&what, || self.stage.objects().look(&object, judge)).await?;
        }
        Ok(Applied(object))
    }

    /// The object under a name and in a namespace of this case.
    fn localise(&self, manifest: waymark_manifests::Manifest) -> Result<Value, Broken> {
        let name = self.named(manifest.name());
        let mut object = Value::from(manifest.or_in_namespace(&self.place.namespace));
        let metadata =
            object.get_mut("metadata").ok_or_else(|| Broken::new(format!("{name} has no metadata")))?;
        metadata["name"] = name.into();
        Ok(object)
    }
}
