//! What stands between clients and S3: notes each request, and lets go wrong what is planned.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::service::Service;
use hyper::{Request as HttpRequest, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::service::S3Service;

use super::faults::{Action, Faults, Request, Rule};

#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) service: S3Service,
    pub(crate) faults: Arc<Faults>,
}

impl Service<HttpRequest<Incoming>> for Front {
    type Response = Response<Answer>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Answer>>> + Send>>;

    fn call(&self, request: HttpRequest<Incoming>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move { front.answer(request).await })
    }
}

impl Front {
    async fn answer(&self, request: HttpRequest<Incoming>) -> io::Result<Response<Answer>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let (method, key) = (head.method.to_string(), key_of(head.uri.path()));
        let query = head.uri.query().unwrap_or_default().to_owned();
        let mut noted =
            Request { method, key, query, status: 0, bytes_in: body.len() as u64, bytes_out: 0 };
        let rule = self.faults.rule_for(&noted.method, &noted.key).unwrap_or_default();
        let delay = Duration::from_millis(rule.delay_ms);
        let request = HttpRequest::from_parts(head, body);
        if rule.action == Action::Late {
            let service = self.service.clone();
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = service.call(request.map(s3s::Body::from)).await;
            });
            self.faults.note(noted);
            return Err(io::Error::other("left alone"));
        }
        tokio::time::sleep(delay).await;
        let answer = self.carry_out(request, &rule).await;
        if let Ok(response) = &answer {
            noted.status = response.status().as_u16();
            noted.bytes_out = response.body().content.len() as u64;
        }
        self.faults.note(noted);
        answer
    }

    async fn carry_out(
        &self,
        request: HttpRequest<Bytes>,
        rule: &Rule,
    ) -> io::Result<Response<Answer>> {
        match rule.action {
            Action::Status => return Ok(refusal(rule.status)),
            Action::DropBefore => return Err(io::Error::other("dropped before")),
            _ => {}
        }
        let request = request.map(s3s::Body::from);
        let response =
            self.service.call(request).await.map_err(|_| io::Error::other("not HTTP"))?;
        let (mut head, body) = response.into_parts();
        let content = body.collect().await.map_err(io::Error::other)?.to_bytes();
        match rule.action {
            Action::DropAfter => Err(io::Error::other("dropped after")),
            Action::Stall => std::future::pending().await,
            Action::CutBody => {
                head.headers.insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
                let content = content.slice(..content.len() / 2);
                Ok(Response::from_parts(head, Answer::cut(content)))
            }
            _ => Ok(Response::from_parts(head, Answer::whole(content))),
        }
    }
}

/// `/bucket/key` without the bucket.
fn key_of(path: &str) -> String {
    let (_, key) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    percent_decode_str(key).decode_utf8_lossy().into_owned()
}

fn refusal(status: u16) -> Response<Answer> {
    let code = match status {
        403 => "AccessDenied",
        409 => "ConditionalRequestConflict",
        412 => "PreconditionFailed",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code>\
         <Message>planned</Message></Error>"
    );
    let mut response = Response::new(Answer::whole(text.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// An answer's body, which may end too early.
pub(crate) struct Answer {
    content: Bytes,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Whole,
    Cut,
    /// What goes out before the cut is on its way.
    Flushing,
    Broken,
    Sent,
}

impl Answer {
    pub(crate) fn whole(content: Bytes) -> Self {
        Self { content, state: State::Whole }
    }

    fn cut(content: Bytes) -> Self {
        Self { content, state: State::Cut }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let content = Frame::data(self.content.clone());
        let (frame, next) = match self.state {
            State::Whole if self.content.is_empty() => (Poll::Ready(None), State::Sent),
            State::Whole => (Poll::Ready(Some(Ok(content))), State::Sent),
            State::Cut => (Poll::Ready(Some(Ok(content))), State::Flushing),
            State::Flushing => {
                context.waker().wake_by_ref();
                (Poll::Pending, State::Broken)
            }
            State::Broken => (Poll::Ready(Some(Err(io::Error::other("cut")))), State::Sent),
            State::Sent => (Poll::Ready(None), State::Sent),
        };
        self.state = next;
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Whole && self.content.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.state {
            State::Whole => SizeHint::with_exact(self.content.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// An answer of the control.
pub(crate) fn text(status: StatusCode, text: String) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    Ok(response)
}
