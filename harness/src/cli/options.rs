//! What the user can say on the command line or by `WAYMARK_*`, as plain values.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::FalseyValueParser;

/// Where the cluster comes from and which parts it runs.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct TargetOptions {
    /// Where the cluster comes from
    #[arg(long, env = "WAYMARK_TARGET", hide_env = true, value_name = "TARGET", default_value = "embedded")]
    pub target: String,
    /// Istio release under test
    #[arg(long, env = "WAYMARK_ISTIO", hide_env = true, value_name = "RELEASE", default_value = "1.31")]
    pub istio: String,
    /// Context of the kubeconfig, for targets that use an existing cluster
    #[arg(long, env = "WAYMARK_CONTEXT", hide_env = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Nodes of the cluster
    #[arg(long, env = "WAYMARK_NODES", hide_env = true, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u8).range(1..=8))]
    pub nodes: u8,
    /// Forbid the network: parts come from the cache or from paths
    #[arg(long, env = "WAYMARK_OFFLINE", hide_env = true, value_parser = FalseyValueParser::new())]
    pub offline: bool,
    /// Parts of your own.
    #[command(flatten)]
    pub parts: PartPaths,
}

/// Executables that replace a part.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Parts of your own")]
pub struct PartPaths {
    /// A ztunnel to use instead of the stand-in
    #[arg(long, env = "WAYMARK_ZTUNNEL", hide_env = true, value_name = "PATH")]
    pub ztunnel: Option<PathBuf>,
    /// An istiod (pilot-discovery)
    #[arg(long, env = "WAYMARK_ISTIOD", hide_env = true, value_name = "PATH")]
    pub istiod: Option<PathBuf>,
    /// An istioctl
    #[arg(long, env = "WAYMARK_ISTIOCTL", hide_env = true, value_name = "PATH")]
    pub istioctl: Option<PathBuf>,
    /// A pilot-agent
    #[arg(long, env = "WAYMARK_PILOT_AGENT", hide_env = true, value_name = "PATH")]
    pub pilot_agent: Option<PathBuf>,
    /// An Envoy
    #[arg(long, env = "WAYMARK_ENVOY", hide_env = true, value_name = "PATH")]
    pub envoy: Option<PathBuf>,
    /// An etcd
    #[arg(long, env = "WAYMARK_ETCD", hide_env = true, value_name = "PATH")]
    pub etcd: Option<PathBuf>,
    /// A kube-apiserver
    #[arg(long, env = "WAYMARK_KUBE_APISERVER", hide_env = true, value_name = "PATH")]
    pub kube_apiserver: Option<PathBuf>,
    /// A kube-controller-manager
    #[arg(long, env = "WAYMARK_KUBE_CONTROLLER_MANAGER", hide_env = true, value_name = "PATH")]
    pub kube_controller_manager: Option<PathBuf>,
    /// A kube-scheduler
    #[arg(long, env = "WAYMARK_KUBE_SCHEDULER", hide_env = true, value_name = "PATH")]
    pub kube_scheduler: Option<PathBuf>,
}

/// How cases run.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Where and what.
    #[command(flatten)]
    pub target: TargetOptions,
    /// Cases that share the stage and run at once
    #[arg(long, short, env = "WAYMARK_JOBS", hide_env = true, value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u16).range(1..), help_heading = "Running")]
    pub jobs: u16,
    /// Run the cases in random order; the seed is printed
    #[arg(long, env = "WAYMARK_SHUFFLE", hide_env = true, value_parser = FalseyValueParser::new(), help_heading = "Running")]
    pub shuffle: bool,
    /// Repeat the random order of an earlier run
    #[arg(long, env = "WAYMARK_SEED", hide_env = true, value_name = "SEED", help_heading = "Running")]
    pub seed: Option<u64>,
    /// Break one promise on purpose, to see the cases notice
    #[arg(
        long,
        env = "WAYMARK_SABOTAGE",
        hide_env = true,
        value_delimiter = ',',
        value_name = "NAME",
        help_heading = "Running"
    )]
    pub sabotage: Vec<String>,
    /// Keep the namespaces of the run and the cluster until Ctrl-C
    #[arg(long, env = "WAYMARK_KEEP", hide_env = true, value_parser = FalseyValueParser::new(), help_heading = "Running")]
    pub keep: bool,
    /// Directory below which each run gets its own [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR", help_heading = "Running")]
    pub run_dir: Option<PathBuf>,
}

impl PartPaths {
    /// The parts that the user replaces, by name.
    pub fn given(&self) -> Vec<(&'static str, &Path)> {
        let Self {
            ztunnel,
            istiod,
            istioctl,
            pilot_agent,
            envoy,
            etcd,
            kube_apiserver,
            kube_controller_manager,
            kube_scheduler,
        } = self;
        let all = [
            ("ztunnel", ztunnel),
            ("istiod", istiod),
            ("istioctl", istioctl),
            ("pilot-agent", pilot_agent),
            ("envoy", envoy),
            ("etcd", etcd),
            ("kube-apiserver", kube_apiserver),
            ("kube-controller-manager", kube_controller_manager),
            ("kube-scheduler", kube_scheduler),
        ];
        all.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?))).collect()
    }
}

impl RunOptions {
    /// The command that starts such a run again, without its filter and order.
    pub fn command(&self) -> String {
        let mut words = vec!["cargo waymark run".to_owned()];
        if self.target.target != "embedded" {
            words.push(format!("--target {}", self.target.target));
        }
        if let Some(context) = &self.target.context {
            words.push(format!("--context {context}"));
        }
        words.push(format!("--istio {}", self.target.istio));
        words.extend(
            self.target.parts.given().iter().map(|(part, path)| format!("--{part} {}", path.display())),
        );
        words.extend(self.sabotage.iter().map(|name| format!("--sabotage {name}")));
        words.join(" ")
    }
}
