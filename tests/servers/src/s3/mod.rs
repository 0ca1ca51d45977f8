//! S3 in memory.

mod backend;
mod control;
mod faults;
mod front;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request as HttpRequest, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use backend::Backend;
pub use control::Control;
use faults::Faults;
pub use faults::{Action, Request, Rule};
use front::Front;

/// How a server treats the conditions of writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Personality {
    /// As S3 does: condition and write are one step.
    #[default]
    Linear,
    /// As Garage does: `If-None-Match` and `If-Match` of writes are not looked at.
    Ignoring,
    /// As s3s-fs does: the condition is checked, and a few milliseconds later the write happens
    /// whatever came in between.
    Racy,
}

/// A running server. It has one empty bucket.
pub struct S3Server {
    address: SocketAddr,
    backend: Backend,
    faults: Arc<Faults>,
    runtime: Option<Runtime>,
}

/// What a client has to know of a server.
#[derive(Debug, Clone, Serialize)]
pub struct Access {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    /// The bucket there is.
    pub bucket: String,
    /// Who may come in.
    pub access_key: String,
    /// What proves it.
    pub secret_key: String,
    /// Which region to sign for.
    pub region: String,
}

const BUCKET: &str = "test";
const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key";
const REGION: &str = "us-east-1";

impl S3Server {
    /// Starts one on a free port.
    ///
    /// # Panics
    ///
    /// Where there is no port or no thread to be had.
    #[must_use]
    pub fn start(personality: Personality) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads for a server");
        let backend = Backend::new(personality, BUCKET);
        let faults = Arc::new(Faults::default());
        let mut service = S3ServiceBuilder::new(backend.clone());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let front = Front { service: service.build(), faults: Arc::clone(&faults) };
        let address = listen(&runtime, front);
        Self { address, backend, faults, runtime: Some(runtime) }
    }

    /// How to reach it.
    #[must_use]
    pub fn access(&self) -> Access {
        Access {
            endpoint: format!("http://{}", self.address),
            bucket: BUCKET.into(),
            access_key: ACCESS_KEY.into(),
            secret_key: SECRET_KEY.into(),
            region: REGION.into(),
        }
    }

    /// What shall go wrong from now on, in place of what was planned before.
    pub fn plan(&self, rules: Vec<Rule>) {
        self.faults.plan(rules);
    }

    /// Every request since the start or the last reset, in the order of their answers.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.faults.requests()
    }

    /// As it was at the start: no plan, no requests, no objects.
    pub fn reset(&self) {
        self.faults.reset();
        self.backend.clear();
    }

    /// Opens the same over HTTP, for tests in other languages, and gives its address.
    ///
    /// # Panics
    ///
    /// Where there is no port to be had.
    #[must_use]
    pub fn open_control(&self) -> String {
        let control = Control::new(Arc::clone(&self.faults), self.backend.clone());
        let runtime = self.runtime.as_ref().expect("it runs until it is dropped");
        format!("http://{}", listen(runtime, control))
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        // Not waiting: a test may drop it where waiting is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves on a free port for as long as the runtime lives.
fn listen<S, B>(runtime: &Runtime, service: S) -> SocketAddr
where
    S: Service<HttpRequest<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: std::error::Error + Send + Sync,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    let bound = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = bound.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // An answer's head and body go out in two writes: the second must not wait.
            let _ = stream.set_nodelay(true);
            let service = service.clone();
            tokio::spawn(async move {
                // A connection that fails is the client's to notice; some are cut on purpose.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}
