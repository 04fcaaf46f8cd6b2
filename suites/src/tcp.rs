//! A Service's TCP ports pass its waypoint, too: the backend's peer is the waypoint, and nobody looks into the bytes.

use waymark_harness::prelude::*;

suite! {
    "tcp", "TCP through the waypoint";
    lines_pass_both_ways, Core, ["REACH-01"], "a TCP connection to a Service passes its waypoint and carries bytes both ways",
        killed_by = ["tcp-nowhere"];
    server_may_speak_first, Observed, ["REACH-22"], "on a port declared TCP the server may speak first",
        killed_by = ["inspect-all-ports"];
    half_closed_connection_is_answered, Observed, [], "a client that has ended its own direction still hears the server",
        source = "https://www.rfc-editor.org/rfc/rfc9293#name-closing-a-connection", killed_by = ["half-close-cut"];
    http_on_tcp_port_is_not_parsed, Core, ["REACH-01"], "HTTP on a port declared TCP passes the waypoint as it is",
        killed_by = ["tcp-nowhere"];
}

async fn lines_pass_both_ways(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Tcp]).await?;

    let talked = served_by(V1).and(passed(t.waypoint())).and(messages(5, 5)).and(echoed());
    t.client(ClientA).tcp(shop.url_at(Tcp, "/")).messages(5).must(&talked).await?;
    t.client(ClientB).tcp(shop.url_at(Tcp, "/")).messages(5).must(talked).await
}

async fn server_may_speak_first(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [ServerFirst]).await?;

    let greeted = served_by(V1).and(passed(t.waypoint())).and(messages(3, 3)).and(echoed());
    t.client(ClientA).server_first(shop.url_at(ServerFirst, "/")).messages(3).must(greeted).await
}

async fn half_closed_connection_is_answered(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [Tcp]).await?;

    let heard = served_by(V1).and(passed(t.waypoint())).and(messages(2, 2)).and(echoed());
    let heard = heard.and(ended_in_order("line 0\nline 1\n"));
    t.client(ClientA).tcp(shop.url_at(Tcp, "/")).messages(2).half_closed().must(heard).await
}

async fn http_on_tcp_port_is_not_parsed(t: &Ctx) -> Verdict {
    let shop = t.service_with("shop", [V1], [TcpForHttp]).await?;
    let client = t.client(ClientA);
    let answered = || status(200).and(served_by(V1)).and(passed(t.waypoint()));
    client.get(shop.url("/")).must(answered().and(response_header("server", "istio-envoy"))).await?;

    let untouched = answered().and(no_response_header("server"));
    client.get(shop.url_at(TcpForHttp, "/")).must(untouched).await
}
