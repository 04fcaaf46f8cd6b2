//! The operations of the command line on this machine's targets.

mod detach;
mod keep;
mod kept_status;
mod opening;
mod stock;

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use waymark_ambient::sabotage::{DEFECTS, Injection, UnknownDefect};
use waymark_node::Cluster;

use crate::case::{Broken, Power};
use crate::cli::operations::{
    Check, Component, ComponentsError, ComponentsRequest, Defect, Foreground, Keep, Opened, Reliance, Setup,
    Swept,
};
use crate::cli::{Operations, RunOptions, TargetOptions, Usage};
use crate::engine::{Capabilities, Listed};
use crate::stage::{Worlds, providers};
use crate::target::leftovers::Leftovers;
use crate::target::parts;
use crate::target::{self, Reached, Use, doctor};

/// Operations on this machine.
pub struct Local {
    cluster: Mutex<Option<Held>>,
    using: Mutex<Option<Use>>,
    known: Listed,
    rows: String,
}

/// A cluster of this process's own.
struct Held {
    cluster: Cluster,
    reached: Reached,
    /// Whether several runs of this process use it, so that none of them takes it down.
    shared: bool,
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
        Self {
            cluster: Mutex::default(),
            using: Mutex::default(),
            known: Listed::default(),
            rows: String::new(),
        }
    }

    /// The same with the list of known deviations that comes with the cases; `file` is how messages name it.
    #[must_use]
    pub fn knowing(self, file: &str, text: &str) -> Self {
        Self { known: Listed { file: file.to_owned(), text: text.to_owned() }, ..self }
    }

    /// The same with the rows of the catalogue that cases may cite.
    #[must_use]
    pub fn citing(self, rows: &str) -> Self {
        Self { rows: rows.to_owned(), ..self }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cluster of this process, unless several runs share it.
    fn take_own(&self) -> Option<Cluster> {
        self.held().take_if(|held| !held.shared).map(|held| held.cluster)
    }
}

impl Operations for Local {
    type Site = Worlds;

    fn check_target(&self, options: &TargetOptions, reliance: Reliance) -> Result<(), Usage> {
        target::check(options, reliance)
    }

    fn check(&self, options: &RunOptions) -> Result<Capabilities, Usage> {
        self.check_target(&options.target, Reliance::Parts)?;
        if let Err(UnknownDefect(name)) = Injection::parse_list(&options.sabotage.join(",")) {
            let known = DEFECTS.iter().map(|d| format!("{}: {}", d.name, d.promise));
            return Err(Usage::new(format!("unknown defect `{name}`"), "defects that exist", known));
        }
        capabilities(&options.target, planned(&options.target))
    }

    fn known(&self) -> Listed {
        self.known.clone()
    }

    fn rows(&self) -> String {
        self.rows.clone()
    }

    fn begin<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<Opened<Worlds>, Broken>> {
        async move {
            let failed = match self.open(setup).await {
                Ok(opened) => return Ok(opened),
                Err(failed) => failed,
            };
            let Some(mut cluster) = self.take_own() else { return Err(failed) };
            let died = ended_by_itself(&mut cluster);
            cluster.down().await;
            Err(died.map_or(failed, Broken::new))
        }
        .boxed()
    }

    fn end<'a>(&'a self, site: Arc<Worlds>, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async move {
            let mut own = self.take_own();
            if let Some(words) = own.as_mut().and_then(ended_by_itself) {
                setup.journal.note(format!("a part of the cluster ended by itself: {words}"));
            }
            if setup.options.keep.holds(setup.journal) {
                setup.journal.note("kept: the namespaces of the run");
                if let Some(cluster) = own {
                    setup.journal.note(format!(
                        "export KUBECONFIG={}; Ctrl-C ends the cluster",
                        cluster.kubeconfig().display()
                    ));
                    setup.stop.orderly().await;
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
                // The cluster ends soon, and what is in it; nobody waits for that here.
                None if self.held().is_some() => site.stage().dismiss().await,
                None => site.stage().strike().await,
            }
        }
        .boxed()
    }

    fn hold<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async move {
            let release = parts::release(&setup.options.target).map_err(|e| Broken::new(e.to_string()))?;
            let settings = parts::settings(&setup.options.target)?;
            self.start(setup, &release, &settings).await?;
            if let Some(held) = self.held().as_mut() {
                held.shared = true;
            }
            Ok(())
        }
        .boxed()
    }

    fn release<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async move {
            let Some(mut held) = self.held().take() else { return Ok(()) };
            if let Some(words) = ended_by_itself(&mut held.cluster) {
                setup.journal.note(format!("a part of the cluster ended by itself: {words}"));
            }
            held.cluster.down().await;
            Ok(())
        }
        .boxed()
    }

    fn defects(&self) -> Vec<Defect> {
        DEFECTS.to_vec()
    }

    fn namespaces(&self, run: &str) -> String {
        format!("wm-{}-", opening::short(run))
    }

    fn up<'a>(&'a self, foreground: Foreground<'a>, keep: Keep) -> BoxFuture<'a, Result<(), Broken>> {
        keep::up(foreground, keep).boxed()
    }

    fn detach<'a>(
        &'a self,
        foreground: Foreground<'a>,
        keep: Keep,
        keeper: Vec<OsString>,
    ) -> BoxFuture<'a, Result<(), Broken>> {
        detach::detach(foreground, keep, keeper).boxed()
    }

    fn down<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>> {
        keep::down(options).boxed()
    }

    fn status<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>> {
        async move {
            let (cache, release) = place(options)?;
            Ok(kept_status::text(&cache, &release).await)
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

    fn doctor<'a>(&'a self, options: &'a TargetOptions, runs: &'a Path) -> BoxFuture<'a, Vec<Check>> {
        doctor::checks(options, runs).boxed()
    }

    fn sweep<'a>(
        &'a self,
        options: &'a TargetOptions,
        runs: &'a Path,
        dry_run: bool,
    ) -> BoxFuture<'a, Result<Swept, Broken>> {
        async move {
            let (cache, release) = place(options)?;
            let objects = kept_status::objects(&cache, &release).await;
            let left = Leftovers::find(&cache, runs, objects.as_ref()).await;
            let found = left.shown();
            let failed = if dry_run { Vec::new() } else { left.remove(objects.as_ref()).await };
            Ok(Swept { found, failed })
        }
        .boxed()
    }
}

/// The words of a part that ended by itself, if one did.
fn ended_by_itself(cluster: &mut Cluster) -> Option<String> {
    cluster.died().now_or_never().map(|died| died.0)
}

/// What a run with these options will be able to do.
fn capabilities(
    options: &TargetOptions,
    parts: Vec<waymark_reports::events::Part>,
) -> Result<Capabilities, Usage> {
    let release = parts::release(options)?;
    let mut numbers = release.name().split('.').filter_map(|n| n.parse().ok());
    let istio = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
    let mut numbers = release.gateway_api().split('.').filter_map(|n| n.parse().ok());
    let gateway_api = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
    // The cluster is waymark's own; its CRDs are those of the standard channel.
    let powers = vec![Power::MeshWide];
    let providers = [providers::EXT_AUTHZ, providers::OTLP].map(str::to_owned).to_vec();
    Ok(Capabilities { istio, parts, tcp: true, gateway_api, providers, powers, ..Capabilities::default() })
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
