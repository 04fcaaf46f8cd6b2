//! The edge to the Kubernetes API: apply, read, delete and await objects given as JSON.

use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::case::Broken;
use crate::converge::{Look, Missed};

/// The field manager of every object that waymark applies.
pub const MANAGER: &str = "waymark";

/// Which object, without its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// `v1`, `gateway.networking.k8s.io/v1`, …
    pub api_version: String,
    /// `Service`, `HTTPRoute`, …
    pub kind: String,
    /// Absent for what is not in a namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl ObjectRef {
    /// The object that a manifest describes.
    ///
    /// # Errors
    /// A manifest without apiVersion, kind or name.
    pub fn of(manifest: &Value) -> Result<Self, Broken> {
        let text = |path: &str| manifest.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let missing = |what: &str| Broken::new(format!("manifest without {what}: {manifest}"));
        Ok(Self {
            api_version: text("/apiVersion").ok_or_else(|| missing("apiVersion"))?,
            kind: text("/kind").ok_or_else(|| missing("kind"))?,
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name").ok_or_else(|| missing("name"))?,
        })
    }

    fn resource(&self) -> ApiResource {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        let gvk = GroupVersionKind::gvk(group, version, &self.kind);
        ApiResource::from_gvk_with_plural(&gvk, &plural(&self.kind))
    }
}

/// The resource name of a kind; the API's own rule for every kind that we use.
fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if lower.ends_with('s') => format!("{lower}es"),
        _ => format!("{lower}s"),
    }
}

/// Objects of one cluster.
#[derive(Clone)]
pub struct Objects {
    client: Client,
}

impl Objects {
    /// The objects that this client sees.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client itself.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn api(&self, object: &ObjectRef) -> Api<DynamicObject> {
        let resource = object.resource();
        match &object.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// Server-side apply, owning every field that it names.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn apply(&self, manifest: &Value) -> Result<DynamicObject, Broken> {
        let object = ObjectRef::of(manifest)?;
        let params = PatchParams::apply(MANAGER).force();
        let applied = self.api(&object).patch(&object.name, &params, &Patch::Apply(manifest)).await;
        applied.map_err(|why| Broken::with(format!("apply {object}"), why))
    }

    /// The object, if it is there.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn get(&self, object: &ObjectRef) -> Result<Option<DynamicObject>, Broken> {
        self.api(object)
            .get_opt(&object.name)
            .await
            .map_err(|why| Broken::with(format!("read {object}"), why))
    }

    /// All objects of one kind that carry these labels.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn list(&self, like: &ObjectRef, labels: &str) -> Result<Vec<DynamicObject>, Broken> {
        let listed = self.api(like).list(&ListParams::default().labels(labels)).await;
        listed
            .map(|list| list.items)
            .map_err(|why| Broken::with(format!("list {} by {labels}", like.kind), why))
    }

    /// Deletes the object; one that is gone already is fine. Does not wait.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn delete(&self, object: &ObjectRef) -> Result<(), Broken> {
        match self.api(object).delete(&object.name, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(why) => Err(Broken::with(format!("delete {object}"), why)),
        }
    }

    /// Deletes the object without a time to end in good order. Does not wait.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn kill(&self, object: &ObjectRef) -> Result<(), Broken> {
        let params = DeleteParams::background().grace_period(0);
        let killed = self.api(object).delete(&object.name, &params).await;
        killed.map(drop).map_err(|why| Broken::with(format!("kill {object}"), why))
    }

    /// One look at an object's status by a pure function of its JSON, for [`crate::converge::Converge::until`].
    ///
    /// # Errors
    /// What the API server said.
    pub async fn look<F>(&self, object: &ObjectRef, judge: F) -> Result<Look<Value>, Broken>
    where
        F: Fn(&Value) -> Result<(), String>,
    {
        let Some(found) = self.get(object).await? else { return Ok(Look::Unmet("it does not exist".into())) };
        let found = serde_json::to_value(found).map_err(|why| Broken::with(format!("read {object}"), why))?;
        Ok(match judge(&found) {
            Ok(()) => Look::Met(found),
            Err(why) => Look::Unmet(why),
        })
    }
}

impl Missed<Broken> {
    /// What was seen instead of the claim; an error where nothing was seen at all, so that nothing can be judged.
    ///
    /// # Errors
    /// The broken look, or the budget that ran out before the first look ended.
    pub fn seen(self) -> Result<String, Broken> {
        match self {
            Self::Broken(broken) => Err(broken),
            Self::Late { attempts: 0, .. } => Err(Broken::new(self.to_string())),
            Self::Late { last, budget, attempts, .. } => {
                Ok(format!("{last} (for {budget:?}, {attempts} looks)"))
            }
            Self::Happened { seen, after, .. } => Ok(format!("{seen} (after {after:?})")),
        }
    }
}

impl From<Missed<Broken>> for Broken {
    fn from(missed: Missed<Broken>) -> Self {
        match missed {
            Missed::Broken(broken) => broken,
            late => Self::new(late.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use rstest::rstest;

    use super::*;

    /// An API server that gives one answer, and the requests that it got.
    fn answering(status: u16, body: &'static str) -> (Objects, Arc<Mutex<Vec<String>>>) {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            log.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
            let answer = http::Response::builder()
                .status(status)
                .body(kube::client::Body::from(body.as_bytes().to_vec()));
            async move { Ok::<_, std::convert::Infallible>(answer.unwrap()) }
        });
        (Objects::new(Client::new(service, "default")), asked)
    }

    fn shop() -> ObjectRef {
        let name = |text: &str| text.to_owned();
        ObjectRef {
            api_version: name("v1"),
            kind: name("Service"),
            namespace: Some(name("a")),
            name: name("shop"),
        }
    }

    const GONE: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","message":"gone","code":404}"#;
    const REFUSED: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","message":"port is wrong","code":422}"#;

    #[tokio::test]
    async fn what_is_gone_is_deleted_and_unmet() {
        let (objects, asked) = answering(404, GONE);
        objects.delete(&shop()).await.unwrap();
        assert_eq!(objects.get(&shop()).await.unwrap().map(|it| it.metadata), None);
        let look = objects.look(&shop(), |_| Ok(())).await.unwrap();
        assert_eq!(look, Look::Unmet("it does not exist".into()));
        assert!(asked.lock().unwrap()[0].starts_with("DELETE /api/v1/namespaces/a/services/shop"));
    }

    #[tokio::test]
    async fn an_apply_is_ours_and_tells_why_it_was_refused() {
        let (objects, asked) = answering(422, REFUSED);
        let manifest = serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "a"}});
        let why = objects.apply(&manifest).await.unwrap_err().chain();
        assert!(why.starts_with("apply Service a/shop: ") && why.contains("port is wrong"), "{why}");
        let asked = asked.lock().unwrap().remove(0);
        assert!(asked.contains("fieldManager=waymark") && asked.contains("force=true"), "{asked}");
    }

    #[rstest]
    #[case("Gateway", "gateways")]
    #[case("GatewayClass", "gatewayclasses")]
    #[case("HTTPRoute", "httproutes")]
    #[case("AuthorizationPolicy", "authorizationpolicies")]
    #[case("Telemetry", "telemetries")]
    #[case("VirtualService", "virtualservices")]
    #[case("Service", "services")]
    #[case("ServiceEntry", "serviceentries")]
    fn kinds_have_their_plural(#[case] kind: &str, #[case] want: &str) {
        assert_eq!(plural(kind), want);
    }

    #[test]
    fn a_manifest_names_its_object() {
        let manifest = serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"}});
        assert_eq!(ObjectRef::of(&manifest).unwrap().to_string(), "Service b/a");
        ObjectRef::of(&serde_json::json!({"kind": "Service"})).unwrap_err();
    }
}
