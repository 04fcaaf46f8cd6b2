//! `waymark up` and `waymark down`: a cluster that later runs use.

use super::{absolute, place};
use crate::case::Broken;
use crate::cli::TargetOptions;
use crate::cli::operations::Foreground;
use crate::converge::{Converge, Look};
use crate::target::embedded::{self, Embedded, Wanted};
use crate::target::parts::{self, Obtained};
use crate::target::{Kept, Reached};

pub(super) async fn up(foreground: Foreground<'_>) -> Result<(), Broken> {
    let options = foreground.options;
    let release = parts::release(options).map_err(|e| Broken::new(e.to_string()))?;
    let settings = parts::settings(options)?;
    let claim = Kept::claim(&settings.cache, release.name());
    let mut claim = claim.map_err(|e| match e.kind() {
        std::io::ErrorKind::WouldBlock => Broken::new(format!(
            "a cluster of release {} is up already; `waymark status` shows it, `waymark down` ends it",
            release.name()
        )),
        _ => Broken::with(format!("claim a place in {}", settings.cache.display()), e),
    })?;
    let starting = async {
        let obtained = Obtained::all(&release, &settings).await?;
        let dir = absolute(settings.cache.join("up").join(release.name()))?;
        let wanted = Wanted {
            release: &release,
            obtained: &obtained,
            dir,
            cache: settings.cache.clone(),
            nodes: options.nodes,
            sabotage: &[],
        };
        embedded::start(wanted).await
    };
    let started = tokio::select! {
        started = starting => started,
        () = foreground.stop.orderly() => {
            claim.release();
            return Ok(());
        }
    };
    let Embedded { mut cluster, reached, steps } = match started {
        Ok(embedded) => embedded,
        Err(error) => {
            claim.release();
            return Err(error);
        }
    };
    claim.publish(&reached).map_err(|e| Broken::with("say that the cluster is up", e))?;
    let ready = steps.last().map_or(0, |(_, ms)| *ms);
    let console = foreground.console;
    console.out(&format!(
        "Kubernetes {} with Istio {} is up after {ready} ms",
        release.kubernetes(),
        release.istio()
    ));
    console.out(&use_it(&reached));
    console.out("Ctrl-C, or `waymark down` elsewhere, ends it");
    let died = tokio::select! {
        died = cluster.died() => Some(died.0),
        () = foreground.stop.orderly() => None,
    };
    cluster.down().await;
    claim.release();
    died.map_or(Ok(()), |why| Err(Broken::new(why)))
}

pub(super) async fn down(options: &TargetOptions) -> Result<String, Broken> {
    let (cache, release) = place(options)?;
    let Some(kept) = Kept::find(&cache, &release) else {
        return Ok(format!("no cluster of release {release} is up\n"));
    };
    kept.end().map_err(|e| Broken::with(format!("end process {}", kept.pid), e))?;
    let gone = || async {
        Ok::<_, Broken>(match kept.runs() {
            true => Look::Unmet("it still runs".to_owned()),
            false => Look::Met(()),
        })
    };
    Converge::default().until(&format!("end of process {}", kept.pid), gone).await?;
    Ok(format!("the cluster of release {release} is down\n"))
}

/// How to use a cluster's kubeconfig.
pub(super) fn use_it(reached: &Reached) -> String {
    format!("  export KUBECONFIG={}", reached.kubeconfig.display())
}
