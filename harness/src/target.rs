//! Targets: how a cluster comes to be. After that everything above uses a kubeconfig and nothing else.

pub mod doctor;
pub mod embedded;
mod images;
mod kept;
pub(crate) mod parts;

use std::path::PathBuf;

use waymark_reports::events::Part;

pub use kept::Kept;

/// Names of the targets that exist.
pub const TARGETS: [&str; 1] = ["embedded"];

/// A cluster with Istio ambient on it, ready for a stage.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Reached {
    /// How to reach it.
    pub kubeconfig: PathBuf,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// Image reference of the sample app on it.
    pub image: String,
    /// The release of Istio, by the name that `--istio` takes.
    pub release: String,
}

/// A client for a kubeconfig on this machine; proxies of the surroundings do not apply to loopback.
///
/// # Errors
/// A kubeconfig that cannot be read or used.
pub async fn client(kubeconfig: &std::path::Path) -> Result<kube::Client, crate::case::Broken> {
    use crate::case::Broken;
    let failed = |why: Box<dyn std::error::Error + Send + Sync>| Broken {
        what: format!("use kubeconfig {}", kubeconfig.display()),
        source: Some(why),
    };
    let file = kube::config::Kubeconfig::read_from(kubeconfig).map_err(|e| failed(e.into()))?;
    let options = kube::config::KubeConfigOptions::default();
    let mut config =
        kube::Config::from_custom_kubeconfig(file, &options).await.map_err(|e| failed(e.into()))?;
    config.proxy_url = None;
    kube::Client::try_from(config).map_err(|e| failed(e.into()))
}
