//! gRPC passes a waypoint in all its forms, and what the waypoint itself answers it tells as gRPC.

use waymark_harness::prelude::*;

suite! {
    "grpc", "gRPC through the waypoint";
    call_passes, Core, ["REACH-01"], "a gRPC call passes the waypoint, with its status",
        killed_by = ["http2-off"];
    streams_pass, Core, [], "a stream of messages passes the waypoint, whichever side sends it",
        source = "https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/", killed_by = ["http2-off"];
    streams_pass_both_ways_at_once, Core, [], "each message of a call is answered before the next is sent",
        source = "https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/", killed_by = ["buffer-requests"];
    error_status_passes, Core, [], "the status and the message of a call that fails reach the client",
        source = "https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/", killed_by = ["http2-off"];
    calls_of_one_connection_are_balanced, Core, ["REACH-12"], "calls of one connection are balanced one by one",
        killed_by = ["one-pod-only"];
    denied_call_is_permission_denied, Core, ["AZ7-01", "AZ7-02"], "a call that no policy allows ends in PERMISSION_DENIED",
        denies = true, killed_by = ["rbac-off"];
    aborted_call_has_given_status, Extended, ["FLT-02"], "an abort fault ends a call in the given gRPC status",
        killed_by = ["grpc-abort-off"];
}

const PERMISSION_DENIED: u16 = 7;
const FAILED_PRECONDITION: u16 = 9;
const UNAVAILABLE: u16 = 14;

async fn call_passes(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;

    let fine = grpc_status(0).and(served_by(V1)).and(passed(t.waypoint())).and(heard_as("HTTP/2.0"));
    let fine = fine.and(messages(1, 1)).and(echoed());
    t.client(ClientA).grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).must(&fine).await?;
    t.client(ClientB).grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).must(fine).await
}

async fn streams_pass(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;
    let client = t.client(ClientA);
    let fine = || grpc_status(0).and(served_by(V1)).and(passed(t.waypoint())).and(echoed());

    let down = fine().and(messages(1, 20));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Repeat")).messages(20).must(down).await?;
    let up = fine().and(messages(20, 1));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Gather")).messages(20).must(up).await
}

async fn streams_pass_both_ways_at_once(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;

    let fine = grpc_status(0).and(served_by(V1)).and(passed(t.waypoint()));
    let fine = fine.and(messages(20, 20)).and(echoed());
    t.client(ClientA).grpc(shop.url_at(Grpc, "/shop.Orders/Chat")).messages(20).must(fine).await
}

async fn error_status_passes(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;

    let failed = grpc_status(FAILED_PRECONDITION).and(grpc_message("as asked"));
    let failed = failed.and(served_by(V1)).and(passed(t.waypoint()));
    let call = t.client(ClientA).grpc(shop.url_at(Grpc, "/shop.Orders/Echo"));
    call.header("x-echo-grpc-status", "9").must(failed).await
}

async fn calls_of_one_connection_are_balanced(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1, V2], [Grpc]).await?;
    let client = t.client(ClientA);

    let fine = grpc_status(0).and(passed(t.waypoint()));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).must(&fine).await?;
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).reaches_over_one_connection([V1, V2], fine).await
}

async fn denied_call_is_permission_denied(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;
    let client = t.client(ClientA);
    let fine = grpc_status(0).and(served_by(V1)).and(passed(t.waypoint()));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Repeat")).must(&fine).await?;

    t.apply(deny("no-repeats").attached_to(&shop).rule(request().path("/shop.Orders/Repeat"))).await?;

    let refused = grpc_status(PERMISSION_DENIED).and(grpc_message("RBAC: access denied"));
    let refused = refused.and(passed(t.waypoint())).and(because("rbac_access_denied_matched_policy["));
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Repeat")).must(refused).await?;
    client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo")).must(fine).await
}

async fn aborted_call_has_given_status(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Grpc]).await?;
    let client = t.client(ClientA);

    let chaos = to(shop.at(Grpc)).when_header("x-user", "chaos").abort_grpc("UNAVAILABLE", 100.0);
    t.apply(virtual_service("abort").of(&shop).route(chaos).route(to(shop.at(Grpc)))).await?;

    let aborted = grpc_status(UNAVAILABLE).and(passed(t.waypoint())).and(because("fault_filter_abort"));
    let call = || client.grpc(shop.url_at(Grpc, "/shop.Orders/Echo"));
    call().header("x-user", "chaos").must(aborted).await?;
    call().must(grpc_status(0).and(served_by(V1)).and(passed(t.waypoint()))).await
}
