//! A mirror gets a copy of each request, and the client notices nothing of it.

use waymark_harness::prelude::*;

suite! {
    "mirroring", "HTTPRoute request mirroring";
    mirror_sees_every_request, Extended, [], "a mirrored request reaches the mirror once, and the client hears only its own backend",
        source = "https://gateway-api.sigs.k8s.io/guides/http-request-mirroring/", killed_by = ["mirror-off"];
    mirror_sees_its_percent, Extended, [], "of the requests, the mirror gets the percentage that the route gives it",
        needs = [GatewayApi(1, 3)],
        source = "https://gateway-api.sigs.k8s.io/reference/spec/#httprequestmirrorfilter", killed_by = ["mirror-all"];
    mirror_that_fails_is_not_heard, Extended, [], "a mirror that answers late or with errors changes nothing for the client",
        source = "https://gateway-api.sigs.k8s.io/guides/http-request-mirroring/", killed_by = ["mirror-answers"];
}

async fn mirror_sees_every_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let copied = rule(Matches::default(), backend(shop.subset(V1))).mirrored_to(shop.subset(V2));
    let copied = copied.set_response_header("x-copied", "yes");
    t.apply(http_route("copied").attached_to(&shop).with(copied)).await?;

    let heard = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let heard = heard.and(response_header("x-copied", "yes"));
    client.get(shop.url("/")).must(&heard).await?;
    let sent = client.get(shop.url("/")).count(5).once(heard).await?;
    t.must_arrive(V1, &sent, 5).await?;
    t.must_arrive(V2, &sent, 5).await
}

async fn mirror_sees_its_percent(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let copied = rule(Matches::default(), backend(shop.subset(V1))).mirrored_to(shop.subset(V2));
    let copied = copied.mirror_percent(50).set_response_header("x-copied", "half");
    t.apply(http_route("copied").attached_to(&shop).with(copied)).await?;

    let heard = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let heard = heard.and(response_header("x-copied", "half"));
    client.get(shop.url("/")).must(&heard).await?;
    let sent = client.get(shop.url("/")).count(300).concurrency(8).once(heard).await?;
    t.must_arrive_by_percent(V2, &sent, 50).await?;
    t.must_arrive(V1, &sent, 300).await
}

async fn mirror_that_fails_is_not_heard(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1, V2]).await?;
    let client = t.client(ClientA);

    let copied = rule(Matches::default(), backend(shop.subset(V1))).mirrored_to(shop.subset(V2));
    let copied = copied.set_response_header("x-copied", "yes");
    t.apply(http_route("copied").attached_to(&shop).with(copied)).await?;

    let heard = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let heard = heard.and(response_header("x-copied", "yes"));
    client.get(shop.url("/")).must(&heard).await?;

    let sent = client.get(shop.url("/?echo-v2-status=500")).count(3).once(&heard).await?;
    t.must_arrive(V2, &sent, 3).await?;
    let soon = heard.and(at_most(Duration::from_secs(4)));
    let sent = client.get(shop.url("/?echo-v2-delay-ms=8000")).count(3).once(soon).await?;
    t.must_arrive(V2, &sent, 3).await
}
