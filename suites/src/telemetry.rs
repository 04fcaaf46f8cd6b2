//! A Telemetry turns access logs and metrics of what it is attached to on and off.

use waymark_harness::prelude::*;

suite! {
    "telemetry", "Telemetry API at the waypoint";
    log_is_off_for_one_service, Core, ["TEL-05", "TEL-08"], "a Telemetry that turns the access log off does so for the Service that it targets",
        source = "https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging", killed_by = ["log-never-off"];
    log_is_back_without_telemetry, Core, ["TEL-08"], "the access log is back when the Telemetry that turned it off is deleted",
        source = "https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging", killed_by = ["log-off"];
    log_is_filtered, Core, ["TEL-08"], "with a filter only the requests for which it holds are logged",
        source = "https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging-Filter", killed_by = ["log-filter-off"];
    waypoint_target_is_for_all, Core, ["TEL-08"], "a Telemetry that targets a waypoint is for every Service behind it",
        isolation = Namespace, scopes = [Namespace], needs = [Provider("waymark-otlp")],
        source = "https://istio.io/latest/docs/reference/config/telemetry/#Telemetry", killed_by = ["spans-off"];
    metric_is_off_for_one_service, Core, ["TEL-02", "TEL-05"], "a Telemetry that disables a metric does so for the Service that it targets, and for that metric",
        source = "https://istio.io/latest/docs/reference/config/telemetry/#MetricsOverrides", killed_by = ["count-undroppable"];
    labels_are_added_and_removed, Core, ["TEL-02"], "a Telemetry adds a label to a metric and takes another away",
        needs = [IstioFrom(1, 24), RealPart("envoy-istio-extensions"), Provider("waymark-otlp")], killed_by = ["label-no-service"];
}

async fn log_is_off_for_one_service(t: &Ctx) -> Verdict {
    let (quiet, loud) = (t.service("quiet", [V1]).await?, t.service("loud", [V1]).await?);
    let client = t.client(ClientA);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    t.apply(telemetry("quiet").attached_to(&quiet).no_access_log("envoy")).await?;

    let to_loud = || client.get(loud.url("/")).count(4).once(&answered);
    t.must_come_to_log_only(to_loud, || client.get(quiet.url("/")).count(3).once(&answered)).await
}

async fn log_is_back_without_telemetry(t: &Ctx) -> Verdict {
    let (quiet, loud) = (t.service("quiet", [V1]).await?, t.service("loud", [V1]).await?);
    let client = t.client(ClientA);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let off = t.apply(telemetry("quiet").attached_to(&quiet).no_access_log("envoy")).await?;
    let to_loud = || client.get(loud.url("/")).count(4).once(&answered);
    t.must_come_to_log_only(to_loud, || client.get(quiet.url("/")).once(&answered)).await?;

    t.delete(&off).await?;

    t.must_come_to_log_both(to_loud, || client.get(quiet.url("/")).once(&answered)).await
}

async fn log_is_filtered(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let (answered, failed) = (status(200).and(passed(t.waypoint())), status(500).and(passed(t.waypoint())));

    let errors = telemetry("errors").attached_to(&shop).access_log("envoy").only_when("response.code >= 500");
    t.apply(errors).await?;

    let fails = || client.get(shop.url("/?echo-status=500")).count(4).once(&failed);
    t.must_come_to_log_only(fails, || client.get(shop.url("/")).count(3).once(&answered)).await
}

async fn waypoint_target_is_for_all(t: &Ctx) -> Verdict {
    let (shop, cart) = (t.service("shop", [V1]).await?, t.service("cart", [V1]).await?);
    let client = t.client(ClientA);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    t.apply(telemetry("traced").attached_to(t.waypoint()).traced_by(OTLP, 100.0)).await?;

    let sent = t.must_come_to_trace(|| client.get(shop.url("/")).count(2).once(&answered)).await?;
    t.must_span(&sent, span()).await?;
    let sent = t.must_come_to_trace(|| client.get(cart.url("/")).count(2).once(&answered)).await?;
    t.must_span(&sent, span()).await
}

async fn metric_is_off_for_one_service(t: &Ctx) -> Verdict {
    let (without, with) = (t.service("without", [V1]).await?, t.service("with", [V1]).await?);
    let client = t.client(ClientA);
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    t.apply(telemetry("uncounted").attached_to(&without).no_metric("REQUEST_COUNT")).await?;
    let send = || client.get(without.url("/")).count(3).once(&answered);
    t.must_come_to_count(&without, Durations, Requests, send).await?;

    let before = t.count(Requests, &with).await?;
    client.get(with.url("/")).count(3).once(answered).await?;
    t.must_rise(&before, 3, answers(200).of(ClientA)).await
}

async fn labels_are_added_and_removed(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    let labels = telemetry("labels").attached_to(&shop).traced_by(OTLP, 100.0);
    let labels = labels.metric_label("REQUEST_COUNT", "custom_dimension", "'test'");
    t.apply(labels.no_metric_label("REQUEST_COUNT", "source_principal")).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    t.must_come_to_trace(|| client.get(shop.url("/")).once(&answered)).await?;

    let before = t.count(Requests, &shop).await?;
    client.get(shop.url("/")).count(3).once(answered).await?;
    let labelled = answers(200).labelled("custom_dimension", "test").without("source_principal");
    t.must_rise(&before, 3, labelled).await
}
