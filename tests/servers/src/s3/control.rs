//! The plan, the log and the reset over HTTP.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request as HttpRequest, Response, StatusCode};

use super::backend::Backend;
use super::faults::{Faults, Rule};
use super::front::text;

/// `POST /plan` with an array of [`Rule`]s, `GET /requests`, `POST /reset`.
#[derive(Clone)]
pub struct Control {
    faults: Arc<Faults>,
    backend: Backend,
}

type Answer = Result<Response<Full<Bytes>>, Infallible>;

impl Control {
    pub(crate) fn new(faults: Arc<Faults>, backend: Backend) -> Self {
        Self { faults, backend }
    }

    async fn answer(&self, request: HttpRequest<Incoming>) -> Answer {
        let route = format!("{} {}", request.method(), request.uri().path());
        match route.as_str() {
            "POST /plan" => {
                let body = request.into_body().collect().await.map(|body| body.to_bytes());
                self.plan(&body.unwrap_or_default())
            }
            "GET /requests" => {
                let requests = serde_json::to_string(&self.faults.requests());
                text(StatusCode::OK, requests.unwrap_or_default())
            }
            "POST /reset" => {
                self.faults.reset();
                self.backend.clear();
                text(StatusCode::OK, "{}".into())
            }
            _ => text(StatusCode::NOT_FOUND, format!("no {route}")),
        }
    }

    fn plan(&self, body: &[u8]) -> Answer {
        match serde_json::from_slice::<Vec<Rule>>(body) {
            Ok(rules) => {
                self.faults.plan(rules);
                text(StatusCode::OK, "{}".into())
            }
            Err(error) => text(StatusCode::BAD_REQUEST, error.to_string()),
        }
    }
}

impl Service<HttpRequest<Incoming>> for Control {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn call(&self, request: HttpRequest<Incoming>) -> Self::Future {
        let control = self.clone();
        Box::pin(async move { control.answer(request).await })
    }
}
