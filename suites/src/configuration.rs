//! What istiod sends, proxies take.

use waymark_harness::prelude::*;

suite! {
    "configuration", "What istiod sends, proxies take";
    // alone and last: it speaks of everything that the cases before it made istiod send
    proxies_refuse_nothing, Core, ["WPL-23"], "no proxy refuses configuration that istiod sends",
        isolation = Mesh, scopes = [Mesh], killed_by = ["refuse-listener"];
}

async fn proxies_refuse_nothing(t: &Ctx) -> Verdict {
    let shop = t.service("shop", [V1]).await;
    // What was refused comes first: it is why nothing is answered.
    t.nothing_refused().await?;

    let shop = shop?;
    t.apply(http_route("any").attached_to(&shop).otherwise(shop.subset(V1))).await?;
    t.client(ClientA).get(shop.url("/")).must(status(200).and(passed(t.waypoint()))).await?;
    t.nothing_refused().await
}
