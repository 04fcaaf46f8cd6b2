//! Pages of other origins read answers as a VirtualService lets them.

use waymark_harness::prelude::*;

suite! {
    "cors", "VirtualService CORS policy";
    preflight_is_answered_by_waypoint, Extended, ["RT-16"], "a preflight of an allowed origin is answered by the waypoint with what the policy allows",
        killed_by = ["cors-off"];
    allowed_origin_may_read, Extended, ["RT-17"], "only answers to an allowed origin say that it may read them",
        killed_by = ["cors-off"];
}

async fn preflight_is_answered_by_waypoint(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;

    let open = to(&shop).cors("cors.com", ["POST", "GET"], ["X-Foo-Bar", "X-Foo-Baz"]);
    t.apply(virtual_service("cors").of(&shop).route(open)).await?;

    let allowed = status(200)
        .and(passed(t.waypoint()))
        .and(response_header("access-control-allow-origin", "cors.com"))
        .and(response_header("access-control-allow-methods", "POST,GET"))
        .and(response_header("access-control-allow-headers", "X-Foo-Bar,X-Foo-Baz"))
        .and(response_header("access-control-max-age", "86400"));
    let preflight = t.client(ClientA).request("OPTIONS", shop.url("/")).header("origin", "cors.com");
    preflight.header("access-control-request-method", "DELETE").must(allowed).await
}

async fn allowed_origin_may_read(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let open = to(&shop).cors("cors.com", ["POST", "GET"], ["X-Foo-Bar", "X-Foo-Baz"]);
    t.apply(virtual_service("cors").of(&shop).route(open)).await?;

    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));
    let readable = answered().and(response_header("access-control-allow-origin", "cors.com"));
    client.get(shop.url("/")).header("origin", "cors.com").must(readable).await?;

    let silent = answered().and(no_response_header("access-control-allow-origin"));
    client.get(shop.url("/")).header("origin", "other.com").must(&silent).await?;
    client.get(shop.url("/")).must(silent).await
}
