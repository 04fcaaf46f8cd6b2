//! GRPCRoute rules attached to a Service are enforced by that Service's waypoint.

use waymark_harness::prelude::*;

suite! {
    "grpc_route", "Gateway API GRPCRoute, mesh binding";
    method_match_selects_backend, Core, [], "a call matching a rule's method reaches that rule's backend",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#grpcmethodmatch", killed_by = ["ignore-path-match"];
    service_match_selects_backend, Core, [], "a call matching a rule's service reaches that rule's backend, whatever its method",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#grpcmethodmatch", killed_by = ["ignore-path-match"];
    metadata_match_selects_backend, Core, [], "a call matching a rule's metadata reaches that rule's backend",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#grpcheadermatch", killed_by = ["ignore-header-match"];
    unmatched_call_is_unimplemented, Core, [], "a call matching no rule ends in UNIMPLEMENTED",
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute", killed_by = ["ignore-path-match"];
    weights_of_calls_are_kept, Core, ["GWC-06"], "calls are shared between backends in the ratio of their weights",
        killed_by = ["weights-level"];
    metadata_is_changed, Extended, ["GWC-10"], "metadata is set, added and removed as a rule says",
        killed_by = ["metadata-kept"];
}

const UNIMPLEMENTED: u16 = 12;

async fn method_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1, V2], [Grpc]).await?;
    let client = t.client(ClientA);

    let route = grpc_route("by-method").attached_to(shop.at(Grpc));
    let route = route.rule(calls("shop.Orders", "Repeat"), grpc_backend(shop.subset(V2).at(Grpc)));
    t.apply(route.otherwise(grpc_backend(shop.subset(V1).at(Grpc)))).await?;

    let fine = || grpc_status(0).and(passed(t.waypoint()));
    let each = client.grpc(shop.url_at(Grpc, "/shop.Orders/Repeat")).count(8);
    each.must(fine().and(served_by(V2))).await?;
    let other = client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).count(8);
    other.must(fine().and(served_by(V1))).await
}

async fn service_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1, V2], [Grpc]).await?;
    let client = t.client(ClientA);

    let route = grpc_route("by-service").attached_to(shop.at(Grpc));
    let route = route.rule(calls("shop.Orders", ""), grpc_backend(shop.subset(V2).at(Grpc)));
    t.apply(route.otherwise(grpc_backend(shop.subset(V1).at(Grpc)))).await?;

    let fine = || grpc_status(0).and(passed(t.waypoint()));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Repeat")).count(8).must(fine().and(served_by(V2))).await?;
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).count(8).must(fine().and(served_by(V2))).await?;
    client.grpc(shop.url_at(Grpc, "/shop.Bills/Echo")).count(8).must(fine().and(served_by(V1))).await
}

async fn metadata_match_selects_backend(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1, V2], [Grpc]).await?;
    let client = t.client(ClientA);

    let route = grpc_route("by-metadata").attached_to(shop.at(Grpc));
    let route = route.rule(metadata("x-user", "canary"), grpc_backend(shop.subset(V2).at(Grpc)));
    t.apply(route.otherwise(grpc_backend(shop.subset(V1).at(Grpc)))).await?;

    let fine = || grpc_status(0).and(passed(t.waypoint()));
    let call = || client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).count(8);
    call().header("x-user", "canary").must(fine().and(served_by(V2))).await?;
    call().must(fine().and(served_by(V1))).await
}

async fn unmatched_call_is_unimplemented(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;
    let client = t.client(ClientA);

    let route = grpc_route("only-orders").attached_to(shop.at(Grpc));
    t.apply(route.rule(calls("shop.Orders", ""), grpc_backend(shop.at(Grpc)))).await?;

    let refused = grpc_status(UNIMPLEMENTED).and(passed(t.waypoint())).and(because("route_not_found"));
    client.grpc(shop.url_at(Grpc, "/shop.Bills/Echo")).must(refused).await?;
    let fine = grpc_status(0).and(served_by(V1)).and(passed(t.waypoint()));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).must(fine).await
}

async fn weights_of_calls_are_kept(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1, V2], [Grpc]).await?;
    let client = t.client(ClientA);

    // The header shows which answers the route gave, so that none from before it is counted.
    let shared = grpc_backend(shop.subset(V1).at(Grpc)).weight(80).and(shop.subset(V2).at(Grpc), 20);
    let shared = calls_to(any_call(), shared).set_response_metadata("x-shared", "yes");
    t.apply(grpc_route("by-weight").attached_to(shop.at(Grpc)).with(shared)).await?;

    let fine = grpc_status(0).and(passed(t.waypoint())).and(response_header("x-shared", "yes"));
    let call = || client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo"));
    call().must(&fine).await?;
    call().shared_by(&[(V1, 80), (V2, 20)], fine).await
}

async fn metadata_is_changed(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;
    let client = t.client(ClientA);

    let changed = calls_to(any_call(), grpc_backend(shop.at(Grpc)));
    let changed =
        changed.set_metadata("x-set", "new").add_metadata("x-add", "more").remove_metadata("x-gone");
    t.apply(grpc_route("changed").attached_to(shop.at(Grpc)).with(changed)).await?;

    let seen = grpc_status(0).and(served_by(V1)).and(passed(t.waypoint()));
    let seen = seen.and(request_header("x-set", "new")).and(no_request_header("x-gone"));
    let seen = seen.and(request_header("x-add", "more"));
    let call = client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo"));
    call.header("x-set", "old").header("x-gone", "1").must(seen).await
}
