//! The embedded target: Kubernetes and Istio as plain processes on this machine, without a container engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use waymark_components::Release;
use waymark_node::{Cluster, ClusterConfig, ControlPlaneParts};

use super::parts::Obtained;
use super::{Reached, images};
use crate::case::Broken;
use crate::converge::Converge;
use crate::istio::{self, Install};
use crate::stage::objects::Objects;

/// Changes when a saved state of an earlier waymark must not be used any more.
const STATE: u32 = 1;
/// How many saved states are kept.
const STATES_KEPT: usize = 6;
/// istiod's debounce: changes come one at a time, and nothing is gained by waiting for more.
const DEBOUNCE: Duration = Duration::from_millis(10);

/// What to start.
pub(crate) struct Wanted<'a> {
    pub(crate) release: &'a Release,
    pub(crate) obtained: &'a Obtained,
    /// Directory of the cluster: logs, kubeconfig, mount point.
    pub(crate) dir: PathBuf,
    /// Folder of saved states.
    pub(crate) cache: PathBuf,
    pub(crate) nodes: u8,
    pub(crate) sabotage: &'a [String],
}

/// A running embedded cluster.
pub(crate) struct Embedded {
    pub(crate) cluster: Cluster,
    pub(crate) reached: Reached,
    /// Steps of the start, for whoever wants to know where the time went.
    pub(crate) steps: Vec<(String, u64)>,
}

/// Starts a cluster and Istio on it: from the state that an earlier start saved, or by installing, which is then saved.
pub(crate) async fn start(wanted: Wanted<'_>) -> Result<Embedded, Broken> {
    let began = tokio::time::Instant::now();
    let ms = |began: tokio::time::Instant| u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let install = install(&wanted)?;
    let state = wanted.cache.join("clusters").join(key(&wanted, &install));
    let restore = state.join("etcd").is_dir().then(|| state.clone());
    let restored = restore.is_some();
    let config = config(&wanted, restore)?;
    let up = Cluster::up(&config).await;
    let mut cluster = up.map_err(|e| Broken::with("bring the embedded cluster up", e))?;
    let mut steps: Vec<_> = cluster.phases().iter().map(|p| (p.name.clone(), p.ms)).collect();
    let ready = tokio::select! {
        died = cluster.died() => Err(Broken::new(died.0)),
        ready = with_istio(&install, restored, &mut steps, began) => ready,
    };
    if let Err(error) = ready {
        let what = if restored {
            // Whatever is wrong with it, the next start must not meet it again.
            let _ = fs::remove_dir_all(&state);
            "make Istio ready on the restored cluster (the saved state is dropped: try again)"
        } else {
            "install Istio"
        };
        let logs = config.dir.join("logs");
        cluster.down().await;
        return Err(Broken::with(format!("{what}; logs in {}", logs.display()), error));
    }
    if !restored {
        cluster
            .save(&state)
            .await
            .map_err(|e| Broken::with(format!("save the state to {}", state.display()), e))?;
        forget_old(&wanted.cache.join("clusters"));
    }
    steps.push(("ready".to_owned(), ms(began)));
    let reached = Reached {
        kubeconfig: cluster.kubeconfig(),
        parts: wanted.obtained.listed(),
        image: images::APP.to_owned(),
        release: wanted.release.name().to_owned(),
        istioctl: Some(install.istioctl),
    };
    Ok(Embedded { cluster, reached, steps })
}

async fn with_istio(
    install: &Install,
    restored: bool,
    steps: &mut Vec<(String, u64)>,
    began: tokio::time::Instant,
) -> Result<(), Broken> {
    let objects = Objects::new(super::client(&install.kubeconfig).await?);
    let converge = Converge::default();
    if !restored {
        install.run(&objects, &converge).await?;
        steps.push(("istioctl".to_owned(), u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)));
    }
    istio::ready(&objects, &converge).await
}

fn config(wanted: &Wanted<'_>, restore: Option<PathBuf>) -> Result<ClusterConfig, Broken> {
    let part = |name: &str| wanted.obtained.path(name);
    let files = images::Files {
        istiod: part("pilot-discovery")?,
        pilot_agent: part("pilot-agent")?,
        envoy: part("envoy")?,
        envoy_bootstrap: part("envoy-bootstrap")?,
        ztunnel: wanted.obtained.ztunnel().map(Path::to_owned),
        sabotage: wanted.sabotage.to_vec(),
    };
    Ok(ClusterConfig {
        dir: wanted.dir.clone(),
        parts: ControlPlaneParts {
            etcd: part("etcd")?,
            apiserver: part("kube-apiserver")?,
            controller_manager: part("kube-controller-manager")?,
            scheduler: part("kube-scheduler")?,
        },
        kubernetes: wanted.release.kubernetes().to_owned(),
        nodes: wanted.nodes,
        images: images::table(files),
        restore,
        plugin_socket: Some("/var/run/istio-cni/pluginevent.sock".into()),
    })
}

fn install(wanted: &Wanted<'_>) -> Result<Install, Broken> {
    Ok(Install {
        istioctl: wanted.obtained.path("istioctl")?,
        kubeconfig: wanted.dir.join("kubeconfig"),
        context: None,
        crds: Some(wanted.obtained.path("gateway-api-crds")?),
        hub: images::HUB.to_owned(),
        tag: wanted.release.istio().to_owned(),
        dns_capture: true,
        debounce: Some(DEBOUNCE),
        ready_within: Duration::from_secs(120),
        values: values(wanted.release.istio()),
    })
}

/// What is set here beside what every target sets.
fn values(istio: &str) -> Vec<String> {
    let mut values = vec![
        // the node's agent works from the host's network; see `waymark_ambient::cni`
        "unvalidatedValues.cni.ambient.shareHostNetworkNamespace=true".to_owned(),
        // pilot-agent would ask for a cloud's metadata server for two seconds
        "meshConfig.defaultConfig.proxyMetadata.CLOUD_PLATFORM=none".to_owned(),
    ];
    // Cases wait for lines of the access log, which is written every second by default.
    if !istio.starts_with("1.24") {
        values.push("meshConfig.defaultConfig.fileFlushInterval=100ms".to_owned());
    }
    values
}

/// Keeps the newest states only: each try of a part that somebody has just built leaves one.
fn forget_old(states: &Path) {
    let read = fs::read_dir(states).into_iter().flatten().flatten();
    let mut all: Vec<_> =
        read.filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path()))).collect();
    all.sort();
    for (_, old) in all.iter().rev().skip(STATES_KEPT) {
        let _ = fs::remove_dir_all(old);
    }
}

/// Names the state that a start like this one saves.
fn key(wanted: &Wanted<'_>, install: &Install) -> String {
    let values = install.args();
    let values: Vec<&String> = values.iter().filter(|a| !a.starts_with("--kubeconfig=")).collect();
    let text = format!(
        "{STATE}|{}|{values:?}|{}|{}",
        wanted.release.name(),
        wanted.obtained.digests(),
        wanted.nodes
    );
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("{}-{hex}", wanted.release.name())
}
