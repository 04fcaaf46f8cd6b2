//! What the status of a route says of its parents, and routes that are not meant to be accepted.

use serde_json::Value;
use waymark_manifests::{Manifest, ServiceRef};

use super::{Applied, Ctx, Subset};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::stage::cast::Part;

impl Ctx {
    /// A Service that does not exist, where the Services of this case are.
    #[must_use]
    pub fn no_service(&self, name: &str) -> Subset {
        Subset { namespace: self.place.namespace.clone(), name: self.named(name) }
    }

    /// Applies an object in the case's namespace, under a name of the case's own, without waiting for anything.
    ///
    /// # Errors
    /// An object that the API refuses.
    pub async fn apply_unaccepted(&self, object: impl Into<Manifest>) -> Result<Applied, Failure> {
        Ok(self.put(&self.localise(object.into())?).await?)
    }

    /// Applies an object that is younger than another by the API's clock, which counts in seconds.
    ///
    /// # Errors
    /// An object that the API refuses, or that is not accepted in time.
    pub async fn apply_younger_than(
        &self,
        older: &Applied,
        object: impl Into<Manifest>,
    ) -> Result<Applied, Failure> {
        let born = self.stage.objects().get(older.object()).await?;
        let born = born.and_then(|object| object.metadata.creation_timestamp);
        let born = born.ok_or_else(|| Broken::new(format!("{} has no time of creation", older.object())))?;
        let passed = || async {
            let age = jiff::Timestamp::now().duration_since(born.0).as_millis();
            Ok::<_, Broken>(match age {
                1_000.. => Look::Met(()),
                _ => Look::Unmet(format!("{age} ms old")),
            })
        };
        let what = format!("the second after {} was made", older.object());
        self.stage.converge().until(&what, passed).await.map_err(Broken::from)?;
        self.apply(object).await
    }

    /// The status of a route must come to say this of one of its parents, as of the route's newest generation.
    ///
    /// # Errors
    /// What it says instead.
    pub async fn must_say(
        &self,
        route: &Applied,
        parent: impl Into<ServiceRef>,
        condition: &str,
        status: &str,
        reason: &str,
    ) -> Verdict {
        self.decided([Part::Istiod]);
        let parent = parent.into();
        let want = format!("{condition} of parent {}: {status} ({reason})", parent.name);
        let judge = |object: &Value| says(object, &parent, condition, status, reason);
        let look = || self.stage.objects().look(route.object(), judge);
        let Err(missed) = self.stage.converge().until(&want, look).await else { return Ok(()) };
        let got = format!("{condition} of parent {}: {}", parent.name, missed.seen()?);
        Err(Unmet { want, got, decided_by: Some("istiod".to_owned()), ..Unmet::default() }.into())
    }
}

/// Whether the one status entry of this parent has the condition, in this state and of this generation; else what it has.
fn says(
    route: &Value,
    parent: &ServiceRef,
    condition: &str,
    status: &str,
    reason: &str,
) -> Result<(), String> {
    let home = &route["metadata"]["namespace"];
    let of_parent = |entry: &&Value| {
        let reference = &entry["parentRef"];
        reference["name"] == parent.name.as_str()
            && reference.get("namespace").unwrap_or(home) == parent.namespace.as_str()
    };
    let entries: Vec<_> =
        route["status"]["parents"].as_array().into_iter().flatten().filter(of_parent).collect();
    let [entry] = entries[..] else { return Err(format!("{} entries in status", entries.len())) };
    let found = entry["conditions"].as_array().into_iter().flatten().find(|it| it["type"] == condition);
    let Some(found) = found else { return Err("no such condition".to_owned()) };
    if found["observedGeneration"] != route["metadata"]["generation"] {
        return Err(format!("of generation {}", found["observedGeneration"]));
    }
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    if text("status") == status && text("reason") == reason {
        return Ok(());
    }
    Err(format!("{} ({}): {}", text("status"), text("reason"), text("message")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn entry(parent: &str, status: &str, generation: i64) -> Value {
        json!({
            "parentRef": {"kind": "Service", "name": parent},
            "conditions": [{
                "type": "Accepted", "status": status, "reason": "Why", "message": "because", "observedGeneration": generation,
            }],
        })
    }

    #[rstest]
    #[case::said(vec![entry("cart", "False", 2), entry("shop", "True", 2)], Ok(()))]
    #[case::otherwise(vec![entry("shop", "False", 2)], Err("False (Why): because"))]
    #[case::stale(vec![entry("shop", "True", 1)], Err("of generation 1"))]
    #[case::of_another(vec![entry("cart", "True", 2)], Err("0 entries in status"))]
    #[case::twice(vec![entry("shop", "True", 2), entry("shop", "True", 2)], Err("2 entries in status"))]
    fn a_condition_is_of_one_parent_and_this_generation(
        #[case] parents: Vec<Value>,
        #[case] want: Result<(), &str>,
    ) {
        let route = json!({"metadata": {"namespace": "a", "generation": 2}, "status": {"parents": parents}});
        let shop = ServiceRef::new("shop", "a", 80);
        assert_eq!(says(&route, &shop, "Accepted", "True", "Why"), want.map_err(str::to_owned));
        says(&route, &shop, "ResolvedRefs", "True", "Why").unwrap_err();
        says(&route, &ServiceRef::new("shop", "b", 80), "Accepted", "True", "Why").unwrap_err();
    }
}
