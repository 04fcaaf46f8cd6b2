//! The operations of the command line on this machine's targets.

mod keep;
mod stock;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::BoxFuture;
use waymark_ambient::sabotage::DEFECTS;
use waymark_node::Cluster;
use waymark_reports::events::Phase;

use crate::case::Broken;
use crate::cli::operations::{
    Check, Component, ComponentsError, ComponentsRequest, Foreground, Opened, Setup,
};
use crate::cli::{Operations, RunOptions, TargetOptions, Usage};
use crate::converge::Converge;
use crate::engine::Capabilities;
use crate::stage::scenery::Playbill;
use crate::stage::{Stage, Worlds};
use crate::target::embedded::{self, Embedded, Wanted};
use crate::target::parts::{self, Obtained};
use crate::target::{Kept, Reached, TARGETS, doctor};

/// How many `Namespace` cases run at once on the embedded target.
const SLOTS: usize = 4;
/// After so long the namespaces of a run may be swept.
const EXPIRY: Duration = Duration::from_secs(3600);

/// Operations on this machine.
pub struct Local {
    cluster: Mutex<Option<Cluster>>,
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl Local {
    /// Operations that hold no cluster yet.
    pub fn new() -> Self {
        // a second call finds the provider installed, which is as good
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { cluster: Mutex::default() }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Cluster>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reach(&self, setup: Setup<'_>) -> Result<Reached, Broken> {
        let target = &setup.options.target;
        let release = parts::release(target).map_err(|e| Broken::new(e.to_string()))?;
        let settings = parts::settings(target)?;
        // A kept cluster has its own parts; a run that names others, or breaks something, needs its own cluster.
        if setup.options.sabotage.is_empty()
            && target.parts.given().is_empty()
            && let Some(kept) = Kept::find(&settings.cache, release.name())
        {
            setup.journal.note(format!("using the cluster that process {} keeps", kept.pid));
            return Ok(kept.reached);
        }
        let obtaining = Obtained::all(&release, &settings);
        let obtained = setup.journal.phase(Phase::Components, obtaining).await?;
        setup.journal.parts(obtained.listed());
        let wanted = Wanted {
            release: &release,
            obtained: &obtained,
            dir: absolute(setup.dir.join("cluster"))?,
            cache: settings.cache.clone(),
            nodes: target.nodes,
            sabotage: &setup.options.sabotage,
        };
        let Embedded { cluster, reached, steps } =
            setup.journal.phase(Phase::Up, embedded::start(wanted)).await?;
        let steps: Vec<String> = steps.iter().map(|(name, ms)| format!("{name} {ms} ms")).collect();
        setup.journal.note(format!("cluster up: {}", steps.join(", ")));
        *self.held() = Some(cluster);
        Ok(reached)
    }

    async fn open(&self, setup: Setup<'_>) -> Result<Opened<Worlds>, Broken> {
        let reached = self.reach(setup).await?;
        setup.journal.parts(reached.parts.clone());
        let client = crate::target::client(&reached.kubeconfig).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let bill = Playbill {
            run: short(setup.run),
            expires: (now + EXPIRY).as_secs(),
            image: reached.image.clone(),
        };
        let raising = Stage::raise(client, bill, Converge::default());
        let stage = setup.journal.phase(Phase::Stage, raising).await?;
        let adapter = reached.parts.iter().any(|p| p.name == "envoy-istio-extensions" && p.stand_in);
        let site = Arc::new(Worlds::new(Arc::new(stage), setup.dir, adapter));
        let capabilities =
            capabilities(&setup.options.target, reached.parts).map_err(|e| Broken::new(e.to_string()))?;
        Ok(Opened { site, capabilities, slots: SLOTS })
    }
}

impl Operations for Local {
    type Site = Worlds;

    fn check(&self, options: &RunOptions) -> Result<Capabilities, Usage> {
        target(&options.target)?;
        if let Some(unknown) =
            options.sabotage.iter().find(|name| DEFECTS.iter().all(|d| d.name != name.as_str()))
        {
            let known = DEFECTS.iter().map(|d| format!("{}: {}", d.name, d.promise));
            return Err(Usage::new(format!("unknown defect `{unknown}`"), "defects that exist", known));
        }
        capabilities(&options.target, planned(&options.target))
    }

    fn begin<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<Opened<Worlds>, Broken>> {
        async move {
            let failed = match self.open(setup).await {
                Ok(opened) => return Ok(opened),
                Err(failed) => failed,
            };
            let Some(mut cluster) = self.held().take() else { return Err(failed) };
            let died = ended_by_itself(&mut cluster);
            cluster.down().await;
            Err(died.map_or(failed, Broken::new))
        }
        .boxed()
    }

    fn end<'a>(&'a self, site: Arc<Worlds>, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async move {
            let mut own = self.held().take();
            if let Some(words) = own.as_mut().and_then(ended_by_itself) {
                setup.journal.note(format!("a part of the cluster ended by itself: {words}"));
            }
            if setup.options.keep {
                setup.journal.note("kept: the namespaces of the run");
                if let Some(cluster) = own {
                    setup.journal.note(format!(
                        "export KUBECONFIG={}; Ctrl-C ends the cluster",
                        cluster.kubeconfig().display()
                    ));
                    let _ = tokio::signal::ctrl_c().await;
                    cluster.down().await;
                }
                return Ok(());
            }
            match own {
                // Namespaces need no end of their own when the whole cluster ends.
                Some(cluster) => {
                    cluster.down().await;
                    Ok(())
                }
                None => site.stage().strike().await,
            }
        }
        .boxed()
    }

    fn up<'a>(&'a self, foreground: Foreground<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        keep::up(foreground).boxed()
    }

    fn down<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>> {
        keep::down(options).boxed()
    }

    fn status<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>> {
        async move {
            let (cache, release) = place(options)?;
            Ok(match Kept::find(&cache, &release) {
                Some(kept) => format!(
                    "release {release} is up, kept by process {}\n{}\n",
                    kept.pid,
                    keep::use_it(&kept.reached)
                ),
                None => format!("no cluster of release {release} is up; `waymark up` makes one\n"),
            })
        }
        .boxed()
    }

    fn components<'a>(
        &'a self,
        request: ComponentsRequest,
        foreground: Foreground<'a>,
    ) -> BoxFuture<'a, Result<Vec<Component>, ComponentsError>> {
        stock::components(request, foreground.options).boxed()
    }

    fn doctor<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Vec<Check>> {
        doctor::checks(options).boxed()
    }
}

/// The words of a part that ended by itself, if one did.
fn ended_by_itself(cluster: &mut Cluster) -> Option<String> {
    cluster.died().now_or_never().map(|died| died.0)
}

fn target(options: &TargetOptions) -> Result<(), Usage> {
    if TARGETS.contains(&options.target.as_str()) {
        return Ok(());
    }
    Err(Usage::new(format!("unknown target `{}`", options.target), "targets that exist", TARGETS))
}

/// What a run with these options will be able to do.
fn capabilities(
    options: &TargetOptions,
    parts: Vec<waymark_reports::events::Part>,
) -> Result<Capabilities, Usage> {
    let release = parts::release(options)?;
    let mut numbers = release.name().split('.').filter_map(|n| n.parse().ok());
    let istio = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
    Ok(Capabilities { istio, parts, tcp: true })
}

/// The parts that decide capabilities, as far as they are known before anything is obtained.
fn planned(options: &TargetOptions) -> Vec<waymark_reports::events::Part> {
    let part = |name: &str, stand_in| waymark_reports::events::Part {
        name: name.to_owned(),
        version: String::new(),
        origin: String::new(),
        digest: None,
        stand_in,
    };
    let names = ["istiod", "istioctl", "pilot-agent", "envoy"];
    let real = names.iter().map(|name| part(name, false));
    let own_ztunnel = options.parts.ztunnel.is_some();
    real.chain([
        part("ztunnel", !own_ztunnel),
        part("istio-cni-node", true),
        part("envoy-istio-extensions", true),
    ])
    .collect()
}

fn place(options: &TargetOptions) -> Result<(std::path::PathBuf, String), Broken> {
    let release = parts::release(options).map_err(|e| Broken::new(e.to_string()))?;
    Ok((parts::settings(options)?.cache, release.name().to_owned()))
}

fn absolute(path: std::path::PathBuf) -> Result<std::path::PathBuf, Broken> {
    std::path::absolute(&path).map_err(|e| Broken::with(format!("find {}", path.display()), e))
}

/// A run's id as namespaces can carry it.
fn short(run: &str) -> String {
    let plain: String = run.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    plain[plain.len().saturating_sub(8)..].to_owned()
}
