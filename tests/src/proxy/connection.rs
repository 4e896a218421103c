//! One connection: HTTP/1.1 by hand, because a connection has to be ended in the middle of an answer.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{Act, Proxy};

struct Request {
    method: String,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: u16, body: String) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into_bytes() }
    }
}

/// How much of an answer is sent.
#[derive(PartialEq)]
enum Part {
    Whole,
    Half,
    Nothing,
}

pub(super) async fn serve(proxy: Proxy, stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = read(&mut stream).await {
        let (reply, part) = answer(&proxy, request).await;
        if part == Part::Nothing || write(&mut stream, &reply, part).await.is_err() {
            return;
        }
    }
}

async fn answer(proxy: &Proxy, request: Request) -> (Reply, Part) {
    let path = request.path.split('?').next().unwrap_or_default();
    let operation = ringcentral::operations::find(&request.method, path).map_or("unknown", |o| o.id);
    let [before, after] = proxy.acts(operation, &request.path);
    let mut held = Vec::new();
    let mut part = Part::Whole;
    let mut reply = None;
    for (act, is_after) in [(before, false), (after, true)] {
        if is_after && reply.is_none() && part == Part::Whole {
            reply = Some(forward(proxy, &request).await);
        }
        match act {
            None => {}
            Some(Act::Hold(hold)) => {
                hold.wait().await;
                held.push(hold);
            }
            Some(Act::Lose) => part = Part::Nothing,
            Some(Act::Cut) => part = Part::Half,
            Some(Act::Empty) => reply = Some(Reply { body: Vec::new(), ..reply.unwrap_or_else(ok) }),
            Some(Act::Answer { status, headers, body }) => {
                let headers = headers.into_iter().map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_str(&value).expect("a header"))
                });
                reply = Some(Reply { headers: headers.collect(), ..Reply::new(status, body) });
            }
        }
    }
    held.iter().for_each(super::Held::finish);
    (reply.unwrap_or_else(ok), part)
}

fn ok() -> Reply {
    Reply::new(200, "{}".to_owned())
}

async fn forward(proxy: &Proxy, request: &Request) -> Reply {
    let method = request.method.parse().expect("a method");
    let url = format!("{}{}", proxy.0.upstream, request.path);
    let mut headers = request.headers.clone();
    for hop in ["host", "connection", "content-length", "transfer-encoding"] {
        headers.remove(hop);
    }
    let sent = proxy.0.http.request(method, url).headers(headers).body(request.body.clone()).send();
    let Ok(response) = sent.await else { return Reply::new(502, "the proxy got no answer".to_owned()) };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap_or_default().to_vec();
    Reply { status, headers, body }
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.trim().parse()) {
            headers.append(name, value);
        }
    }
    let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(Some(Request { method, path, headers, body }))
}

async fn write(stream: &mut BufReader<TcpStream>, reply: &Reply, part: Part) -> std::io::Result<()> {
    let Reply { status, headers, body } = reply;
    let mut head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        let hop = ["content-length", "transfer-encoding", "connection"].contains(&name.as_str());
        if let (false, Ok(value)) = (hop, value.to_str()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let sent = if part == Part::Half { &body[..body.len() / 2] } else { &body[..] };
    stream.write_all(sent).await?;
    stream.flush().await?;
    if part == Part::Half { Err(std::io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
}
