//! Where an HTTPRoute redirects, the waypoint answers by itself and names the exact place.

use waymark_harness::prelude::*;

suite! {
    "routing_redirect", "HTTPRoute redirects at the waypoint";
    redirect_names_host_and_status, Core, ["GWC-12"], "a redirect to another host is 302, or the status of the rule, and keeps the path",
        killed_by = ["redirect-plain"];
    redirect_names_path, Core, ["GWC-13"], "a redirect replaces the path's prefix, or the path as a whole",
        killed_by = ["redirect-plain"];
    redirect_names_scheme_and_port, Core, ["GWC-14", "GWC-15"], "a redirect names another scheme or port, and no port that its scheme implies",
        killed_by = ["redirect-plain"];
    redirect_has_later_statuses, Core, ["GWC-16", "GWC-17", "GWC-18"], "a redirect is 303, 307 or 308 where the rule says so",
        needs = [GatewayApi(1, 5)], killed_by = ["redirect-plain"];
}

async fn redirect_names_host_and_status(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let found = rule(path_prefix("/found"), nowhere()).redirecting(redirect().host("example.org"));
    let moved = rule(path_prefix("/moved"), nowhere());
    let moved = moved.redirecting(redirect().host("example.org").status(301));
    t.apply(http_route("hosts").attached_to(&shop).with(found).with(moved)).await?;

    let found = t.redirected(302, "http://example.org/found/page?a=b");
    client.get(shop.url("/found/page?a=b")).must(found).await?;
    client.get(shop.url("/moved")).must(t.redirected(301, "http://example.org/moved")).await
}

async fn redirect_names_path(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let prefix = rule(path_prefix("/old"), nowhere()).redirecting(redirect().prefix("/new"));
    let whole = rule(path_prefix("/any"), nowhere()).redirecting(redirect().path("/here").status(301));
    t.apply(http_route("paths").attached_to(&shop).with(prefix).with(whole)).await?;

    client.get(shop.url("/old/page")).must(t.redirected(302, shop.url("/new/page"))).await?;
    client.get(shop.url("/any/page")).must(t.redirected(301, shop.url("/here"))).await
}

async fn redirect_names_scheme_and_port(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let secure = rule(path("/secure"), nowhere()).redirecting(redirect().https());
    let other = rule(path("/other"), nowhere()).redirecting(redirect().host("example.org").port(8083));
    t.apply(http_route("schemes").attached_to(&shop).with(secure).with(other)).await?;

    let secure = format!("https://{}/secure", shop.host());
    client.get(shop.url("/secure")).must(t.redirected(302, secure)).await?;
    client.get(shop.url("/other")).must(t.redirected(302, "http://example.org:8083/other")).await
}

async fn redirect_has_later_statuses(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await?;
    let client = t.client(ClientA);

    let to =
        |path, status| rule(path_prefix(path), nowhere()).redirecting(redirect().path("/").status(status));
    let route = http_route("statuses").attached_to(&shop).with(to("/303", 303)).with(to("/307", 307));
    t.apply(route.with(to("/308", 308))).await?;

    client.post(shop.url("/303")).must(t.redirected(303, shop.url("/"))).await?;
    client.post(shop.url("/307")).must(t.redirected(307, shop.url("/"))).await?;
    client.post(shop.url("/308")).must(t.redirected(308, shop.url("/"))).await
}
