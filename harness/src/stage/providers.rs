//! What the mesh config names as extension providers. It is part of the mesh, not of a run: it has a namespace of a
//! fixed name, stands as long as its cluster, and no run takes it down.

use serde_json::{Map, Value, json};

use super::scenery::{Mesh, Place, Playbill};

/// Their namespace.
pub const NAMESPACE: &str = "waymark-providers";
/// The provider that allows or denies as the request's header `x-echo-status` says (HTTP).
pub const EXT_AUTHZ: &str = "waymark-ext-authz";
/// The header that comes with each of its verdicts: to the backend of what it allows, to the client of what it denies.
pub const VERDICT_HEADER: &str = "x-waymark-authz";
/// The provider that takes spans (OTLP over gRPC).
pub const OTLP: &str = "waymark-otlp";

/// Its app, which plays all of them.
const APP: &str = "providers";
/// Service, port and port of the app.
const AUTHZ_SERVICE: (&str, u16, u16) = ("ext-authz", 80, 8080);
const OTLP_SERVICE: (&str, u16, u16) = ("otlp", 4317, waymark_echo::api::DEFAULT_OTLP_PORT);

/// The values of `istioctl install` that make them known to the mesh.
#[must_use]
pub fn values() -> Vec<String> {
    let at = |(service, port, _): (&str, u16, u16)| {
        [("service", format!("{service}.{NAMESPACE}.svc.cluster.local")), ("port", port.to_string())]
    };
    let authz = at(AUTHZ_SERVICE).into_iter().chain([
        ("timeout", "5s".to_owned()),
        ("includeRequestHeadersInCheck[0]", "x-echo-status".to_owned()),
        // the app's answer carries this header, so that it is seen that the provider was asked
        ("includeAdditionalHeadersInCheck.x-echo-header", format!("{VERDICT_HEADER}: asked")),
        ("headersToUpstreamOnAllow[0]", VERDICT_HEADER.to_owned()),
        ("headersToDownstreamOnDeny[0]", VERDICT_HEADER.to_owned()),
    ]);
    let provider = |index: usize, name: &str| format!("meshConfig.extensionProviders[{index}].name={name}");
    let detail = |index: usize, kind: &str, (key, value): (&str, String)| {
        format!("meshConfig.extensionProviders[{index}].{kind}.{key}={value}")
    };
    let authz = authz.map(|pair| detail(0, "envoyExtAuthzHttp", pair));
    let otlp = at(OTLP_SERVICE).into_iter().map(|pair| detail(1, "opentelemetry", pair));
    [provider(0, EXT_AUTHZ)].into_iter().chain(authz).chain([provider(1, OTLP)]).chain(otlp).collect()
}

/// Where they stand.
pub(super) fn place() -> Place {
    Place { namespace: NAMESPACE.to_owned(), mesh: Mesh::Out, backends: Vec::new(), senders: Vec::new() }
}

/// The Deployment that a stage waits for.
pub(super) fn app() -> String {
    APP.to_owned()
}

/// Their objects, the namespace first.
pub(super) fn objects(bill: &Playbill) -> Vec<Value> {
    let place = place();
    let service = |(name, port, target): (&str, u16, u16), protocol: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "selector": {"waymark.app": APP},
                "ports": [{"name": protocol, "port": port, "targetPort": target, "appProtocol": protocol}],
            },
        })
    };
    let mut app = place.deployment(APP, APP, "v1", Map::new(), bill);
    if let Some(env) = app.pointer_mut("/spec/template/spec/containers/0/env").and_then(Value::as_array_mut) {
        env.push(json!({"name": "ECHO_OTLP", "value": OTLP_SERVICE.2.to_string()}));
    }
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": APP, "namespace": NAMESPACE},
        }),
        service(AUTHZ_SERVICE, "http"),
        service(OTLP_SERVICE, "grpc"),
        app,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mesh_config_names_what_stands() {
        insta::assert_snapshot!(values().join("\n"), @"
        meshConfig.extensionProviders[0].name=waymark-ext-authz
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.service=ext-authz.waymark-providers.svc.cluster.local
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.port=80
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.timeout=5s
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.includeRequestHeadersInCheck[0]=x-echo-status
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.includeAdditionalHeadersInCheck.x-echo-header=x-waymark-authz: asked
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.headersToUpstreamOnAllow[0]=x-waymark-authz
        meshConfig.extensionProviders[0].envoyExtAuthzHttp.headersToDownstreamOnDeny[0]=x-waymark-authz
        meshConfig.extensionProviders[1].name=waymark-otlp
        meshConfig.extensionProviders[1].opentelemetry.service=otlp.waymark-providers.svc.cluster.local
        meshConfig.extensionProviders[1].opentelemetry.port=4317
        ");
    }

    #[test]
    fn no_run_takes_them_down() {
        let bill = Playbill { run: "k3x9".into(), expires: 1, image: "x".into() };
        let objects = objects(&bill);
        assert!(objects.iter().all(|object| object["metadata"].get("labels").is_none()), "{objects:?}");
        assert_eq!(objects[0]["metadata"]["name"], NAMESPACE);
        let env = &objects[4]["spec"]["template"]["spec"]["containers"][0]["env"];
        assert!(env.to_string().contains("ECHO_OTLP"), "{env}");
    }
}
