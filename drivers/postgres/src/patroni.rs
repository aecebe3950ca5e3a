//! Where the members of a cluster under Patroni are, as its REST interface lists them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use underpin_core::{Class, Endpoint, Error, Result, TlsMode, TlsOptions};

use crate::dial::{Stream, dial_tcp};
use crate::tcp::TcpOptions;
use crate::tls::Tls;

/// How long one node has to answer.
const ANSWER: Duration = Duration::from_secs(3);
/// The most bytes of an answer that are read.
const LONGEST: usize = 1024 * 1024;

/// The REST interfaces of the nodes of one cluster under Patroni.
pub struct Patroni {
    nodes: Vec<Node>,
    tls: Option<Tls>,
}

/// The REST interface of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    endpoint: Endpoint,
    encrypted: bool,
    /// The path of the list.
    path: String,
    /// The value of the header `Host`.
    authority: String,
}

impl Patroni {
    /// Reads the URLs of the nodes, separated by commas: `http://db1:8008,https://db2:8008`. The
    /// options hold for those that are encrypted; their certificates are always checked.
    ///
    /// # Errors
    /// `Class::Config` for what is not such a list, and for a certificate that cannot be read.
    pub fn new(urls: &str, tls: &TlsOptions) -> Result<Self> {
        let nodes: Vec<Node> = urls.split(',').map(Node::read).collect::<Result<_>>()?;
        let encrypted = nodes.iter().any(|node| node.encrypted);
        let mut checked = TlsOptions::new(TlsMode::VerifyFull);
        checked.root_certificates.clone_from(&tls.root_certificates);
        checked
            .client_certificate
            .clone_from(&tls.client_certificate);
        checked.client_key.clone_from(&tls.client_key);
        Ok(Patroni {
            nodes,
            tls: encrypted.then(|| Tls::new(&checked)).transpose()?,
        })
    }

    /// Where the members are, as the first node says that answers. All are asked at once.
    ///
    /// # Errors
    /// `Class::Connect` where no node answers with a list.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn members(&self) -> Result<Vec<Endpoint>> {
        let mut answers: FuturesUnordered<_> =
            self.nodes.iter().map(|node| self.ask(node)).collect();
        let mut failures = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(members) => return Ok(members),
                Err(failure) => failures.push(failure),
            }
        }
        Err(Error::new(
            Class::Connect,
            format!(
                "No node of Patroni lists the members: {}.",
                failures.join("; ")
            ),
        )
        .with_hint("Check the URLs in `patroni`, and that the nodes can be reached."))
    }

    async fn ask(&self, node: &Node) -> std::result::Result<Vec<Endpoint>, String> {
        let of_node = |why: String| format!("{}: {why}", node.endpoint);
        let answer = tokio::time::timeout(ANSWER, self.get(node)).await;
        let answer = answer.map_err(|_| of_node(format!("no answer within {ANSWER:?}")))?;
        read_members(&answer.map_err(of_node)?).map_err(of_node)
    }

    async fn get(&self, node: &Node) -> std::result::Result<Bytes, String> {
        let underpin_core::Address::Tcp { host, port, .. } = &node.endpoint.address else {
            return Err("is not on the network".to_owned());
        };
        let socket = dial_tcp(host, None, *port, &TcpOptions::default()).await;
        let plain: Box<dyn Stream> = Box::new(socket.map_err(|error| error.to_string())?);
        let stream: Box<dyn Stream> = match &self.tls {
            Some(tls) if node.encrypted => {
                let encrypted = tls.encrypt(&node.endpoint, plain).await;
                let (stream, _) = encrypted.map_err(|error| error.message().to_owned())?;
                Box::new(stream)
            }
            _ => plain,
        };
        let said = |error: hyper::Error| error.to_string();
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
        let request = Request::get(&node.path)
            .header(HOST, &node.authority)
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(said)?;
            let status = response.status();
            if status != StatusCode::OK {
                return Err(format!("answered {status}"));
            }
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            Ok(body.map_err(|error| error.to_string())?.to_bytes())
        };
        tokio::pin!(answer, connection);
        tokio::select! {
            answer = &mut answer => answer,
            ended = &mut connection => match ended {
                // The whole answer may have been read by now.
                Ok(()) => answer.await,
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

impl Node {
    fn read(text: &str) -> Result<Node> {
        let text = text.trim();
        let refused = |why: &str| {
            Error::new(Class::Config, format!("`patroni` has a URL that {why}.")).with_hint(
                "Write the REST interface of each node, such as http://db1:8008,http://db2:8008.",
            )
        };
        let uri: Uri = text
            .parse()
            .map_err(|error| refused(&format!("cannot be read: {error}")))?;
        let encrypted = match uri.scheme_str() {
            Some("http") => false,
            Some("https") if Tls::AVAILABLE => true,
            Some("https") => {
                return Err(refused("is encrypted, and this build has no encryption"));
            }
            _ => return Err(refused("does not begin with http:// or https://")),
        };
        let Some(authority) = uri.authority().filter(|a| !a.as_str().contains('@')) else {
            return Err(refused(
                "names no host, or a user, which the list does not need",
            ));
        };
        if uri.query().is_some() {
            return Err(refused("has a query"));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let port = authority.port_u16();
        Ok(Node {
            endpoint: Endpoint::tcp(host, port.unwrap_or(if encrypted { 443 } else { 80 })),
            encrypted,
            path: format!("{}/cluster", uri.path().trim_end_matches('/')),
            authority: authority.to_string(),
        })
    }
}

/// Reads the answer to `GET /cluster`.
/// <https://patroni.readthedocs.io/en/latest/rest_api.html#cluster-status-endpoints>
fn read_members(answer: &[u8]) -> std::result::Result<Vec<Endpoint>, String> {
    #[derive(Deserialize)]
    struct Cluster {
        members: Vec<Member>,
    }
    /// One that is only beginning has no place yet.
    #[derive(Deserialize)]
    struct Member {
        host: Option<String>,
        port: Option<u16>,
    }
    let cluster: Cluster = serde_json::from_slice(answer)
        .map_err(|error| format!("the answer is not a list of members: {error}"))?;
    let members = cluster.members.into_iter();
    Ok(members
        .filter_map(|member| Some(Endpoint::tcp(member.host?, member.port?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_urls_of_the_nodes() {
        let node = |text: &str| Node::read(text).unwrap();
        let plain = node(" http://db1:8008");
        assert_eq!(plain.endpoint, Endpoint::tcp("db1", 8008));
        assert_eq!((plain.path.as_str(), plain.encrypted), ("/cluster", false));
        assert_eq!(
            node("http://[::1]:8008/").endpoint,
            Endpoint::tcp("::1", 8008)
        );
        assert_eq!(node("http://db1/patroni/").path, "/patroni/cluster");
        let secret = Node::read("http://admin:hunter2@db1:8008").unwrap_err();
        assert!(!format!("{secret:?}").contains("hunter2"));
        for bad in [
            "",
            "db1:8008",
            "ftp://db1",
            "http://",
            "http://db1?x=1",
            "http://a b",
        ] {
            let error = Node::read(bad).unwrap_err();
            assert_eq!(error.class(), Class::Config, "{bad}");
        }
    }

    #[test]
    fn reads_the_members_that_have_a_place() {
        let answer = br#"{"members": [
            {"name": "a", "role": "leader", "state": "running", "host": "10.0.0.1", "port": 5432,
             "timeline": 5, "api_url": "http://10.0.0.1:8008/patroni"},
            {"name": "b", "role": "replica", "state": "stopped", "host": "10.0.0.2", "port": 5433,
             "lag": "unknown"},
            {"name": "c", "role": "replica", "state": "creating replica"}],
            "scope": "demo"}"#;
        let found = read_members(answer).unwrap();
        let expected = [
            Endpoint::tcp("10.0.0.1", 5432),
            Endpoint::tcp("10.0.0.2", 5433),
        ];
        assert_eq!(found, expected);
        for bad in [&b""[..], b"{}", b"[]", b"{\"members\": 1}", b"\xff"] {
            assert!(read_members(bad).is_err());
        }
    }
}
