//! The stage as the engine uses it: a world for each case, and its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::Stage;
use super::cast::Part;
use crate::case::{Broken, Case, Scope};
use crate::engine::{CloseReport, Site};
use crate::world::{Cleaned, Ctx};

/// Opens the worlds of a run's cases on one stage.
pub struct Worlds {
    stage: Arc<Stage>,
    run_dir: PathBuf,
    adapter: bool,
}

impl Worlds {
    /// Worlds on this stage, with evidence below `run_dir`; `adapter` when an adapter stands in for Istio's extensions of
    /// Envoy.
    #[must_use]
    pub fn new(stage: Arc<Stage>, run_dir: impl Into<PathBuf>, adapter: bool) -> Self {
        Self { stage, run_dir: run_dir.into(), adapter }
    }

    /// The stage they stand on.
    #[must_use]
    pub fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    async fn report(&self, ctx: &Ctx, failed: bool) -> CloseReport {
        let Cleaned { problems, evidence } = ctx.close(failed).await;
        let mut problems = problems;
        let evidence = match evidence.is_empty() {
            true => None,
            false => {
                keep(&self.run_dir, ctx.id(), &evidence).await.map_err(|why| problems.push(why.chain())).ok()
            }
        };
        let convergence = ctx.convergence();
        let parts = ctx.decided_by().into_iter().filter(|part| self.adapter || *part != Part::Adapter);
        CloseReport {
            convergence_ms: (convergence.attempts > 0)
                .then(|| u64::try_from(convergence.slowest.as_millis()).unwrap_or(u64::MAX)),
            decided_by: parts.map(|part| part.word().to_owned()).collect(),
            evidence,
            cleanup_error: (!problems.is_empty()).then(|| Broken::new(problems.join("; "))),
            attempts: convergence.attempts,
        }
    }
}

impl Site for Worlds {
    type Ctx = Ctx;

    fn open<'a>(
        &'a self,
        case: &'a Case<Ctx>,
        scope: Scope,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Arc<Ctx>, Broken>> {
        let opening = Ctx::open(Arc::clone(&self.stage), id, scope, case.isolation);
        opening.map(|opened| opened.map(Arc::new)).boxed()
    }

    fn close<'a>(&'a self, ctx: &'a Ctx, failed: bool) -> BoxFuture<'a, CloseReport> {
        self.report(ctx, failed).boxed()
    }
}

/// Writes evidence into a folder of the case's own and returns that, relative to the run directory.
async fn keep(run_dir: &Path, id: &str, files: &[(String, Vec<u8>)]) -> Result<String, Broken> {
    let relative = format!("evidence/{id}");
    let folder = run_dir.join(&relative);
    let failed = |why| Broken::with(format!("write evidence to {}", folder.display()), why);
    tokio::fs::create_dir_all(&folder).await.map_err(failed)?;
    for (name, content) in files {
        tokio::fs::write(folder.join(name), content).await.map_err(failed)?;
    }
    Ok(relative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn evidence_lies_below_the_run() {
        let run = tempfile::tempdir().unwrap();
        let folder = keep(run.path(), "c7", &[("exchanges.json".into(), b"[]".to_vec())]).await.unwrap();
        assert_eq!(folder, "evidence/c7");
        assert_eq!(std::fs::read(run.path().join(folder).join("exchanges.json")).unwrap(), b"[]");
    }

    #[tokio::test]
    async fn an_unwritable_run_is_told() {
        let run = tempfile::NamedTempFile::new().unwrap();
        let why = keep(run.path(), "c7", &[("a".into(), vec![])]).await.unwrap_err();
        assert!(why.chain().starts_with("write evidence to "), "{}", why.chain());
    }
}
