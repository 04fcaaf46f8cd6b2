//! The parts of a run: obtained by `waymark-components`, listed with those that waymark itself stands in for.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use waymark_components as components;
use waymark_components::{Options, Release};
use waymark_reports::events::Part;

use crate::case::Broken;
use crate::cli::{PartPaths, TargetOptions, Usage};

/// The release that the user named.
pub(crate) fn release(options: &TargetOptions) -> Result<Release, Usage> {
    components::release(&options.istio).map_err(|_| {
        let known: Vec<&str> = components::releases().collect();
        Usage::new(format!("unknown release `{}`", options.istio), "releases that exist", known)
            .of_flag("istio")
    })
}

/// Refuses parts of the user's own that cannot be run.
pub(crate) fn check_own(own: &PartPaths) -> Result<(), Usage> {
    let wrong = |(name, path): (&'static str, &Path)| {
        let why = unusable(path)?;
        let what = format!("--{name} {}: {why}", path.display());
        Some(Usage::new(what, "build it, correct the path, or leave it away", [""; 0]).of_flag(name))
    };
    own.given().into_iter().find_map(wrong).map_or(Ok(()), Err)
}

/// Why a file cannot be run, if it cannot.
pub(crate) fn unusable(path: &Path) -> Option<&'static str> {
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Some("there is no such file"),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some("its folder is forbidden to you"),
        Err(_) => Some("it cannot be looked at"),
        Ok(data) if data.is_dir() => Some("it is a folder"),
        Ok(data) if !data.is_file() => Some("it is no file"),
        Ok(data) if data.permissions().mode() & 0o111 == 0 => Some("it is not executable"),
        Ok(_) => None,
    }
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
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    if std::io::stderr().is_terminal() && !dumb {
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
