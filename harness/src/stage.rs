//! The stage of a run: shared namespaces with apps, waypoints at both scopes and clients, raised once and struck at the end;
//! and the extension providers of the mesh, which stay.

pub mod cast;
pub(crate) mod forward;
pub mod objects;
pub mod port;
pub mod providers;
pub mod scenery;
mod site;
pub mod status;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures::future::{join_all, try_join, try_join_all};
use serde_json::Value;
use tokio::time::{Duration, Instant};

use crate::case::{Broken, Scope};
use crate::converge::{Converge, Look};
use crate::expect::WaypointId;
use crate::observe::nack::Rejections;
use crate::observe::{Observer, PodHere};
use crate::probe::Channel;
use cast::Sender;
use objects::{ObjectRef, Objects};
use scenery::{Mesh, Place, Playbill};

pub(crate) use site::Shared;
pub use site::Worlds;

/// How long the addresses of a waypoint's pods are believed.
const ADDRESSES_FRESH: Duration = Duration::from_secs(2);

/// What all cases of a run share.
pub struct Stage {
    bill: Playbill,
    objects: Objects,
    observer: Observer,
    converge: Converge,
    places: Vec<Place>,
    senders: BTreeMap<Sender, Channel>,
    /// What proxies had refused before the stage stood.
    refused: Rejections,
    addresses: Mutex<BTreeMap<WaypointId, (Instant, Vec<IpAddr>)>>,
    /// istioctl of the release, and the kubeconfig for it.
    istioctl: Option<(PathBuf, PathBuf)>,
}

impl Stage {
    /// Puts up all shared places and waits until apps are available, pods enrolled and waypoints programmed.
    ///
    /// # Errors
    /// What could not be applied, or was not there in time, with the reason why not yet.
    pub async fn raise(client: kube::Client, bill: Playbill, converge: Converge) -> Result<Self, Broken> {
        let mut stage = Self::bare(client, scenery::places(&bill.run), bill, converge);
        stage.refused = stage.observer.rejections().await?;
        let places = try_join_all(stage.places.iter().map(|place| stage.build(place)));
        if let Err(failed) = try_join(places, stage.provide()).await {
            return Err(stage.with_refusals(failed).await);
        }
        stage.senders = stage.cast().await?;
        Ok(stage)
    }

    /// Joins the shared places that another process raised under the run id `raised`. What this process makes
    /// beside them is billed to itself, and [`Stage::strike`] takes down nothing else. `refused` is what proxies had
    /// refused when the run began, if that is known already.
    ///
    /// # Errors
    /// A client that is not there any more, or an istiod that cannot be asked.
    pub async fn join(
        client: kube::Client,
        raised: &str,
        bill: Playbill,
        converge: Converge,
        refused: Option<Rejections>,
    ) -> Result<Self, Broken> {
        let mut stage = Self::bare(client, scenery::places(raised), bill, converge);
        let before = async {
            match refused {
                Some(refused) => Ok(refused),
                None => stage.observer.rejections().await,
            }
        };
        (stage.refused, stage.senders) = try_join(before, stage.cast()).await?;
        Ok(stage)
    }

    fn bare(client: kube::Client, places: Vec<Place>, bill: Playbill, converge: Converge) -> Self {
        Self {
            places,
            bill,
            objects: Objects::new(client.clone()),
            observer: Observer::new(client),
            converge,
            senders: BTreeMap::new(),
            refused: Rejections::default(),
            addresses: Mutex::default(),
            istioctl: None,
        }
    }

    /// The same with the release's istioctl and a kubeconfig of the cluster.
    #[must_use]
    pub fn with_istioctl(self, istioctl: Option<PathBuf>, kubeconfig: PathBuf) -> Self {
        Self { istioctl: istioctl.map(|istioctl| (istioctl, kubeconfig)), ..self }
    }

    /// istioctl of the release, and the kubeconfig for it.
    pub(crate) fn istioctl(&self) -> Result<(&Path, &Path), Broken> {
        let known = self.istioctl.as_ref().map(|(istioctl, config)| (istioctl.as_path(), config.as_path()));
        known.ok_or_else(|| Broken::new("no istioctl is known of this cluster"))
    }

    /// The ways to the clients, which are opened at their first use.
    async fn cast(&self) -> Result<BTreeMap<Sender, Channel>, Broken> {
        let all =
            self.places.iter().flat_map(|place| place.senders.iter().map(move |sender| (place, *sender)));
        let ways = all.map(|(place, sender)| async move {
            let pod = self.ready_pod(place, &sender.deployment()).await?;
            Ok::<_, Broken>((sender, Channel::new(self.objects.client().clone(), pod)))
        });
        Ok(try_join_all(ways).await?.into_iter().collect())
    }

    /// Takes down every namespace that is billed to the run, and waits until they are gone.
    ///
    /// # Errors
    /// What is still there.
    pub async fn strike(&self) -> Result<(), Broken> {
        let all = self.namespaces().await?;
        let gone = join_all(all.iter().map(|namespace| self.remove(namespace))).await;
        gone.into_iter().collect()
    }

    /// Lets every namespace of the run end, and does not wait for it.
    ///
    /// # Errors
    /// What could not be deleted.
    pub async fn dismiss(&self) -> Result<(), Broken> {
        let all = self.namespaces().await?;
        let told = join_all(all.iter().map(|namespace| self.objects.delete(namespace))).await;
        told.into_iter().collect()
    }

    async fn namespaces(&self) -> Result<Vec<ObjectRef>, Broken> {
        let namespace = |name: &str| ObjectRef {
            api_version: "v1".into(),
            kind: "Namespace".into(),
            namespace: None,
            name: name.into(),
        };
        let labels = format!("{}={}", scenery::RUN_LABEL, self.bill.run);
        let all = self.objects.list(&namespace(""), &labels).await?;
        Ok(all.into_iter().filter_map(|it| it.metadata.name).map(|name| namespace(&name)).collect())
    }

    /// The edge to the cluster's objects.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The edge to logs and metrics.
    #[must_use]
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// What proxies have refused since the stage was raised.
    ///
    /// # Errors
    /// An istiod that cannot be asked.
    pub async fn rejections(&self) -> Result<Rejections, Broken> {
        Ok(self.observer.rejections().await?.since(&self.refused))
    }

    /// What proxies had refused when the run began.
    pub(crate) fn refused_before(&self) -> &Rejections {
        &self.refused
    }

    /// What failed, behind what proxies refused meanwhile: a waypoint that takes no configuration is never ready.
    async fn with_refusals(&self, failed: Broken) -> Broken {
        match self.rejections().await {
            Ok(refused) if !refused.none() => {
                Broken::with(format!("proxies refused configuration: {}", refused.words.join("; ")), failed)
            }
            _ => failed,
        }
    }

    /// How this run waits.
    #[must_use]
    pub fn converge(&self) -> &Converge {
        &self.converge
    }

    /// The run's id and what its objects share.
    #[must_use]
    pub fn bill(&self) -> &Playbill {
        &self.bill
    }

    /// How often a way to a client had to be opened again.
    #[must_use]
    pub fn reopened(&self) -> u32 {
        self.senders.values().map(Channel::reopened).sum()
    }

    /// The way to a client.
    ///
    /// # Errors
    /// A client that is not on this stage.
    pub fn sender(&self, sender: Sender) -> Result<&Channel, Broken> {
        self.senders.get(&sender).ok_or_else(|| Broken::new(format!("client {sender} is not on the stage")))
    }

    /// The namespace of a client.
    pub(crate) fn home(&self, sender: Sender) -> &str {
        let place = self.places.iter().find(|place| place.senders.contains(&sender));
        place.map_or("", |place| place.namespace.as_str())
    }

    /// The shared place for a scope; where the scope does not matter, that of the namespace's waypoint.
    pub(crate) fn place(&self, scope: Scope) -> Result<&Place, Broken> {
        let mesh = match scope {
            Scope::Namespace | Scope::Mesh => Mesh::NamespaceWaypoint,
            Scope::ServiceAccount => Mesh::LabelledWaypoint,
        };
        self.place_of(mesh)
    }

    /// The shared place with this part in the mesh.
    pub(crate) fn place_of(&self, mesh: Mesh) -> Result<&Place, Broken> {
        let found = self.places.iter().find(|place| place.mesh == mesh && !place.backends.is_empty());
        found.ok_or_else(|| Broken::new(format!("no place on the stage is {mesh:?}")))
    }

    /// The addresses of a waypoint's pods, at most two seconds old.
    pub(crate) async fn addresses(&self, waypoint: &WaypointId) -> Result<Vec<IpAddr>, Broken> {
        let known = self.addresses.lock().ok().and_then(|known| known.get(waypoint).cloned());
        if let Some((read, addresses)) = known
            && read.elapsed() < ADDRESSES_FRESH
        {
            return Ok(addresses);
        }
        let pods = self.observer.waypoint_pods(waypoint).await?;
        let addresses: Vec<_> = pods.into_iter().flat_map(|pod| pod.addresses).collect();
        if let Ok(mut known) = self.addresses.lock() {
            known.insert(waypoint.clone(), (Instant::now(), addresses.clone()));
        }
        Ok(addresses)
    }

    /// Puts up one place.
    pub(crate) async fn build(&self, place: &Place) -> Result<(), Broken> {
        self.objects.apply(&place.home(&self.bill)).await?;
        let (accounts, rest): (Vec<_>, Vec<_>) =
            place.objects(&self.bill).into_iter().partition(|object| object["kind"] == "ServiceAccount");
        // Pods are only made once their accounts exist; the controller would wait a second before it tries again.
        try_join_all(accounts.iter().map(|object| self.objects.apply(object))).await?;
        try_join_all(rest.iter().map(|object| self.objects.apply(object))).await?;
        let apps = try_join_all(place.deployments().map(|name| self.up(place, name)));
        try_join(apps, self.waypoint_up(place)).await?;
        Ok(())
    }

    /// Puts up the extension providers, unless they stand already.
    async fn provide(&self) -> Result<(), Broken> {
        for object in providers::objects(&self.bill) {
            self.objects.apply(&object).await?;
        }
        self.up(&providers::place(), providers::app()).await
    }

    /// The pod of the extension providers.
    pub(crate) async fn provider(&self) -> Result<PodHere, Broken> {
        self.ready_pod(&providers::place(), &providers::app()).await
    }

    /// Deletes an object and waits until it is gone.
    pub(crate) async fn remove(&self, object: &ObjectRef) -> Result<(), Broken> {
        self.objects.delete(object).await?;
        let what = format!("end of {object}");
        let gone = || async {
            Ok(match self.objects.get(object).await? {
                None => Look::Met(()),
                Some(left) => Look::Unmet(format!("still there: {}", remains(&left.data))),
            })
        };
        self.converge.rollout(&what, gone).await?;
        Ok(())
    }

    /// A Ready pod of a Deployment; enrolled, where the place is captured.
    pub(crate) async fn ready_pod(&self, place: &Place, deployment: &str) -> Result<PodHere, Broken> {
        let captured = place.mesh != Mesh::Out;
        let what = format!("a ready pod of {}/{deployment}", place.namespace);
        let look = || async {
            let pods = self.observer.pods(&place.namespace, &format!("waymark.app={deployment}")).await?;
            let ready = pods.iter().find(|pod| pod.ready && (pod.enrolled || !captured));
            Ok(match ready {
                Some(pod) => Look::Met(pod.clone()),
                None => Look::Unmet(format!("pods: {pods:?}")),
            })
        };
        Ok(self.converge.rollout(&what, look).await?.value)
    }

    /// Waits until a Deployment is available and its pod enrolled, where the place is captured.
    pub(crate) async fn up(&self, place: &Place, deployment: String) -> Result<(), Broken> {
        let object = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some(place.namespace.clone()),
            name: deployment,
        };
        let what = format!("{object} available");
        self.converge.rollout(&what, || self.objects.look(&object, status::deployment)).await?;
        self.ready_pod(place, &object.name).await?;
        Ok(())
    }

    async fn waypoint_up(&self, place: &Place) -> Result<(), Broken> {
        let Some(waypoint) = place.waypoint() else { return Ok(()) };
        let object = gateway_ref(&waypoint);
        let what = format!("{object} programmed");
        self.converge.rollout(&what, || self.objects.look(&object, status::gateway)).await?;
        let what = format!("a ready pod of waypoint {waypoint}");
        let ready = || async {
            let pods = self.observer.waypoint_pods(&waypoint).await?;
            let hint = "is the istio-waypoint GatewayClass accepted?";
            Ok(match pods.iter().any(|pod| pod.ready) {
                true => Look::Met(()),
                false => Look::Unmet(format!("{} pods, none ready; {hint}", pods.len())),
            })
        };
        self.converge.rollout(&what, ready).await?;
        Ok(())
    }
}

/// The Gateway of a waypoint.
pub(crate) fn gateway_ref(waypoint: &WaypointId) -> ObjectRef {
    ObjectRef {
        api_version: "gateway.networking.k8s.io/v1".into(),
        kind: "Gateway".into(),
        namespace: Some(waypoint.namespace.clone()),
        name: waypoint.name.clone(),
    }
}

/// What a namespace that does not end is waiting for.
fn remains(data: &Value) -> String {
    let conditions = data.pointer("/status/conditions").and_then(Value::as_array);
    let pending = conditions.into_iter().flatten().filter(|it| it["status"] == "True");
    let messages: Vec<_> = pending.filter_map(|it| it["message"].as_str()).collect();
    if messages.is_empty() { "no reason given".to_owned() } else { messages.join("; ") }
}
