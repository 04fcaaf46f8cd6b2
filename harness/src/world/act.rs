//! What a case does to the mesh: apply objects and delete them.

use serde_json::Value;

use super::Ctx;
use crate::case::{Broken, Failure, Unmet};
use crate::stage::cast::Part;
use crate::stage::objects::ObjectRef;
use crate::stage::status;

/// An object that a case applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied(ObjectRef);

impl Applied {
    /// The object itself.
    pub(super) fn object(&self) -> &ObjectRef {
        &self.0
    }

    /// How Istio names the routes of this object in access logs: `<namespace>.<name>.`, followed by the rule's position.
    #[must_use]
    pub fn route_prefix(&self) -> String {
        format!("{}.{}.", self.0.namespace.as_deref().unwrap_or_default(), self.0.name)
    }

    /// How Envoy names a rule of this policy, by its position from 0, as the reason of a denial.
    #[must_use]
    pub fn denial(&self, rule: usize) -> String {
        let namespace = self.0.namespace.as_deref().unwrap_or_default();
        format!("rbac_access_denied_matched_policy[ns[{namespace}]-policy[{}]-rule[{rule}]]", self.0.name)
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

    /// Applies an object whose status must come to say this of a condition: its status and its reason.
    ///
    /// # Errors
    /// What it says instead; or an object that the API refuses.
    pub async fn must_be_told(
        &self,
        object: impl Into<waymark_manifests::Manifest>,
        condition: &str,
        told: &str,
        reason: &str,
    ) -> Result<Applied, Failure> {
        let manifest = self.localise(object.into())?;
        let object = ObjectRef::of(&manifest)?;
        self.journal.applied(object.clone(), manifest.clone());
        self.decided([Part::Istiod]);
        self.stage.objects().apply(&manifest).await?;
        let judge = |object: &Value| status::told(object, condition, told, reason);
        let what = format!("{object} told {condition}");
        let late =
            match self.stage.converge().until(&what, || self.stage.objects().look(&object, judge)).await {
                Ok(_) => return Ok(Applied(object)),
                Err(late) => late,
            };
        let want = format!("{condition}: {told} ({reason})");
        let decided_by = Some("istiod".to_owned());
        Err(Unmet {
            want,
            got: late.seen()?,
            decided_by,
            sent: Some(object.to_string()),
            answers: Vec::new(),
        }
        .into())
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

    pub(super) async fn apply_value(&self, manifest: Value) -> Result<Applied, Broken> {
        let applied = self.put(&manifest).await?;
        let object = applied.object();
        if let Some(judge) = status::judge(&object.kind) {
            let what = format!("{object} accepted");
            self.stage.converge().until(&what, || self.stage.objects().look(object, judge)).await?;
        }
        Ok(applied)
    }

    /// Applies an object and remembers it.
    pub(super) async fn put(&self, manifest: &Value) -> Result<Applied, Broken> {
        let object = ObjectRef::of(manifest)?;
        self.journal.applied(object.clone(), manifest.clone());
        self.decided([Part::Istiod]);
        self.stage.objects().apply(manifest).await?;
        Ok(Applied(object))
    }

    /// The object under a name and in a namespace of this case.
    pub(super) fn localise(&self, manifest: waymark_manifests::Manifest) -> Result<Value, Broken> {
        let name = self.named(manifest.name());
        let mut object = Value::from(manifest.or_in_namespace(&self.place.namespace));
        let metadata =
            object.get_mut("metadata").ok_or_else(|| Broken::new(format!("{name} has no metadata")))?;
        metadata["name"] = name.into();
        Ok(object)
    }
}
