//! Installing Istio ambient, by the very release's istioctl, and knowing when it is ready. The same on every target.

mod crds;
mod dialect;

use std::path::PathBuf;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::case::Broken;
use crate::converge::Converge;
use crate::stage::objects::{ObjectRef, Objects};
use crate::stage::providers;
use crate::stage::status::{self, Judge};

pub use dialect::{Dialect, Unspoken};

/// Where Istio is installed.
pub const SYSTEM: &str = "istio-system";
/// How many of istioctl's last lines an error quotes.
const QUOTED: usize = 20;
/// The Gateway that shows that waypoints can be made.
const PROBE: &str = "waymark-probe";

/// What to install, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// istioctl of the release to install.
    pub istioctl: PathBuf,
    /// Kubeconfig of the cluster.
    pub kubeconfig: PathBuf,
    /// The context in it; its current one when absent.
    pub context: Option<String>,
    /// A YAML file, or a folder of them, with the CRDs of the Gateway API; nothing is applied when absent.
    pub crds: Option<PathBuf>,
    /// Registry and folder of the images.
    pub hub: String,
    /// Their tag.
    pub tag: String,
    /// Whether ztunnels answer DNS.
    pub dns_capture: bool,
    /// istiod's debounce; its own default when absent.
    pub debounce: Option<Duration>,
    /// How long istioctl waits for what it installed.
    pub ready_within: Duration,
    /// Further `--set` values, such as `values.global.platform=k3d`.
    pub values: Vec<String>,
}

impl Install {
    /// The arguments of istioctl.
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        let mut args = vec!["install".to_owned(), "-y".to_owned()];
        args.push(format!("--kubeconfig={}", self.kubeconfig.display()));
        args.extend(self.context.iter().map(|context| format!("--context={context}")));
        args.push(format!("--readiness-timeout={}s", self.ready_within.as_secs()));
        let mut values = vec![
            "profile=ambient".to_owned(),
            format!("hub={}", self.hub),
            format!("tag={}", self.tag),
            "meshConfig.accessLogFile=/dev/stdout".to_owned(),
            "values.pilot.autoscaleEnabled=false".to_owned(),
            format!("values.cni.ambient.dnsCapture={}", self.dns_capture),
        ];
        values.extend(
            self.debounce.map(|time| format!("values.pilot.env.PILOT_DEBOUNCE_AFTER={}ms", time.as_millis())),
        );
        values.extend(providers::values());
        values.extend(self.values.iter().cloned());
        args.extend(values.into_iter().flat_map(|value| ["--set".to_owned(), value]));
        args
    }

    /// Applies the Gateway API's CRDs and runs istioctl, which waits until what it installed is ready.
    ///
    /// # Errors
    /// CRDs that cannot be read or applied; istioctl's last lines.
    pub async fn run(&self, objects: &Objects, converge: &Converge) -> Result<(), Broken> {
        if let Some(path) = &self.crds {
            crds::apply(path, objects, converge).await?;
        }
        let output = Command::new(&self.istioctl)
            .args(self.args())
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|why| Broken::with(format!("run {}", self.istioctl.display()), why))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let quoted = last_lines(&String::from_utf8_lossy(&said));
        Err(Broken::new(format!("istioctl install ended with {}; its last lines:\n{quoted}", output.status)))
    }
}

/// Waits until Istio is ready to be judged: istiod, ztunnel and the node agent available, the waypoint class accepted, and
/// a waypoint made for a try programmed; it is deleted again.
///
/// # Errors
/// What is not ready in time, with the reason why not yet.
pub async fn ready(objects: &Objects, converge: &Converge) -> Result<(), Broken> {
    let system = |api_version: &str, kind: &str, name: &str| ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: Some(SYSTEM.into()),
        name: name.into(),
    };
    let parts: [(ObjectRef, Judge); 3] = [
        (system("apps/v1", "Deployment", "istiod"), status::deployment),
        (system("apps/v1", "DaemonSet", "istio-cni-node"), status::daemon_set),
        (system("apps/v1", "DaemonSet", "ztunnel"), status::daemon_set),
    ];
    try_join_all(parts.iter().map(|(object, judge)| await_status(objects, converge, object, *judge))).await?;
    let class = ObjectRef {
        api_version: "gateway.networking.k8s.io/v1".into(),
        kind: "GatewayClass".into(),
        namespace: None,
        name: "istio-waypoint".into(),
    };
    await_status(objects, converge, &class, status::gateway_class).await?;
    let manifest = probe();
    let gateway = ObjectRef::of(&manifest)?;
    objects.apply(&manifest).await?;
    let programmed = await_status(objects, converge, &gateway, status::gateway).await;
    objects.delete(&gateway).await?;
    programmed
}

async fn await_status(
    objects: &Objects,
    converge: &Converge,
    object: &ObjectRef,
    judge: Judge,
) -> Result<(), Broken> {
    converge.rollout(&format!("{object} ready"), || objects.look(object, judge)).await?;
    Ok(())
}

fn probe() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": PROBE, "namespace": "default"},
        "spec": {
            "gatewayClassName": "istio-waypoint",
            "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
        },
    })
}

/// The last lines that say something; progress lines are redrawn by carriage returns.
pub(crate) fn last_lines(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.collect();
    lines[lines.len().saturating_sub(QUOTED)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(istioctl: &str) -> Install {
        Install {
            istioctl: istioctl.into(),
            kubeconfig: "/run/kubeconfig".into(),
            context: None,
            crds: None,
            hub: "docker.io/istio".into(),
            tag: "1.31.0".into(),
            dns_capture: false,
            debounce: Some(Duration::from_millis(10)),
            ready_within: Duration::from_secs(120),
            values: vec![],
        }
    }

    #[test]
    fn the_values_that_the_cases_need() {
        let args = install("istioctl").args();
        let given: Vec<_> =
            args.iter().filter(|it| *it != "--set" && !it.contains("extensionProviders")).cloned().collect();
        insta::assert_snapshot!(given.join("\n"), @"
        install
        -y
        --kubeconfig=/run/kubeconfig
        --readiness-timeout=120s
        profile=ambient
        hub=docker.io/istio
        tag=1.31.0
        meshConfig.accessLogFile=/dev/stdout
        values.pilot.autoscaleEnabled=false
        values.cni.ambient.dnsCapture=false
        values.pilot.env.PILOT_DEBOUNCE_AFTER=10ms
        ");
    }

    #[test]
    fn a_target_may_leave_istiod_as_it_is_and_add_values() {
        let install = Install {
            debounce: None,
            context: Some("kind-x".into()),
            values: vec!["values.global.platform=k3d".into()],
            ..install("istioctl")
        };
        let args = install.args().join(" ");
        assert!(!args.contains("DEBOUNCE") && args.contains("--context=kind-x"), "{args}");
        assert!(args.ends_with("--set values.global.platform=k3d"), "{args}");
    }

    #[test]
    fn only_the_last_lines_are_quoted() {
        let text: String = (0..50).map(|n| format!("line {n}\r\n")).collect();
        let quoted = last_lines(&text);
        assert_eq!(quoted.lines().count(), QUOTED);
        assert!(quoted.ends_with("line 49"));
    }
}
