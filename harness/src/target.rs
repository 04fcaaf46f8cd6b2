//! Targets: how a cluster comes to be. After that everything above uses a kubeconfig and nothing else.

pub mod doctor;
pub mod embedded;
mod images;
mod kept;
pub(crate) mod leftovers;
pub(crate) mod parts;

use std::path::PathBuf;

use waymark_reports::events::Part;

use crate::cli::operations::Reliance;
use crate::cli::{TargetOptions, Usage};

pub(crate) use kept::own_pid;
pub use kept::{Claim, Fit, Kept, Stamp, Turns, Use, Wish};

/// Names of the targets that exist.
pub const TARGETS: [&str; 1] = ["embedded"];

/// Checks what the user said of a target, as far as somebody relies on it.
pub(crate) fn check(options: &TargetOptions, reliance: Reliance) -> Result<(), Usage> {
    let name = options.target.as_str();
    if !TARGETS.contains(&name) {
        return Err(
            Usage::new(format!("unknown target `{name}`"), "targets that exist", TARGETS).of_flag("target")
        );
    }
    if options.context.is_some() {
        let hint = "leave --context away, and WAYMARK_CONTEXT unset";
        return Err(Usage::new(format!("target {name} has no contexts"), hint, [""; 0]).of_flag("context"));
    }
    if reliance >= Reliance::Release {
        parts::release(options)?;
    }
    if reliance >= Reliance::Parts {
        parts::check_own(&options.parts)?;
    }
    Ok(())
}

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
    /// istioctl of that release.
    #[serde(default)]
    pub istioctl: Option<PathBuf>,
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
