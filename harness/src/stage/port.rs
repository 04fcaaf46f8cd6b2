//! The ports of a Service, in the words that cases use.

use serde_json::{Value, json};
use waymark_echo::api::{DEFAULT_SERVER_FIRST_PORT, DEFAULT_TCP_PORT};

/// A port that a Service can have. Every Service has [`Port::Http`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// HTTP/1.1.
    Http,
    /// HTTP/1.1 again, at another port of the pods.
    Alt,
    /// HTTP/2 without TLS.
    H2c,
    /// gRPC.
    Grpc,
    /// TCP, where the client speaks first.
    Tcp,
    /// TCP, where the server speaks first.
    ServerFirst,
    /// HTTP/1.1, but declared as TCP.
    TcpForHttp,
}

impl Port {
    /// Its number at the Service.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Alt => 81,
            Self::H2c => 82,
            Self::Grpc => 83,
            Self::Tcp => 90,
            Self::ServerFirst => 91,
            Self::TcpForHttp => 92,
        }
    }

    /// Its number at the pods.
    #[must_use]
    pub fn target(self) -> u16 {
        match self {
            Self::Http | Self::H2c | Self::Grpc | Self::TcpForHttp => 8080,
            Self::Alt => 8081,
            Self::Tcp => DEFAULT_TCP_PORT,
            Self::ServerFirst => DEFAULT_SERVER_FIRST_PORT,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Alt => "alt",
            Self::H2c => "h2c",
            Self::Grpc => "grpc",
            Self::Tcp => "tcp",
            Self::ServerFirst => "server-first",
            Self::TcpForHttp => "tcp-for-http",
        }
    }

    fn protocol(self) -> &'static str {
        match self {
            Self::Http | Self::Alt => "http",
            Self::H2c => "kubernetes.io/h2c",
            Self::Grpc => "grpc",
            Self::Tcp | Self::ServerFirst | Self::TcpForHttp => "tcp",
        }
    }

    /// The port as a Service lists it.
    pub(crate) fn entry(self) -> Value {
        json!({
            "name": self.name(), "port": self.number(), "targetPort": self.target(), "appProtocol": self.protocol(),
        })
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.number()
    }
}
