//! Port-forwards to pods through the Kubernetes API.

use std::time::Duration;

use futures::FutureExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::case::Broken;

/// How long one GET may take.
const BUDGET: Duration = Duration::from_secs(15);

/// A byte stream to a port of a pod.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Opens a stream to `port` of a pod.
pub(crate) async fn open(
    client: &Client,
    namespace: &str,
    pod: &str,
    port: u16,
) -> Result<Box<dyn Stream>, Broken> {
    let what = format!("port-forward to {namespace}/{pod}:{port}");
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let mut forward = pods.portforward(pod, &[port]).await.map_err(|why| Broken::with(what.clone(), why))?;
    let stream = forward.take_stream(port).ok_or_else(|| Broken::new(format!("{what}: no stream")))?;
    // The forwarder's own task goes on until the stream ends; what the node complains of ends the stream too.
    if let Some(complaint) = forward.take_error(port) {
        tokio::spawn(complaint.map(move |text| {
            if let Some(text) = text {
                tracing::warn!(%what, %text, "the node complains");
            }
        }));
    }
    Ok(Box::new(stream))
}

/// One GET over a stream of its own.
pub(crate) async fn get(
    client: &Client,
    namespace: &str,
    pod: &str,
    port: u16,
    path: &str,
) -> Result<String, Broken> {
    let what = || format!("GET {path} of {namespace}/{pod}:{port}");
    let mut stream = open(client, namespace, pod, port).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\nConnection: close\r\n\r\n");
    let answer = tokio::time::timeout(BUDGET, exchange(&mut stream, request.as_bytes())).await;
    let answer =
        answer.map_err(|_| Broken::new(format!("{}: no complete answer within {BUDGET:?}", what())))?;
    let answer = answer.map_err(|why| Broken::with(what(), why))?;
    answer.body().map_err(|why| Broken::new(format!("{}: {why}", what())))
}

/// Sends a request and reads until the answer is complete by its own account, or the stream ends.
async fn exchange(stream: &mut Box<dyn Stream>, request: &[u8]) -> std::io::Result<Answer> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut answer = Answer::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut chunk).await?;
        answer.0.extend_from_slice(&chunk[..read]);
        answer.1 = read == 0;
        if answer.1 || answer.may_be_whole() && answer.body().is_ok() {
            return Ok(answer);
        }
    }
}

/// What was read of an answer, and whether the stream has ended.
#[derive(Default)]
struct Answer(Vec<u8>, bool);

impl Answer {
    /// Whether it is worth while to look if it is complete: a chunked body is so only after its last chunk.
    fn may_be_whole(&self) -> bool {
        let head = &self.0[..self.0.len().min(4096)];
        let chunked =
            String::from_utf8_lossy(head).to_ascii_lowercase().contains("transfer-encoding: chunked");
        !chunked || self.0.ends_with(b"\r\n0\r\n\r\n")
    }

    /// The body of a complete 200.
    fn body(&self) -> Result<String, String> {
        let split = self.0.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no complete answer")?;
        let head = String::from_utf8_lossy(&self.0[..split]).to_ascii_lowercase();
        let body = &self.0[split + 4..];
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status != "200" {
            return Err(format!("answered {status}"));
        }
        let header = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let body =
            match (header("transfer-encoding"), header("content-length").and_then(|it| it.parse().ok())) {
                (Some("chunked"), _) => dechunk(body),
                (_, Some(length)) => body.get(..length).map(<[u8]>::to_vec),
                _ => self.1.then(|| body.to_vec()),
            };
        let body = body.ok_or("a body that ends early")?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

fn dechunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        let rest = &body[end + 2..];
        whole.extend_from_slice(rest.get(..size)?);
        body = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n4\r\nb 2\n\r\n0\r\n\r\n";

    #[rstest]
    #[case::by_length("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n", false, Ok("a 1\n"))]
    #[case::by_length_and_more_to_come(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na 1\n",
        false,
        Err("a body that ends early")
    )]
    #[case::by_end("HTTP/1.0 200 OK\r\n\r\na 1\n", true, Ok("a 1\n"))]
    #[case::by_end_and_more_to_come("HTTP/1.0 200 OK\r\n\r\na 1\n", false, Err("a body that ends early"))]
    #[case::chunked(CHUNKED, false, Ok("a 1\nb 2\n"))]
    #[case::half_a_chunk(&CHUNKED[..60], true, Err("a body that ends early"))]
    #[case::another_status("HTTP/1.1 503 No\r\n\r\n", true, Err("answered 503"))]
    #[case::half_a_head("HTTP/1.1 200", true, Err("no complete answer"))]
    fn answers(#[case] text: &str, #[case] ended: bool, #[case] want: Result<&str, &str>) {
        let body = Answer(text.as_bytes().to_vec(), ended).body();
        assert_eq!(body, want.map(str::to_owned).map_err(str::to_owned));
    }

    #[tokio::test]
    async fn a_stream_that_stays_open_does_not_hold_a_complete_answer_back() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(CHUNKED.as_bytes()).await.unwrap();
        let mut ours: Box<dyn Stream> = Box::new(ours);
        let answer = exchange(&mut ours, b"GET").await.unwrap();
        assert_eq!(answer.body().unwrap(), "a 1\nb 2\n");
    }
}
