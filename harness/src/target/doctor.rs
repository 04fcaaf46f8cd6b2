//! Checks of everything that a run depends on: the machine, the parts, a kept cluster and its mesh, leftovers.
//!
//! They read and never write. [`CHECKS`] lists them all.

mod cluster;
mod host;
mod mesh;

use std::path::Path;

use super::leftovers::Leftovers;
use super::parts;
use super::{Kept, client};
use crate::cli::TargetOptions;
use crate::cli::operations::{Check, Outcome};
use crate::stage::objects::Objects;

/// A check by its id.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Such as `WMD-H01`.
    pub id: &'static str,
    /// The heading under which it is printed.
    pub category: &'static str,
    /// What it looks at and why.
    pub about: &'static str,
}

/// Every check.
pub const CHECKS: [About; 24] = [
    about("WMD-H01", "Host", "the kernel is Linux 5.12 or newer: mounts of pods need it"),
    about(
        "WMD-H02",
        "Host",
        "user, network, mount and PID namespaces can be made: the cluster lives in them",
    ),
    about("WMD-H03", "Host", "Go is there: etcd, Kubernetes and Istio are built from source with it"),
    about("WMD-H04", "Host", "python3 with pip is there: Envoy comes as a wheel, and Go can"),
    about("WMD-H05", "Host", "at least one way to obtain parts is there"),
    about("WMD-H06", "Host", "disk: parts and their first build take 6 GiB"),
    about("WMD-H07", "Host", "a port of the loopback can be had: the API server is reached through it"),
    about("WMD-H08", "Host", "the folder of runs can be written: each run keeps its reports there"),
    about("WMD-P01", "Parts", "the release exists"),
    about("WMD-P02", "Parts", "each part of the release is in the cache, or can be obtained"),
    about(
        "WMD-P03",
        "Parts",
        "each part of your own (--istiod PATH, WAYMARK_ISTIOD, …) is an executable file",
    ),
    about("WMD-C01", "Cluster", "a cluster is kept by `waymark up`; runs use it instead of one of their own"),
    about("WMD-C02", "Cluster", "the API server of the kept cluster answers"),
    about("WMD-C03", "Cluster", "every node of the kept cluster is Ready"),
    about("WMD-M01", "Mesh", "istiod is available"),
    about("WMD-M02", "Mesh", "ztunnel is available on every node"),
    about("WMD-M03", "Mesh", "istio-cni is available on every node"),
    about("WMD-M04", "Mesh", "GatewayClass istio-waypoint is accepted: without it no waypoint comes to be"),
    about(
        "WMD-M05",
        "Mesh",
        "no policy in the root namespace that is not ours: it changes what every case sees",
    ),
    about("WMD-L01", "Leftovers", "no claim or cluster directory of a process that is gone"),
    about("WMD-L02", "Leftovers", "no process of a cluster whose owner is gone"),
    about("WMD-L03", "Leftovers", "no namespace of an earlier run whose time has passed"),
    about("WMD-F01", "Configuration", "what differs from the defaults, and where it was said"),
    about("WMD-F02", "Configuration", "every WAYMARK_ variable is one that waymark reads"),
];

const fn about(id: &'static str, category: &'static str, about: &'static str) -> About {
    About { id, category, about }
}

/// The result of the check with this id.
pub(crate) fn check(id: &str, finding: impl Into<String>, outcome: Outcome, fix: Option<&str>) -> Check {
    let category = CHECKS.iter().find(|about| about.id == id).map_or("Other", |about| about.category);
    Check {
        id: id.to_owned(),
        category: category.to_owned(),
        finding: finding.into(),
        outcome,
        fix: fix.map(str::to_owned),
    }
}

/// All checks but those of the configuration, in the order in which a run would stumble. Runs are below `runs`.
pub(crate) async fn checks(options: &TargetOptions, runs: &Path) -> Vec<Check> {
    let settings = parts::settings(options);
    let mut checks = host::checks(settings.as_ref().ok().map(|settings| settings.cache.as_path())).await;
    checks.push(host::run_dir(runs));
    checks.extend(parts_of(options));
    let Ok(settings) = settings else { return checks };
    let kept = Kept::find(&settings.cache, &options.istio);
    let mut objects = None;
    match &kept {
        None => checks.push(check("WMD-C01", "none is kept; a run makes its own", Outcome::Good, None)),
        Some(kept) => {
            let finding = format!("release {} is kept by process {}", options.istio, kept.pid);
            checks.push(check("WMD-C01", finding, Outcome::Good, None));
            match client(&kept.reached.kubeconfig).await {
                Ok(client) => {
                    let reached = Objects::new(client);
                    let (found, answers) = cluster::checks(&reached).await;
                    checks.extend(found);
                    if answers {
                        checks.extend(mesh::checks(&reached, &kept.reached.parts).await);
                        objects = Some(reached);
                    }
                }
                Err(error) => {
                    let fix = "waymark down && waymark up";
                    checks.push(check("WMD-C02", error.chain(), Outcome::Blocker, Some(fix)));
                }
            }
        }
    }
    checks.extend(leftovers(&settings.cache, runs, objects.as_ref()).await);
    checks
}

fn parts_of(options: &TargetOptions) -> Vec<Check> {
    let release = match parts::release(options) {
        Ok(release) => release,
        Err(usage) => {
            let fix = format!("{}: {}", usage.hint, usage.exists.join(", "));
            return vec![check("WMD-P01", usage.what, Outcome::Blocker, Some(&fix))];
        }
    };
    let finding =
        format!("release {}: Istio {}, Kubernetes {}", release.name(), release.istio(), release.kubernetes());
    let mut checks = vec![check("WMD-P01", finding, Outcome::Good, None)];
    let stock = parts::settings(options).ok().and_then(|settings| waymark_components::list(&settings).ok());
    let stock = stock.unwrap_or_default();
    let given = options.parts.given();
    let is_here = |name: &str| {
        let mine = given.iter().any(|(own, _)| *own == name || (*own, name) == ("istiod", "pilot-discovery"));
        let version = release.version(name);
        mine || stock.iter().any(|s| s.part.name == name && Some(s.part.version.as_str()) == version)
    };
    let missing: Vec<&str> = release.parts().filter(|name| !is_here(name)).collect();
    let all = release.parts().count();
    checks.push(match (missing.as_slice(), options.offline) {
        ([], _) => check("WMD-P02", format!("all {all} parts are in the cache"), Outcome::Good, None),
        (missing, offline) => {
            let outcome = if offline { Outcome::Blocker } else { Outcome::Warning };
            let finding =
                format!("{} of {all} parts are not here yet: {}", missing.len(), missing.join(", "));
            let fix = "waymark components fetch (the first run does it too)";
            check("WMD-P02", finding, outcome, Some(fix))
        }
    });
    for (name, path) in given {
        checks.push(match parts::unusable(path) {
            None => check("WMD-P03", format!("{name} of your own: {}", path.display()), Outcome::Good, None),
            Some(why) => {
                let finding = format!("--{name} {}: {why}", path.display());
                let fix = "build it, correct the path, or leave it away";
                check("WMD-P03", finding, Outcome::Blocker, Some(fix))
            }
        });
    }
    checks
}

async fn leftovers(cache: &Path, runs: &Path, objects: Option<&Objects>) -> Vec<Check> {
    let found = Leftovers::find(cache, runs, objects).await;
    let judge = |id: &str, what: &str, found: &[String]| match found {
        [] => check(id, format!("no {what}"), Outcome::Good, None),
        [one] => check(id, format!("{what}: {one}"), Outcome::Warning, Some("waymark sweep")),
        [one, rest @ ..] => {
            let finding = format!("{what}: {one} and {} more", rest.len());
            check(id, finding, Outcome::Warning, Some("waymark sweep; --dry-run shows all"))
        }
    };
    let mut checks = vec![
        judge("WMD-L01", "remains of clusters whose process is gone", &found.files_shown()),
        judge("WMD-L02", "process of a cluster whose owner is gone", &found.processes_shown()),
    ];
    if objects.is_some() {
        checks.push(judge("WMD-L03", "expired namespace of an earlier run", &found.namespaces_shown()));
    }
    checks
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{CHECKS, check};
    use crate::cli::operations::Outcome;

    #[test]
    fn ids_are_unique_and_well_formed() {
        let ids: HashSet<&str> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
        assert!(ids.iter().all(|id| id.starts_with("WMD-") && id.len() == 7), "{ids:?}");
    }

    #[test]
    fn the_category_comes_from_the_id() {
        assert_eq!(check("WMD-M05", "x", Outcome::Good, None).category, "Mesh");
    }
}
