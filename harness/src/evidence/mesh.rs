//! Evidence that the API server holds: objects, labels, Gateways, endpoints, events.

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Item, Limits, Subject, view};
use crate::diagnose::object::{label, namespace};
use crate::diagnose::{Applied, Objects};
use crate::stage::Stage;
use crate::stage::objects::ObjectRef;

/// Where Istio itself lives.
pub(super) const SYSTEM: &str = "istio-system";

/// What was read of the API server.
#[derive(Default)]
pub(super) struct Mesh {
    pub(super) items: Vec<Item>,
    pub(super) objects: Objects,
    pub(super) applied: Vec<Applied>,
    pub(super) unreadable: Vec<String>,
    pub(super) reads: usize,
}

/// Reads of one API server, each within its time, and what failed.
struct Reader<'a> {
    stage: &'a Stage,
    limits: &'a Limits,
}

type Listed = Result<Vec<Value>, String>;

impl Reader<'_> {
    async fn list(&self, api_version: &str, kind: &str, namespace: &str) -> Listed {
        let like = ObjectRef {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: String::new(),
        };
        let listed = timeout(self.limits.item, self.stage.objects().list(&like, "")).await;
        let listed = listed
            .map_err(|_| format!("list {kind} in {namespace}: no answer within {:?}", self.limits.item))?;
        let listed = listed.map_err(|why| format!("list {kind} in {namespace}: {}", why.chain()))?;
        Ok(listed
            .into_iter()
            .filter_map(|it| serde_json::to_value(it).ok())
            .map(|it| named(it, api_version, kind))
            .collect())
    }

    /// The same in several namespaces, in one; fails when any of them does.
    async fn lists(&self, api_version: &str, kind: &str, namespaces: &[String]) -> Listed {
        let all = join_all(namespaces.iter().map(|it| self.list(api_version, kind, it))).await;
        Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, String> {
        let found = timeout(self.limits.item, self.stage.objects().get(object)).await;
        let found = found.map_err(|_| format!("read {object}: no answer within {:?}", self.limits.item))?;
        let found = found.map_err(|why| why.chain())?;
        Ok(found.and_then(|it| serde_json::to_value(it).ok()).map(view::plain))
    }

    async fn homes(&self, namespaces: &[String]) -> Listed {
        let home = |name: &String| ObjectRef {
            api_version: "v1".into(),
            kind: "Namespace".into(),
            namespace: None,
            name: name.clone(),
        };
        let homes: Vec<_> = namespaces.iter().map(home).collect();
        let all = join_all(homes.iter().map(|it| self.get(it))).await;
        Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

/// Reads everything at once.
pub(super) async fn read(stage: &Stage, subject: &Subject, limits: &Limits) -> Mesh {
    let reader = Reader { stage, limits };
    let namespaces = subject.namespaces();
    let with_system: Vec<String> = namespaces.iter().cloned().chain([SYSTEM.to_owned()]).collect();
    let applied = join_all(subject.objects.iter().map(|(object, manifest)| {
        let reader = &reader;
        async move { (manifest.clone(), reader.get(object).await) }
    }));
    let kinds = async {
        tokio::join!(
            reader.homes(&namespaces),
            reader.lists("v1", "Service", &namespaces),
            reader.lists("v1", "Pod", &with_system),
            reader.lists("gateway.networking.k8s.io/v1", "Gateway", &namespaces),
            reader.lists("discovery.k8s.io/v1", "EndpointSlice", &namespaces),
            reader.lists("v1", "Event", &namespaces),
        )
    };
    let (applied, (homes, services, pods, gateways, endpoints, events)) = join(applied, kinds).await;
    let mut mesh = Mesh::default();
    mesh.applied(applied, limits);
    mesh.steering(
        [("namespaces", &homes), ("services", &services), ("pods", &pods), ("endpoints", &endpoints)],
        subject,
        limits,
    );
    let about = "the Gateways of the case's namespaces, with status";
    mesh.items.push(listing("gateways.json", about, &gateways, limits.steering / 4));
    mesh.items.push(listing("events.json", "events of the case's namespaces", &events, limits.events));
    mesh.objects = Objects {
        namespaces: mesh.taken(homes),
        services: mesh.taken(services),
        pods: mesh.taken(pods),
        gateways: mesh.taken(gateways),
        endpoints: mesh.taken(endpoints),
    };
    mesh.taken(events);
    mesh
}

/// A list in full.
fn listing(name: &str, about: &str, listed: &Listed, most: usize) -> Item {
    match listed {
        Ok(all) => Item::json(name, about, all.iter().cloned().map(view::plain).collect(), most),
        Err(why) => Item::missing(name, about, why.as_str()),
    }
}

impl Mesh {
    fn taken<T>(&mut self, read: Result<T, String>) -> Option<T> {
        self.reads += 1;
        read.map_err(|why| self.unreadable.push(why)).ok()
    }

    fn applied(&mut self, applied: Vec<(Value, Result<Option<Value>, String>)>, limits: &Limits) {
        let mut shown = Vec::new();
        for (manifest, found) in applied {
            shown.push(match &found {
                Ok(found) => json!({"applied": manifest, "found": found}),
                Err(why) => json!({"applied": manifest, "unreadable": why}),
            });
            let found = self.taken(found).flatten();
            self.applied.push(Applied { manifest, found });
        }
        let about = "what the case applied, newest first, and what was found of it, with status";
        self.items.push(Item::json("objects.json", about, Value::Array(shown), limits.objects));
    }

    fn steering(&mut self, lists: [(&str, &Listed); 4], subject: &Subject, limits: &Limits) {
        let mut shown = json!({});
        for (key, listed) in lists {
            shown[key] = match listed {
                Ok(all) => all.iter().filter(|it| bears_on(it, subject)).map(view::steering).collect(),
                Err(why) => json!({"unreadable": why}),
            };
        }
        let about = "labels and status of namespaces, Services, pods and endpoints that steer the traffic";
        self.items.push(Item::json("steering.json", about, shown, limits.steering / 4 * 3));
    }
}

/// Whether a Service or slice is the case's own, or no case's; everything else is shown.
fn bears_on(object: &Value, subject: &Subject) -> bool {
    let service = match object["kind"].as_str() {
        Some("Service") => crate::diagnose::object::name(object),
        Some("EndpointSlice") => label(object, "kubernetes.io/service-name").unwrap_or_default(),
        _ => return true,
    };
    let ours = subject.objects.iter().any(|(it, _)| {
        it.kind == "Service" && it.name == service && it.namespace.as_deref() == Some(namespace(object))
    });
    ours || service == subject.waypoint.name
}

/// Lists leave out of each item what they say of all.
fn named(mut object: Value, api_version: &str, kind: &str) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.entry("apiVersion").or_insert_with(|| api_version.into());
        fields.entry("kind").or_insert_with(|| kind.into());
    }
    object
}
