//! PeerAuthentications say whether a pod takes plain text; ztunnel enforces them.

use waymark_harness::prelude::*;

suite! {
    "peer_authentication", "PeerAuthentication at ztunnel";
    strict_refuses_plaintext, Core, ["PA-02"], "a workload with strict mutual TLS refuses a client outside the mesh, and no other",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["strict-off"];
    permissive_port_admits_plaintext, Core, ["PA-03"], "a port with permissive mutual TLS takes plain text where the rest of its workload is strict",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["strict-ports-ignored"];
    strict_port_refuses_plaintext, Core, ["PA-05"], "a port with strict mutual TLS refuses plain text where the rest of its workload is permissive",
        isolation = Workload, scopes = [Mesh], denies = true, killed_by = ["strict-ports-ignored"];
    workload_mode_beats_the_namespaces, Core, ["PA-01", "PA-02"], "a mode given for a workload beats that of its namespace",
        isolation = Bare, scopes = [Mesh], denies = true, killed_by = ["strict-off"];
    plaintext_is_admitted_again_after_removal, Core, [], "plain text is admitted again when what made mutual TLS strict is deleted",
        isolation = Workload, scopes = [Mesh], source = "https://istio.io/latest/docs/reference/config/security/peer_authentication/",
        denies = true, killed_by = ["strict-always"];
}

async fn strict_refuses_plaintext(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let outsider = t.client(Outsider);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    outsider.get(app.url("/")).must(&fine).await?;

    t.apply(strict("strict").selecting(&app)).await?;

    outsider.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    t.client(ClientA).get(app.url("/")).must(&fine).await?;
    t.client(ClientB).get(app.url("/")).must(fine).await?;
    t.must_tell_refusal(&app, "explicitly denied by").await
}

async fn permissive_port_admits_plaintext(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let outsider = t.client(Outsider);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    outsider.get(app.url("/")).must(&fine).await?;

    t.apply(strict("but-one").selecting(&app).permissive_at(Alt.target())).await?;

    outsider.get(app.url("/")).must(denied_by(Ztunnel)).await?;
    outsider.get(app.url_at(Alt, "/")).must(&fine).await?;
    t.client(ClientA).get(app.url("/")).must(fine).await
}

async fn strict_port_refuses_plaintext(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let outsider = t.client(Outsider);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    outsider.get(app.url_at(Alt, "/")).must(&fine).await?;

    t.apply(permissive("but-one").selecting(&app).strict_at(Alt.target())).await?;

    outsider.get(app.url_at(Alt, "/")).must(denied_by(Ztunnel)).await?;
    outsider.get(app.url("/")).must(&fine).await?;
    t.client(ClientA).get(app.url_at(Alt, "/")).must(fine).await
}

async fn workload_mode_beats_the_namespaces(t: &Ctx) -> Verdict {
    let (closed, open) = (t.app(V1).await?, t.app(V2).await?);
    let outsider = t.client(Outsider);
    outsider.get(closed.url("/")).must(status(200).and(served_by(V1)).and(direct_l4())).await?;

    t.apply(strict("all")).await?;
    outsider.get(closed.url("/")).must(denied_by(Ztunnel)).await?;
    outsider.get(open.url("/")).must(denied_by(Ztunnel)).await?;

    t.apply(permissive("one").selecting(&open)).await?;
    outsider.get(open.url("/")).must(status(200).and(served_by(V2)).and(direct_l4())).await?;
    outsider.get(closed.url("/")).must(denied_by(Ztunnel)).await
}

async fn plaintext_is_admitted_again_after_removal(t: &Ctx) -> Verdict {
    let app = t.app(V1).await?;
    let outsider = t.client(Outsider);
    let fine = status(200).and(served_by(V1)).and(direct_l4());
    outsider.get(app.url("/")).must(&fine).await?;
    let strict = t.apply(strict("strict").selecting(&app)).await?;
    outsider.get(app.url("/")).must(denied_by(Ztunnel)).await?;

    t.delete(&strict).await?;

    outsider.get(app.url("/")).must(fine).await
}
