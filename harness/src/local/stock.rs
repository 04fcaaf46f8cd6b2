//! `waymark components`.

use crate::case::Broken;
use crate::cli::operations::{Component, ComponentsError, ComponentsRequest};
use crate::cli::{TargetOptions, Usage};
use crate::target::parts;

pub(super) async fn components(
    request: ComponentsRequest,
    options: &TargetOptions,
) -> Result<Vec<Component>, ComponentsError> {
    let release = parts::release(options)?;
    let settings = parts::settings(options)?;
    let known = |name: &str| match release.parts().find(|p| *p == name) {
        Some(_) => Ok(()),
        None => Err(Usage::new(
            format!("release {} has no part `{name}`", release.name()),
            "parts that exist",
            release.parts(),
        )),
    };
    let wanted = match request {
        ComponentsRequest::List | ComponentsRequest::Path(_) => {
            if let ComponentsRequest::Path(name) = &request {
                known(name)?;
            }
            let stock =
                waymark_components::list(&settings).map_err(|e| Broken::with("look into the cache", e))?;
            let current = stock.into_iter().filter(|s| s.current).map(|s| s.part).collect::<Vec<_>>();
            let rows = release.parts().map(|name| {
                match current.iter().find(|p| p.name == name && release_has(&release, p)) {
                    Some(part) => row(part),
                    None => Component {
                        name: name.to_owned(),
                        version: String::new(),
                        origin: "not here yet".into(),
                        path: None,
                    },
                }
            });
            return Ok(match request {
                ComponentsRequest::Path(name) => rows.filter(|r| r.name == name).collect(),
                _ => rows.collect(),
            });
        }
        ComponentsRequest::Fetch(names) => names,
    };
    for name in &wanted {
        known(name)?;
    }
    let names: Vec<&str> = if wanted.is_empty() {
        release.parts().collect()
    } else {
        wanted.iter().map(String::as_str).collect()
    };
    let progress = parts::progress();
    let obtained = waymark_components::obtain(&release, &names, &settings, progress.as_ref()).await;
    let obtained = obtained.map_err(|e| Broken::with("obtain parts", e))?;
    Ok(obtained.iter().map(row).collect())
}

fn release_has(release: &waymark_components::Release, part: &waymark_components::Part) -> bool {
    release.version(&part.name) == Some(part.version.as_str())
}

fn row(part: &waymark_components::Part) -> Component {
    Component {
        name: part.name.clone(),
        version: part.version.clone(),
        origin: part.origin.to_string(),
        path: Some(part.path.clone()),
    }
}
