//! The way to a client's control port: HTTP/2 through one port-forward, opened again when it breaks.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest as Http2;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use waymark_echo::api::{DEFAULT_CONTROL_PORT, SendReport, SendRequest};

use crate::case::Broken;
use crate::observe::PodHere;
use crate::stage::forward;

/// What a control call may take beyond what its requests may.
const MARGIN: Duration = Duration::from_secs(15);

/// The way to one client pod.
pub struct Channel {
    client: kube::Client,
    pod: PodHere,
    link: Mutex<Option<Http2<Bytes>>>,
    opened: AtomicU32,
}

impl Channel {
    /// A way to this pod; opened at its first use.
    #[must_use]
    pub fn new(client: kube::Client, pod: PodHere) -> Self {
        Self { client, pod, link: Mutex::new(None), opened: AtomicU32::new(0) }
    }

    /// The pod at its end.
    #[must_use]
    pub fn pod(&self) -> &PodHere {
        &self.pod
    }

    /// How often it had to be opened again.
    #[must_use]
    pub fn reopened(&self) -> u32 {
        self.opened.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Lets the client send, and returns one exchange for each request.
    ///
    /// # Errors
    /// A control port that refuses, does not answer, or whose way breaks; nothing is sent twice.
    pub async fn send(&self, request: &SendRequest) -> Result<SendReport, Broken> {
        let rounds = request.count.div_ceil(request.concurrency.max(1));
        let budget = Duration::from_millis(request.timeout_ms) * rounds + MARGIN;
        self.call("POST", "/v1/send", Some(request), budget).await
    }

    /// One call of the control port.
    ///
    /// # Errors
    /// As [`Channel::send`].
    pub async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&B>,
        budget: Duration,
    ) -> Result<A, Broken> {
        let what =
            || format!("{method} {path} at the control port of {}/{}", self.pod.namespace, self.pod.name);
        let body = match body {
            Some(body) => Bytes::from(serde_json::to_vec(body).map_err(|why| Broken::with(what(), why))?),
            None => Bytes::new(),
        };
        let link = self.link().await?;
        let answer = match tokio::time::timeout(budget, exchange(link, method, path, body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(why)) => {
                self.link.lock().await.take();
                return Err(Broken::with(what(), why));
            }
            Err(_) => {
                self.link.lock().await.take();
                return Err(Broken::new(format!("{}: no answer within {budget:?}", what())));
            }
        };
        let (status, body) = answer;
        if !(200..300).contains(&status) {
            return Err(Broken::new(format!(
                "{}: answered {status}: {}",
                what(),
                String::from_utf8_lossy(&body)
            )));
        }
        serde_json::from_slice(&body).map_err(|why| Broken::with(what(), why))
    }

    /// The link, opened again if it is not usable before anything was sent on it.
    async fn link(&self) -> Result<Http2<Bytes>, Broken> {
        let mut link = self.link.lock().await;
        if let Some(there) = link.take()
            && let Ok(ready) = there.ready().await
        {
            *link = Some(ready.clone());
            return Ok(ready);
        }
        let fresh = self.open().await?;
        *link = Some(fresh.clone());
        Ok(fresh)
    }

    async fn open(&self) -> Result<Http2<Bytes>, Broken> {
        let PodHere { namespace, name, .. } = &self.pod;
        let stream = forward::open(&self.client, namespace, name, DEFAULT_CONTROL_PORT).await?;
        let (link, connection) = h2::client::Builder::new()
            .initial_window_size(4 << 20)
            .initial_connection_window_size(16 << 20)
            .handshake(stream)
            .await
            .map_err(|why| Broken::with(format!("HTTP/2 to {namespace}/{name}"), why))?;
        // Ends with the stream; its error shows at the next use of the link.
        tokio::spawn(connection);
        self.opened.fetch_add(1, Ordering::Relaxed);
        link.ready().await.map_err(|why| Broken::with(format!("HTTP/2 to {namespace}/{name}"), why))
    }
}

async fn exchange(
    link: Http2<Bytes>,
    method: &str,
    path: &str,
    body: Bytes,
) -> Result<(u16, BytesMut), h2::Error> {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("http://control{path}"))
        .header("content-type", "application/json")
        .body(())
        .map_err(|_| h2::Error::from(h2::Reason::INTERNAL_ERROR))?;
    let mut link = link.ready().await?;
    let (response, mut upload) = link.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        upload.send_data(body, true)?;
    }
    let (head, mut download) = response.await?.into_parts();
    let mut whole = BytesMut::new();
    while let Some(chunk) = download.data().await {
        let chunk = chunk?;
        download.flow_control().release_capacity(chunk.len())?;
        whole.extend_from_slice(&chunk);
    }
    Ok((head.status.as_u16(), whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 3 << 20;

    /// A control port that answers one call with a status and a body.
    async fn serve(stream: tokio::io::DuplexStream, status: u16, body: Bytes) {
        let mut server = h2::server::handshake(stream).await.unwrap();
        let (request, mut respond) = server.accept().await.unwrap().unwrap();
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/send"));
        let head = http::Response::builder().status(status).body(()).unwrap();
        respond.send_response(head, false).unwrap().send_data(body, true).unwrap();
        while server.accept().await.is_some() {}
    }

    async fn call(status: u16, body: Bytes) -> Result<(u16, BytesMut), h2::Error> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(serve(theirs, status, body));
        let (link, connection) = h2::client::handshake(ours).await.unwrap();
        tokio::spawn(connection);
        exchange(link, "POST", "/v1/send", Bytes::from_static(b"{}")).await
    }

    #[tokio::test]
    async fn an_answer_larger_than_every_window_arrives_whole() {
        let (status, body) = call(200, Bytes::from(vec![b'x'; LARGE])).await.unwrap();
        assert_eq!((status, body.len()), (200, LARGE));
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer_too() {
        let (status, body) = call(400, Bytes::from_static(b"{\"place\":\"url\"}")).await.unwrap();
        assert_eq!((status, &body[..]), (400, &b"{\"place\":\"url\"}"[..]));
    }

    #[tokio::test]
    async fn a_way_that_breaks_is_an_error() {
        let (ours, theirs) = tokio::io::duplex(1024);
        let (link, connection) = h2::client::handshake(ours).await.unwrap();
        tokio::spawn(connection);
        drop(theirs);
        exchange(link, "POST", "/v1/send", Bytes::new()).await.unwrap_err();
    }
}
