//! Every request that a waypoint handles leaves one line in its access log; who sent it is in ztunnel's line.

use waymark_harness::prelude::*;

suite! {
    "access_log", "Access logs of waypoint and ztunnel";
    one_line_for_each_request, Core, ["TEL-08", "TEL-09"], "each request leaves one line with method, path, code, details and route",
        killed_by = ["log-off", "log-no-route"];
    answer_of_waypoint_is_logged, Core, ["TEL-08", "TEL-09"], "a request that the waypoint answers itself leaves one line that says why",
        killed_by = ["log-off"];
    client_identity_is_in_ztunnel_line, Core, ["TEL-08"], "ztunnel's line of a connection names the client's identity and the Service",
        killed_by = ["log-wrong-identity"];
}

async fn one_line_for_each_request(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    // The header shows which answers the route gave: the Service answers 200 before the route has arrived, too.
    let logged =
        rule(path_prefix("/logged"), backend(shop.subset(V1))).set_response_header("x-logged", "yes");
    let route = t.apply(http_route("logged").attached_to(&shop).with(logged)).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let answered = answered.and(response_header("x-logged", "yes"));
    client.get(shop.url("/logged")).must(&answered).await?;

    let sent = client.get(shop.url("/logged/page?a=b")).count(5).once(answered).await?;
    t.must_log(&sent, AccessClaim::new("GET", "/logged/page?a=b", 200).by_rule(&route, 0)).await
}

async fn answer_of_waypoint_is_logged(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);
    t.apply(http_route("only-known").attached_to(&shop).rule(path("/known"), shop.subset(V1))).await?;
    let refused = status(404).and(passed(t.waypoint()));
    client.post(shop.url("/unknown")).must(&refused).await?;

    let sent = client.post(shop.url("/unknown")).count(3).once(refused).await?;
    t.must_log(&sent, AccessClaim::new("POST", "/unknown", 404).because("route_not_found").by_no_route())
        .await
}

async fn client_identity_is_in_ztunnel_line(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let answered = status(200).and(served_by(V1)).and(passed(t.waypoint()));

    let sent = t.client(ClientA).get(shop.url("/")).count(2).once(&answered).await?;
    t.must_connect_as_itself(&sent, &shop).await?;

    let sent = t.client(ClientB).get(shop.url("/")).count(2).once(answered).await?;
    t.must_connect_as_itself(&sent, &shop).await
}
