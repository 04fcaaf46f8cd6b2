//! `waymark up` and `waymark down`: a cluster that later runs use.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use waymark_node::Cluster;

use super::opening::bill;
use super::{absolute, place};
use crate::case::Broken;
use crate::cli::TargetOptions;
use crate::cli::operations::{Foreground, Keep};
use crate::converge::{Converge, Look};
use crate::run_dir;
use crate::stage::Stage;
use crate::stage::scenery::Playbill;
use crate::target::embedded::{self, Embedded, Wanted};
use crate::target::parts::{self, Obtained};
use crate::target::{self, Claim, Kept, Reached, Wish, own_pid};

/// How often a keeper looks whether its cluster is used.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn up(foreground: Foreground<'_>, keep: Keep) -> Result<(), Broken> {
    if keep.detached {
        // Nothing that happens to the terminal of whoever started it is meant for the keeper.
        rustix::process::setsid().map_err(|e| Broken::with("leave the terminal", e))?;
    }
    let (cache, release) = place(foreground.options)?;
    let mut claim = Kept::claim(&cache, &release).map_err(|e| match e.kind() {
        std::io::ErrorKind::WouldBlock => Broken::new(format!(
            "a cluster of release {release} is up already; `waymark status` shows it, `waymark down` ends it"
        )),
        _ => Broken::with(format!("claim a place in {}", cache.display()), e),
    })?;
    let started = tokio::select! {
        started = start(foreground, keep) => started,
        () = foreground.stop.orderly() => {
            claim.release();
            return Ok(());
        }
    };
    let (mut cluster, kept) = match started {
        Ok(started) => started,
        Err(error) => {
            claim.release();
            return Err(error);
        }
    };
    let published = claim.publish(&kept).map_err(|e| Broken::with("say that the cluster is up", e));
    let ended = match published {
        Ok(()) => hold(foreground, &kept, &mut claim, &mut cluster).await,
        Err(error) => Err(error),
    };
    cluster.down().await;
    if keep.detached
        && let Ok(own) = std::env::current_exe()
    {
        // It was made for this process only.
        let _ = std::fs::remove_file(own);
    }
    claim.release();
    ended
}

/// Brings the cluster up and, if it is wanted, the stage.
async fn start(foreground: Foreground<'_>, keep: Keep) -> Result<(Cluster, Kept), Broken> {
    let options = foreground.options;
    let release = parts::release(options).map_err(|e| Broken::new(e.to_string()))?;
    let settings = parts::settings(options)?;
    let wish = Wish::of(options, keep.stage);
    let obtained = Obtained::all(&release, &settings).await?;
    let wanted = Wanted {
        release: &release,
        obtained: &obtained,
        dir: absolute(settings.cache.join("up").join(release.name()))?,
        cache: settings.cache.clone(),
        nodes: options.nodes,
        sabotage: &[],
    };
    let Embedded { mut cluster, reached, steps } = embedded::start(wanted).await?;
    let ready = steps.last().map_or(0, |(_, ms)| *ms);
    let (kubernetes, istio) = (release.kubernetes(), release.istio());
    foreground.console.out(&format!("Kubernetes {kubernetes} with Istio {istio} is up after {ready} ms"));
    let stage = match keep.stage {
        false => None,
        true => {
            let raised = tokio::select! {
                raised = raise(&reached) => raised,
                died = cluster.died() => Err(Broken::new(died.0)),
            };
            match raised {
                Ok(bill) => Some(bill),
                Err(error) => {
                    cluster.down().await;
                    return Err(Broken::with("set the stage", error));
                }
            }
        }
    };
    let pid = own_pid().map_err(|e| Broken::with("name this process", e))?;
    let idle_timeout = keep.idle_timeout.map(|limit| limit.as_secs().max(1));
    Ok((cluster, Kept { pid, reached, stage, wish, idle_timeout, detached: keep.detached }))
}

/// Sets the stage that all runs on the cluster share. It is never swept: it ends with the cluster.
async fn raise(reached: &Reached) -> Result<Playbill, Broken> {
    let client = target::client(&reached.kubeconfig).await?;
    let bill = Playbill { expires: u64::from(u32::MAX), ..bill(&run_dir::new_id(), reached) };
    Stage::raise(client, bill.clone(), Converge::default()).await?;
    Ok(bill)
}

/// Holds the cluster until somebody ends it, nobody uses it any more, or it dies.
async fn hold(
    foreground: Foreground<'_>,
    kept: &Kept,
    claim: &mut Claim,
    cluster: &mut Cluster,
) -> Result<(), Broken> {
    let Foreground { console, stop, .. } = foreground;
    if kept.stage.is_some() {
        console.out("the stage stands; runs share it");
    }
    console.out(&use_it(&kept.reached));
    if !kept.detached {
        console.out(&format!("Ctrl-C, or `waymark down` elsewhere, ends it{}", idle_words(kept)));
    }
    tokio::select! {
        died = cluster.died() => Err(Broken::new(died.0)),
        () = stop.orderly() => Ok(()),
        idle = idle(claim, kept.idle_timeout()) => {
            idle.map_err(|e| Broken::with("see whether the cluster is used", e))?;
            console.out("nobody uses the cluster any more: it is taken down");
            Ok(())
        }
    }
}

/// Resolves when the cluster was not used for `limit`, and is given up.
async fn idle(claim: &mut Claim, limit: Option<Duration>) -> std::io::Result<()> {
    let Some(limit) = limit else { return std::future::pending().await };
    let mut looks = interval(LOOK.min(limit / 2));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if claim.withdraw_if_idle(limit)? {
            return Ok(());
        }
    }
}

pub(super) async fn down(options: &TargetOptions) -> Result<String, Broken> {
    let (cache, release) = place(options)?;
    let Some(keeper) = Kept::keeper(&cache, &release) else {
        return Ok(format!("no cluster of release {release} is up\n"));
    };
    end(keeper).await?;
    Ok(format!("the cluster of release {release} is down\n"))
}

/// Ends a keeper and waits until it is gone, and its cluster with it.
pub(super) async fn end(keeper: i32) -> Result<(), Broken> {
    Kept::end(keeper).map_err(|e| Broken::with(format!("end process {keeper}"), e))?;
    let gone = || async {
        Ok::<_, Broken>(match Kept::runs(keeper) {
            true => Look::Unmet("it still runs".to_owned()),
            false => Look::Met(()),
        })
    };
    Converge::default().until(&format!("end of process {keeper}"), gone).await?;
    Ok(())
}

/// How to use a cluster's kubeconfig.
pub(super) fn use_it(reached: &Reached) -> String {
    format!("  export KUBECONFIG={}", reached.kubeconfig.display())
}

/// When a kept cluster ends by itself, as the end of a sentence.
pub(super) fn idle_words(kept: &Kept) -> String {
    let limit = kept.idle_timeout.and_then(|seconds| i64::try_from(seconds).ok());
    limit.map_or_else(String::new, |seconds| {
        format!("; it ends by itself when idle for {:#}", jiff::SignedDuration::from_secs(seconds))
    })
}
