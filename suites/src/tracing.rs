//! A waypoint takes part in traces: a span for each request that it handles, sent to the mesh's OTLP provider.

use waymark_harness::prelude::*;

suite! {
    "tracing", "Spans of the waypoint";
    each_request_leaves_a_span, Core, ["TEL-08"], "each request leaves one span in the client's trace, whose parent is the client's span",
        needs = [Provider("waymark-otlp")],
        source = "https://istio.io/latest/docs/tasks/observability/distributed-tracing/opentelemetry/", killed_by = ["spans-off", "span-orphaned"];
    trace_begins_at_waypoint, Core, ["TEL-08"], "a request without a trace begins one at the waypoint, and the backend is told of it",
        needs = [Provider("waymark-otlp")],
        source = "https://istio.io/latest/docs/tasks/observability/distributed-tracing/overview/", killed_by = ["spans-off", "sampling-never"];
    span_describes_request, Core, ["TEL-08"], "a span tells method, status, flags, and by user agent who asked",
        needs = [Provider("waymark-otlp")],
        source = "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/observability/tracing", killed_by = ["spans-off"];
    denied_request_leaves_a_span, Core, ["TEL-08"], "a request that the waypoint denies leaves a span that tells its status",
        needs = [Provider("waymark-otlp")],
        source = "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/observability/tracing", denies = true, killed_by = ["spans-off"];
    nothing_sampled_leaves_none, Core, ["TEL-08"], "at a sampling rate of 0 a request that begins no trace leaves no span",
        needs = [Provider("waymark-otlp")],
        source = "https://istio.io/latest/docs/tasks/observability/distributed-tracing/sampling/", killed_by = ["sampling-always"];
    own_tags_are_in_spans, Core, ["TEL-08"], "a Telemetry's custom tags, fixed or from a header, are attributes of each span",
        needs = [Provider("waymark-otlp")],
        source = "https://istio.io/latest/docs/reference/config/telemetry/#Tracing-CustomTag", killed_by = ["span-tags-off"];
    reporting_ends_with_its_telemetry, Core, ["TEL-08"], "spans end when their Telemetry is deleted, and the trace passes the waypoint as it was",
        needs = [Provider("waymark-otlp")],
        source = "https://istio.io/latest/docs/tasks/observability/telemetry/", killed_by = ["spans-unasked"];
    peers_are_in_spans, Observed, ["TEL-08"], "a span names the workloads at both ends of its request",
        needs = [IstioFrom(1, 29), RealPart("envoy-istio-extensions"), Provider("waymark-otlp")], killed_by = ["span-tags-off"];
}

async fn each_request_leaves_a_span(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0)).await?;

    let trace = t.trace();
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.must_come_to_trace(|| client.get(shop.url("/")).traced(&trace).once(&answered)).await?;

    let trace = t.trace();
    let sent = client.get(shop.url("/")).traced(&trace).count(3).once(answered).await?;
    t.must_span(&sent, span()).await
}

async fn trace_begins_at_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0)).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = t.must_come_to_trace(|| client.get(shop.url("/")).count(3).once(&answered)).await?;
    t.must_span(&sent, span()).await
}

async fn span_describes_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0)).await?;

    let failed = status(500).and(served_by(V1)).and(passed(t.waypoint()));
    let fails = || client.post(shop.url("/page?echo-status=500")).count(2).once(&failed);
    let sent = t.must_come_to_trace(fails).await?;

    let said = span().says("http.status_code", "500").says("http.method", "POST");
    let said = said.says("response_flags", "-").says("user_agent", sent.user_agent());
    t.must_span(&sent, said.says("component", "proxy")).await
}

async fn denied_request_leaves_a_span(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0)).await?;
    let trace = t.trace();
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.must_come_to_trace(|| client.get(shop.url("/")).traced(&trace).once(&answered)).await?;

    t.apply(deny("closed").attached_to(&shop).rule(request().path("/closed"))).await?;
    let refused = denied_by(Waypoint).and(passed(t.waypoint()));
    client.get(shop.url("/closed")).must(&refused).await?;

    let trace = t.trace();
    let sent = client.get(shop.url("/closed")).traced(&trace).count(2).once(refused).await?;
    t.must_span(&sent, span().says("http.status_code", "403")).await
}

async fn nothing_sampled_leaves_none(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 0.0)).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = t.must_come_to_trace(|| client.get(shop.url("/")).count(5).once(&answered)).await?;
    t.must_not_span(&sent).await
}

async fn own_tags_are_in_spans(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let traced = telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0);
    t.apply(traced.span_tag("team", "checkout").span_tag_of_header("user", "x-user")).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let send = || client.get(shop.url("/")).header("x-user", "canary").count(2).once(&answered);
    let sent = t.must_come_to_trace(send).await?;
    t.must_span(&sent, span().says("team", "checkout").says("user", "canary")).await
}

async fn reporting_ends_with_its_telemetry(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let traced = t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0)).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let trace = t.trace();
    let send = || client.get(shop.url("/")).traced(&trace).count(2).once(&answered);
    t.must_come_to_trace(send).await?;

    t.delete(&traced).await?;

    t.must_come_untraced(send).await?;
    let trace = t.trace();
    let sent = client.get(shop.url("/")).traced(&trace).count(5).once(&answered).await?;
    t.must_not_span(&sent).await
}

async fn peers_are_in_spans(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(telemetry("traced").attached_to(&shop).traced_by(OTLP, 100.0)).await?;

    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let sent = t.must_come_to_trace(|| client.get(shop.url("/")).count(2).once(&answered)).await?;
    let source = span().says("istio.source_workload", "client-a");
    t.must_span(&sent, source.says("istio.destination_workload", "echo-v1")).await
}
