//! What commands do to clusters and parts: everything behind the command line that is not about cases.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;

use super::options::{RunOptions, TargetOptions};
use super::usage::Usage;
use crate::case::Broken;
use crate::engine::{Capabilities, Deviation, Journal, Site, Stop};
use crate::printer::Console;

/// The actions behind the commands. Every future may be dropped when the user interrupts.
pub trait Operations: Send + Sync + 'static {
    /// Gives cases their worlds.
    type Site: Site;

    /// Checks target, release and sabotage by name, and says what such a run will be able to do. Touches
    /// neither network nor cluster.
    ///
    /// # Errors
    /// For a name that does not exist.
    fn check(&self, options: &RunOptions) -> Result<Capabilities, Usage>;

    /// Obtains parts, brings the cluster up (or joins the one that `up` keeps) and sets the stage. Wraps its
    /// steps in [`Journal::phase`] (`Components`, `Up`, `Stage`) and calls [`Journal::parts`] as soon as they are
    /// known. What it started must end with it when it fails or when its future is dropped, which is what an
    /// interruption does.
    fn begin<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<Opened<Self::Site>, Broken>>;

    /// Takes down what `begin` brought up, unless `setup.options.keep`. The caller wraps it in phase `Down`, and
    /// calls it after a run that the user interrupted, too. An error means that something is left behind.
    fn end<'a>(&'a self, site: Arc<Self::Site>, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>>;

    /// Brings a cluster up, prints how to use it, keeps it until `stop`, takes it down.
    fn up<'a>(&'a self, foreground: Foreground<'a>) -> BoxFuture<'a, Result<(), Broken>>;

    /// Takes down what `up` brought up; says what was done.
    fn down<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>>;

    /// Describes the cluster that `up` keeps.
    fn status<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>>;

    /// Lists, fetches or finds parts. `Path` yields exactly one row.
    fn components<'a>(
        &'a self,
        request: ComponentsRequest,
        foreground: Foreground<'a>,
    ) -> BoxFuture<'a, Result<Vec<Component>, ComponentsError>>;

    /// Checks the machine.
    fn doctor<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Vec<Check>>;

    /// Listed deviations of the mesh under test.
    fn known(&self, _: &RunOptions) -> Vec<Deviation> {
        Vec::new()
    }
}

/// What setting up a run needs to know.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Id of the run.
    pub run: &'a str,
    /// Its directory, for evidence and logs.
    pub dir: &'a Path,
    /// What the user said.
    pub options: &'a RunOptions,
    /// Hears of phases, parts and progress.
    pub journal: &'a Journal,
}

/// A site that is ready for cases.
pub struct Opened<S: Site> {
    /// Gives cases their worlds.
    pub site: Arc<S>,
    /// What can be done on it, now that its parts are known.
    pub capabilities: Capabilities,
    /// How many `Namespace` cases run at once.
    pub slots: usize,
}

/// What a command in the foreground needs.
#[derive(Clone, Copy)]
pub struct Foreground<'a> {
    /// What the user said.
    pub options: &'a TargetOptions,
    /// Where to print.
    pub console: &'a Console,
    /// Resolves when the user has had enough.
    pub stop: &'a Stop,
}

/// What to do with parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentsRequest {
    /// Name all.
    List,
    /// Obtain these, or all when empty.
    Fetch(Vec<String>),
    /// Find this one.
    Path(String),
}

/// Why parts could not be listed, fetched or found.
#[derive(Debug, thiserror::Error)]
pub enum ComponentsError {
    /// There is no such part or release.
    #[error(transparent)]
    Usage(#[from] Usage),
    /// It could not be had.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Such as `istiod`.
    pub name: String,
    /// Such as `1.31.0`.
    pub version: String,
    /// Where it comes from, such as `go` or `wheel`.
    pub origin: String,
    /// Where it is; none when it has not been obtained.
    pub path: Option<PathBuf>,
}

/// How a check of the machine came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fine.
    Good,
    /// Runs, but something is worse than it could be.
    Warning,
    /// Nothing runs until this is mended.
    Blocker,
}

/// One check of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Heading, such as `Kernel`.
    pub category: String,
    /// What was found, as a sentence.
    pub finding: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The command or change that mends it.
    pub fix: Option<String>,
}
