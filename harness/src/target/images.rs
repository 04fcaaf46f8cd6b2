//! What image references stand for on the embedded node: Istio's images and the sample app, from parts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use waymark_node::{Image, ImageFile};

/// Image reference of the sample app on the embedded node.
pub(super) const APP: &str = "localhost/waymark/echo:dev";
/// Registry and folder of Istio's images there; nothing is pulled.
pub(super) const HUB: &str = "localhost/istio";
/// Where the adapter finds the upstream Envoy.
const ENVOY: &str = "/usr/local/lib/waymark/envoy";
const BOOTSTRAP: &str = "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json";

/// The files that images are made from.
pub(super) struct Files {
    pub(super) istiod: PathBuf,
    pub(super) pilot_agent: PathBuf,
    pub(super) envoy: PathBuf,
    pub(super) envoy_bootstrap: PathBuf,
    /// A real ztunnel; the stand-in without one.
    pub(super) ztunnel: Option<PathBuf>,
    /// Named defects to inject.
    pub(super) sabotage: Vec<String>,
}

/// The image table of the embedded node. A file without a source is this executable, which knows its role by the
/// name that it is started under.
pub(super) fn table(files: Files) -> Vec<Image> {
    let at = |from: Option<PathBuf>, to: &str| ImageFile { from, to: to.into() };
    let image = |name: &str, files: Vec<ImageFile>, program: &str| Image {
        name: name.to_owned(),
        files,
        entrypoint: vec![program.to_owned()],
        env: BTreeMap::new(),
    };
    let istiod = "/usr/local/bin/pilot-discovery";
    let agent = "/usr/local/bin/pilot-agent";
    let ztunnel = "/usr/local/bin/ztunnel";
    let cni = "/usr/local/bin/install-cni";
    let app = "/usr/local/bin/waymark";
    let proxy = vec![
        at(Some(files.pilot_agent), agent),
        at(None, "/usr/local/bin/envoy"),
        at(Some(files.envoy), ENVOY),
        at(Some(files.envoy_bootstrap), BOOTSTRAP),
    ];
    let mut images = vec![
        image("pilot", vec![at(Some(files.istiod), istiod)], istiod),
        image("proxyv2", proxy, agent),
        image("ztunnel", vec![at(files.ztunnel, ztunnel)], ztunnel),
        image("install-cni", vec![at(None, cni)], cni),
        image("echo", vec![at(None, app)], app),
    ];
    for image in &mut images {
        if image.name == "proxyv2" {
            image.env.insert("WAYMARK_ENVOY".into(), ENVOY.into());
        }
        if !files.sabotage.is_empty() && image.name != "pilot" && image.name != "echo" {
            image.env.insert("WAYMARK_SABOTAGE".into(), files.sabotage.join(","));
        }
    }
    images
}
