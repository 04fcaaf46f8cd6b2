//! HTTP passes a waypoint unharmed, in each of its versions and however long or slow its bodies are.
//!
//! The guide of 1.19 names HTTP/2, chunked bodies and WebSockets as what waypoints do not support: each has its case.

use waymark_harness::prelude::*;

suite! {
    "protocols", "HTTP/1.1, HTTP/2 and WebSockets through the waypoint";
    kept_connection_is_balanced_by_request, Core, [], "requests of one HTTP/1.1 connection are balanced one by one",
        source = "https://istio.io/latest/docs/ambient/usage/waypoint/", killed_by = ["one-pod-only"];
    http2_reaches_backend_as_http2, Core, ["REACH-01"], "a request over HTTP/2 reaches the backend over HTTP/2",
        killed_by = ["http2-off"];
    http2_connection_is_balanced_by_request, Core, ["REACH-12"], "requests of one HTTP/2 connection are balanced one by one",
        killed_by = ["one-pod-only"];
    http2_requests_share_a_connection, Observed, [], "requests of one HTTP/2 connection are answered at the same time",
        source = "https://www.rfc-editor.org/rfc/rfc9113#name-streams-and-multiplexing", killed_by = ["http2-serial"];
    trailers_pass_over_http2, Observed, [], "trailers of an answer over HTTP/2 reach the client",
        source = "https://www.rfc-editor.org/rfc/rfc9110#name-trailer-fields", killed_by = ["http2-off"];
    request_in_pieces_is_not_held_back, Observed, [], "a request body of unknown length reaches the backend piece by piece",
        source = "https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding", killed_by = ["buffer-requests"];
    answer_in_pieces_is_not_held_back, Observed, [], "an answer of unknown length reaches the client piece by piece",
        source = "https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding", killed_by = ["buffer-answers"];
    long_body_arrives_whole, Observed, [], "a request body of 1 MiB reaches the backend unharmed",
        source = "https://www.rfc-editor.org/rfc/rfc9112#name-message-body", killed_by = ["buffer-requests"];
    long_answer_returns_whole, Observed, [], "an answer of 1 MiB reaches the client unharmed",
        source = "https://www.rfc-editor.org/rfc/rfc9112#name-message-body", killed_by = ["long-answers-cut"];
    websocket_passes, Observed, [], "a WebSocket is upgraded through the waypoint and carries frames both ways",
        source = "https://github.com/istio/istio/blob/1.31.0/pilot/pkg/networking/core/listener_builder.go", killed_by = ["upgrade-off"];
    host_is_kept, Core, ["REACH-14", "GWC-20"], "the backend sees the host that the client asked for, whatever it is",
        killed_by = ["host-rewritten"];
    http_1_0_is_426, Observed, ["REACH-15"], "a request in HTTP/1.0 is answered 426 by the waypoint",
        killed_by = ["http10-taken"];
    long_headers_pass_up_to_a_limit, Observed, [], "headers of 16 KiB reach the backend, headers beyond 60 KiB are answered 431",
        source = "https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
        killed_by = ["headers-limit"];
}

const MIB: usize = 1 << 20;

async fn kept_connection_is_balanced_by_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;

    let answered = status(200).and(passed(t.waypoint()));
    t.client(ClientA).get(shop.url("/")).reaches_over_one_connection([V1, V2], answered).await
}

async fn http2_reaches_backend_as_http2(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [H2c]).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint())).and(heard_as("HTTP/2.0"));
    t.client(ClientA).get(shop.url_at(H2c, "/")).h2c().must(&answered).await?;
    t.client(ClientB)
        .post(shop.url_at(H2c, "/"))
        .h2c()
        .filled(100)
        .must(answered.and(body_arrives(100)))
        .await
}

async fn http2_connection_is_balanced_by_request(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1, V2], [H2c]).await?;
    let client = t.client(ClientA);

    let answered = status(200).and(passed(t.waypoint())).and(heard_as("HTTP/2.0"));
    client.get(shop.url_at(H2c, "/")).h2c().must(&answered).await?;
    client.get(shop.url_at(H2c, "/")).h2c().reaches_over_one_connection([V1, V2], answered).await
}

async fn http2_requests_share_a_connection(t: &Ctx) -> Verdict {
    const DELAY: Duration = Duration::from_millis(600);
    let shop = t.service_with("shop", [V1], [H2c]).await?;
    let client = t.client(ClientA);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url_at(H2c, "/")).h2c().must(&answered).await?;

    // One after the other would take the last of them eight times the delay.
    let slow =
        client.get(shop.url_at(H2c, "/?echo-delay-ms=600")).h2c().multiplexed().count(8).concurrency(8);
    slow.within(DELAY * 20).once(answered.and(at_least(DELAY)).and(at_most(DELAY * 4))).await?;
    Ok(())
}

async fn trailers_pass_over_http2(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [H2c]).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint())).and(trailer("x-sum", "7"));
    t.client(ClientA).get(shop.url_at(H2c, "/?echo-trailer=x-sum:7")).h2c().must(answered).await
}

async fn request_in_pieces_is_not_held_back(t: &Ctx) -> Verdict {
    const GAP: Duration = Duration::from_millis(150);
    let shop = t.service("shop", [V1]).await?;

    let arrived = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let arrived = arrived.and(body_arrives(4000)).and(body_trickles(GAP));
    t.client(ClientA).post(shop.url("/")).filled(4000).in_pieces(4, GAP).must(arrived).await
}

async fn answer_in_pieces_is_not_held_back(t: &Ctx) -> Verdict {
    const GAP: Duration = Duration::from_millis(150);
    let shop = t.service("shop", [V1]).await?;

    let returned = status(200).and(served_by(V1)).and(passed(t.waypoint())).and(answer_trickles(GAP));
    t.client(ClientA).get(shop.url("/?echo-pieces=4&echo-gap-ms=150")).must(returned).await
}

async fn long_body_arrives_whole(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let arrived = status(200).and(served_by(V1)).and(passed(t.waypoint())).and(body_arrives(MIB));
    t.client(ClientA).post(shop.url("/")).filled(MIB).must(arrived).await
}

async fn long_answer_returns_whole(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let returned = status(200).and(passed(t.waypoint())).and(because("via_upstream")).and(body_returns(MIB));
    t.client(ClientA).get(shop.url("/?echo-size=1048576")).must(returned).await
}

async fn websocket_passes(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let upgraded = status(101).and(served_by(V1)).and(passed(t.waypoint()));
    let talked = upgraded.and(messages(5, 5)).and(echoed());
    t.client(ClientA).websocket(shop.url("/talk")).messages(5).must(talked).await
}

async fn host_is_kept(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));

    client.get(shop.url("/")).must(answered().and(host_seen(shop.host()))).await?;
    let elsewhere = answered().and(host_seen("elsewhere.example"));
    client.get(shop.url("/")).header("host", "elsewhere.example").must(elsewhere).await
}

async fn http_1_0_is_426(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    // It is refused before its headers are read, so that the waypoint's line in its log has no trace of the probe.
    let refused = status(426).and(body("Upgrade Required"));
    t.client(ClientA).get(shop.url("/")).http_1_0().must(refused).await
}

async fn long_headers_pass_up_to_a_limit(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).long_header("x-long", 16 << 10).must(answered).await?;
    // A request that is not read to its end leaves no line of its own in any log.
    client.get(shop.url("/")).long_header("x-long", 64 << 10).must(status(431)).await
}
