//! How a run gets a cluster and a stage: those that are kept, or its own.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use waymark_components::{Options, Release};
use waymark_reports::events::Phase;

use super::{Held, Local, absolute, capabilities};
use crate::case::Broken;
use crate::cli::RunOptions;
use crate::cli::operations::{Opened, Setup};
use crate::converge::Converge;
use crate::run_dir;
use crate::stage::scenery::Playbill;
use crate::stage::{Shared, Stage, Worlds};
use crate::target::embedded::{self, Embedded, Wanted};
use crate::target::parts::{self, Obtained};
use crate::target::{Fit, Kept, Reached, Wish};

/// How many `Namespace` cases run at once on the embedded target.
const SLOTS: usize = 6;
/// After so long the namespaces of a run may be swept.
const EXPIRY: Duration = Duration::from_secs(3600);

/// Why a part of a run cannot run.
const NO_STAGE: &str = "no cluster with a stage is kept for this release and these parts, and one process of many must not \
                        bring up its own; `waymark up --stage --detach` keeps one";
const NO_SABOTAGE: &str = "sabotage needs a cluster of its own, which one process of many must not bring up; \
                           use `waymark run` or `cargo test`";

impl Local {
    /// The cluster that is kept, if there is one for a run with these options; it is used from now on.
    fn kept(&self, setup: Setup<'_>, cache: &Path, release: &str) -> Result<Option<Kept>, Broken> {
        let options = match setup.options {
            RunOptions { sabotage, target, .. } if sabotage.is_empty() => target,
            RunOptions { part_of: None, .. } => return Ok(None),
            _ => return Err(Broken::new(NO_SABOTAGE)),
        };
        // A kept cluster has its own nodes and parts, stand-ins included; a run that wants others needs its own cluster.
        // What a part of a run joins was brought up for it.
        let fits = |kept: &Kept| match Wish::of(options, false).granted_by(kept) {
            _ if setup.options.part_of.is_some() => kept.runs_parts_of(options),
            Fit::Yes => true,
            Fit::Outdated => {
                let pid = kept.pid;
                setup.journal.note(format!("not using the cluster that process {pid} keeps: another build"));
                false
            }
            Fit::No(why) => {
                let pid = kept.pid;
                setup.journal.note(format!("not using the cluster that process {pid} keeps: {why}"));
                false
            }
        };
        let kept = Kept::join(cache, release).filter(|(kept, _)| fits(kept));
        let (kept, using) = kept.unzip();
        *self.using.lock().unwrap_or_else(PoisonError::into_inner) = using;
        Ok(kept)
    }

    /// Brings up a cluster of this process's own.
    pub(super) async fn start(
        &self,
        setup: Setup<'_>,
        release: &Release,
        settings: &Options,
    ) -> Result<Reached, Broken> {
        let obtaining = Obtained::all(release, settings);
        let obtained = setup.journal.phase(Phase::Components, obtaining).await?;
        setup.journal.parts(obtained.listed());
        let wanted = Wanted {
            release,
            obtained: &obtained,
            dir: absolute(setup.dir.join("cluster"))?,
            cache: settings.cache.clone(),
            nodes: setup.options.target.nodes,
            sabotage: &setup.options.sabotage,
        };
        let Embedded { cluster, reached, steps } =
            setup.journal.phase(Phase::Up, embedded::start(wanted)).await?;
        let steps: Vec<String> = steps.iter().map(|(name, ms)| format!("{name} {ms} ms")).collect();
        setup.journal.note(format!("cluster up: {}", steps.join(", ")));
        *self.held() = Some(Held { cluster, reached: reached.clone(), shared: false });
        Ok(reached)
    }

    /// Gets a cluster with a stage: the kept one, or one of its own.
    pub(super) async fn open(&self, setup: Setup<'_>) -> Result<Opened<Worlds>, Broken> {
        let target = &setup.options.target;
        let release = parts::release(target).map_err(|e| Broken::new(e.to_string()))?;
        let settings = parts::settings(target)?;
        let shared = self.held().as_ref().map(|held| held.reached.clone());
        let kept = match shared {
            Some(_) => None,
            None => self.kept(setup, &settings.cache, release.name())?,
        };
        let stage = kept.as_ref().and_then(|kept| kept.stage.clone());
        let turns = kept.is_some().then(|| Kept::turns(&settings.cache, release.name()));
        let in_common = shared.is_some();
        let reached = match (shared, kept) {
            (Some(reached), _) => reached,
            _ if stage.is_none() && setup.options.part_of.is_some() => return Err(Broken::new(NO_STAGE)),
            (None, Some(kept)) => {
                setup.journal.note(format!("using the cluster that process {} keeps", kept.pid));
                kept.reached
            }
            (None, None) => self.start(setup, &release, &settings).await?,
        };
        setup.journal.parts(reached.parts.clone());
        let client = crate::target::client(&reached.kubeconfig).await?;
        // Several processes of one run must not take down what the others made.
        let own = match setup.options.part_of {
            Some(_) => bill(&run_dir::new_id(), &reached),
            None => bill(setup.run, &reached),
        };
        let suffix = own.run.clone();
        let standing = async {
            match &stage {
                Some(there) => join(setup, client, there, own).await,
                None => Stage::raise(client, own, Converge::default()).await,
            }
        };
        let standing = setup.journal.phase(Phase::Stage, standing).await?;
        let standing = standing.with_istioctl(reached.istioctl, reached.kubeconfig);
        let adapter = reached.parts.iter().any(|p| p.name == "envoy-istio-extensions" && p.stand_in);
        let mut site = Worlds::new(Arc::new(standing), setup.dir, adapter);
        if in_common {
            site = site.without_evidence();
        }
        if let Some(turns) = turns {
            site = site.beside_others(Shared { suffix, turns });
        }
        let capabilities =
            capabilities(&setup.options.target, reached.parts).map_err(|e| Broken::new(e.to_string()))?;
        Ok(Opened { site: Arc::new(site), capabilities, slots: SLOTS })
    }
}

/// Joins the stage that `there` was raised for. The processes of one run share the moment from which on refused
/// configuration counts: that at which the first of them joined.
async fn join(
    setup: Setup<'_>,
    client: kube::Client,
    there: &Playbill,
    own: Playbill,
) -> Result<Stage, Broken> {
    let file = setup.dir.join("refused-before.json");
    let is_part = setup.options.part_of.is_some();
    let known = is_part.then(|| std::fs::read(&file).ok()).flatten();
    let known = known.and_then(|text| serde_json::from_slice(&text).ok());
    let is_first = is_part && known.is_none();
    let stage = Stage::join(client, &there.run, own, Converge::default(), known).await?;
    if is_first {
        let failed = |why: std::io::Error| Broken::with(format!("write {}", file.display()), why);
        let mut fresh = tempfile::NamedTempFile::new_in(setup.dir).map_err(failed)?;
        serde_json::to_writer(&mut fresh, stage.refused_before()).map_err(|e| failed(e.into()))?;
        // Another process may have been quicker, at the same moment: that is as good.
        let _ = fresh.persist_noclobber(&file);
    }
    Ok(stage)
}

/// Under what the objects of a run are billed.
pub(super) fn bill(run: &str, reached: &Reached) -> Playbill {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Playbill { run: short(run), expires: (now + EXPIRY).as_secs(), image: reached.image.clone() }
}

/// A run's id as namespaces can carry it.
pub(super) fn short(run: &str) -> String {
    let plain: String = run.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    plain[plain.len().saturating_sub(8)..].to_owned()
}
