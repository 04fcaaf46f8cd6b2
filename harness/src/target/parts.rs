//! The parts of a run: obtained by `waymark-components`, listed with those that waymark itself stands in for.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use waymark_components as components;
use waymark_components::{Options, Release};
use waymark_reports::events::Part;

use crate::case::Broken;
use crate::cli::TargetOptions;
use crate::cli::Usage;

/// The release that the user named.
pub(crate) fn release(options: &TargetOptions) -> Result<Release, Usage> {
    components::release(&options.istio).map_err(|_| {
        let known: Vec<&str> = components::releases().collect();
        Usage::new(format!("unknown release `{}`", options.istio), "releases that exist", known)
    })
}

/// The cache, the network and the paths as the user wants them.
pub(crate) fn settings(options: &TargetOptions) -> Result<Options, Broken> {
    let mut settings = Options::from_env().map_err(|e| Broken::with("find the component cache", e))?;
    settings.offline = options.offline;
    for (name, path) in options.parts.given() {
        settings.paths.insert(name.to_owned(), path.to_owned());
    }
    Ok(settings)
}

/// Shows progress: a bar on a terminal, a line a minute elsewhere.
pub(crate) fn progress() -> Box<dyn components::Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(components::Terminal::new())
    } else {
        Box::new(components::Plain::stderr())
    }
}

/// Obtained parts by name.
#[derive(Clone, Debug)]
pub(crate) struct Obtained {
    parts: BTreeMap<String, components::Part>,
}

impl Obtained {
    /// Obtains every part of the release, and a ztunnel of the user's if there is one.
    pub(crate) async fn all(release: &Release, settings: &Options) -> Result<Self, Broken> {
        let mut names: Vec<&str> = release.parts().collect();
        if settings.paths.contains_key("ztunnel") {
            names.push("ztunnel");
        }
        let progress = progress();
        let obtained = components::obtain(release, &names, settings, progress.as_ref()).await;
        let parts = obtained
            .map_err(|e| Broken::with(format!("obtain the parts of release {}", release.name()), e))?;
        Ok(Self { parts: parts.into_iter().map(|p| (p.name.clone(), p)).collect() })
    }

    /// Where a part is.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Broken> {
        let part =
            self.parts.get(name).ok_or_else(|| Broken::new(format!("release has no part `{name}`")))?;
        Ok(part.path.clone())
    }

    /// A user's own ztunnel.
    pub(crate) fn ztunnel(&self) -> Option<&Path> {
        self.parts.get("ztunnel").map(|p| p.path.as_path())
    }

    /// SHA-256 of all parts together, for the key of a saved state.
    pub(crate) fn digests(&self) -> String {
        self.parts.values().map(|p| format!("{}={};", p.name, p.digest)).collect()
    }

    /// What reports list: the obtained parts, and waymark's own with what they stand in for.
    pub(crate) fn listed(&self) -> Vec<Part> {
        let mut listed: Vec<Part> = self
            .parts
            .values()
            .map(|p| Part {
                name: if p.name == "pilot-discovery" { "istiod".into() } else { p.name.clone() },
                version: p.version.clone(),
                origin: p.origin.to_string(),
                digest: Some(p.digest.clone()),
                stand_in: false,
            })
            .collect();
        let own = |name: &str| Part {
            name: name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            origin: "waymark".to_owned(),
            digest: None,
            stand_in: true,
        };
        listed.extend(["istio-cni-node", "envoy-istio-extensions"].map(own));
        if self.ztunnel().is_none() {
            listed.push(own("ztunnel"));
        }
        // ours by design: what a container engine would do, and probes that are eager until their first success
        listed.push(Part { stand_in: false, ..own("container-less-node") });
        listed
    }
}
