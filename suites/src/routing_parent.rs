//! An HTTPRoute applies to the Services and ports that it names as its parents, and says so in its status.

use waymark_harness::prelude::*;

suite! {
    "routing_parent", "Services as parents of HTTPRoutes";
    parent_port_is_only_port, Core, ["GWC-21"], "a route attached to one port of a Service leaves its other ports alone",
        killed_by = ["parent-port-ignored"];
    parent_without_port_is_every_port, Core, ["GWC-21"], "a route attached to a Service without naming a port applies at every port",
        killed_by = ["second-place-lost"];
    every_parent_is_served, Core, [], "a route with several Services as parents applies to each, and its status names each",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#commonroutespec", killed_by = ["second-place-lost"];
    missing_parent_is_told, Core, [], "a parent that does not exist is told in the route's status, and the others are served",
        needs = [IstioFrom(1, 25)], source = "https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus", killed_by = ["lone-rule-ignored"];
    status_is_of_newest_generation, Core, [], "a changed route is accepted anew and applies as it is now",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus", killed_by = ["lone-rule-ignored"];
    host_header_does_not_choose_service, Core, ["GWC-20"], "the Service that a request is sent to decides its routes, not its Host header",
        killed_by = ["host-decides"];
}

async fn parent_port_is_only_port(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Alt]).await?;
    let client = t.client(ClientA);

    let marked = rule(Matches::default(), backend(shop.subset(V1))).set_response_header("x-routed", "yes");
    t.apply(http_route("port").attached_to(&shop).with(marked)).await?;

    let routed = t.answered_by(V1).and(response_header("x-routed", "yes"));
    client.get(shop.url("/")).must(routed).await?;
    let plain = t.answered_by(V1).and(no_response_header("x-routed"));
    client.get(shop.url_at(Alt, "/")).must(plain).await?;
    client.get(shop.url_at(Alt, "/")).must_never(response_header("x-routed", "yes")).await
}

async fn parent_without_port_is_every_port(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Alt]).await?;
    let client = t.client(ClientA);

    let marked = rule(Matches::default(), backend(shop.subset(V1))).set_response_header("x-routed", "yes");
    t.apply(http_route("ports").attached_to_every_port_of(&shop).with(marked)).await?;

    let routed = t.answered_by(V1).and(response_header("x-routed", "yes"));
    client.get(shop.url("/")).must(&routed).await?;
    client.get(shop.url_at(Alt, "/")).must(routed).await
}

async fn every_parent_is_served(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let cart = t.service("cart", [V2]).await?;
    let client = t.client(ClientA);

    let marked = rule(Matches::default(), backend(shop.subset(V1))).set_response_header("x-routed", "yes");
    let route = t.apply(http_route("both").attached_to(&shop).attached_to(&cart).with(marked)).await?;

    let routed = t.answered_by(V1).and(response_header("x-routed", "yes"));
    client.get(shop.url("/")).must(&routed).await?;
    client.get(cart.url("/")).must(routed).await?;
    t.must_say(&route, &shop, "Accepted", "True", "Accepted").await?;
    t.must_say(&route, &cart, "Accepted", "True", "Accepted").await
}

async fn missing_parent_is_told(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let ghost = t.no_service("ghost");

    let route = http_route("haunted").attached_to(&shop).attached_to(&ghost);
    let route = t.apply_unaccepted(route.otherwise(shop.subset(V2))).await?;

    t.must_say(&route, &ghost, "Accepted", "False", "NoMatchingParent").await?;
    t.must_say(&route, &shop, "Accepted", "True", "Accepted").await?;
    t.client(ClientA).get(shop.url("/")).count(10).must(t.answered_by(V2)).await
}

async fn status_is_of_newest_generation(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);
    let to = |version| http_route("changing").attached_to(&shop).otherwise(shop.subset(version));
    t.apply(to(V1)).await?;
    client.get(shop.url("/")).count(10).must(t.answered_by(V1)).await?;

    let route = t.apply(to(V2)).await?;

    client.get(shop.url("/")).count(10).must(t.answered_by(V2)).await?;
    t.must_say(&route, &shop, "Accepted", "True", "Accepted").await?;
    t.must_say(&route, &shop, "ResolvedRefs", "True", "ResolvedRefs").await
}

async fn host_header_does_not_choose_service(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let cart = t.service("cart", [V2]).await?;
    let client = t.client(ClientA);

    let marked = rule(Matches::default(), backend(shop.subset(V1))).set_response_header("x-routed", "yes");
    t.apply(http_route("hosts").attached_to(&shop).with(marked)).await?;

    let routed = t.answered_by(V1).and(response_header("x-routed", "yes"));
    client.get(shop.url("/")).header("host", &cart.host()).must(routed).await?;
    let plain = t.answered_by(V2).and(no_response_header("x-routed"));
    client.get(cart.url("/")).header("host", &shop.host()).must(plain).await
}
