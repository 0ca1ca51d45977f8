//! What is answered, and to whom: only to who knows the token, and asks this very address.

use std::time::{Duration, Instant};

use super::content::{Content, Opened};
use super::range::{Wanted, wanted};
use super::request::Request;
use super::response::{Body, Response, Status};
use crate::page::Page;

/// What the page may do, whatever it is: run what stands in it, and read what is served beside it.
const POLICY: &str = "default-src 'none'; \
    script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; \
    style-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How long the entrance is open.
const ENTRANCE_PATIENCE: Duration = Duration::from_secs(60);

/// The page and what it shows, under a path that cannot be guessed.
pub(crate) struct Site {
    page: Page,
    contents: Vec<(String, Content)>,
    port: u16,
    token: String,
    entrance: Entrance,
}

/// Leads a browser to the page, for a while. A browser's arguments can be read by everyone on the
/// machine as long as it runs: what stands there must be worth nothing soon.
struct Entrance {
    path: String,
    leads_to: String,
    closes: Instant,
}

impl Site {
    /// Of two secrets, one is the token and one opens the entrance; `fragment` is what the page's
    /// address ends with.
    pub(crate) fn new(
        page: Page,
        contents: Vec<Content>,
        port: u16,
        [token, code]: [String; 2],
        fragment: &str,
    ) -> Self {
        let contents = contents.into_iter().enumerate().map(|(number, content)| {
            (format!("/{token}/data/{number}/{}", encoded(&content.name)), content)
        });
        let contents: Vec<_> = contents.collect();
        let leads_to = page_path(&token, &contents, fragment);
        let closes = Instant::now() + ENTRANCE_PATIENCE;
        let entrance = Entrance { path: format!("/{code}"), leads_to, closes };
        Self { page, contents, port, token, entrance }
    }

    /// The page's address, with what it is to show.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.entrance.leads_to)
    }

    /// The address that a browser is started with.
    pub(crate) fn entrance(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.entrance.path)
    }

    pub(super) fn answer(&self, request: &Request) -> Response<'_> {
        if !self.is_own(request) {
            return Response::of(Status::Forbidden);
        }
        if !matches!(&*request.method, "GET" | "HEAD") {
            return Response::of(Status::Method).with("Allow", "GET, HEAD");
        }
        let path = &*request.path;
        if is_same(path, &format!("/{}/", self.token)) {
            return self.page(request);
        }
        if is_same(path, &self.entrance.path) && Instant::now() < self.entrance.closes {
            let response = Response::of(Status::Elsewhere);
            return response.with("Location", self.entrance.leads_to.clone());
        }
        match self.contents.iter().find(|(known, _)| is_same(path, known)) {
            Some((_, content)) => data(content, request),
            None => Response::of(Status::NotFound),
        }
    }

    /// Whether the request comes from the page or from an address bar. A page of another site that
    /// made its name point here still sends its own name; so does one that asks across sites.
    fn is_own(&self, request: &Request) -> bool {
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let Some(host) = request.header("host").filter(|host| hosts.iter().any(|own| own == host))
        else {
            return false;
        };
        let origin = format!("http://{host}");
        request.values("origin").all(|asking| asking == origin)
    }

    fn page(&self, request: &Request) -> Response<'_> {
        let gzipped = self.page.gzipped.as_deref().filter(|_| takes_gzip(request));
        let response = Response::new(Status::Ok, Body::Bytes(gzipped.unwrap_or(&self.page.html)))
            .with("Content-Type", "text/html; charset=utf-8")
            .with("Content-Security-Policy", POLICY);
        match gzipped {
            Some(_) => response.with("Content-Encoding", "gzip"),
            None => response,
        }
    }
}

/// With a `src` for each content. A percent sign in a path is one of the query's too.
fn page_path(token: &str, contents: &[(String, Content)], fragment: &str) -> String {
    let sources = contents.iter().map(|(path, _)| format!("src={}", path.replace('%', "%25")));
    let sources = sources.collect::<Vec<_>>().join("&");
    let query = if sources.is_empty() { sources } else { format!("?{sources}") };
    format!("/{token}/{query}{fragment}")
}

/// A name as part of a path.
fn encoded(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let byte = |byte: u8| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    name.bytes().map(byte).collect()
}

/// Takes as long wherever they differ: time tells nothing of a secret.
fn is_same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

fn takes_gzip(request: &Request) -> bool {
    let is_gzip = |coding: &str| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_ok_and(|quality| quality > 0.0)
    };
    request.values("accept-encoding").flat_map(|value| value.split(',')).any(is_gzip)
}

fn data<'a>(content: &'a Content, request: &Request) -> Response<'a> {
    match content.open() {
        Ok(opened) => part(opened, request),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Response::of(Status::NotFound)
        }
        Err(_) => Response::of(Status::Store),
    }
}

fn part<'a>(opened: Opened<'a>, request: &Request) -> Response<'a> {
    let (bytes, tag) = (opened.bytes, opened.tag.clone());
    if request.header("if-match").is_some_and(|tags| !names(tags, &tag)) {
        return Response::of(Status::Changed).with("ETag", tag);
    }
    let is_of_this = request.header("if-range").is_none_or(|known| known == tag);
    // Ranges are for GET alone.
    let range = request.header("range").filter(|_| request.method == "GET" && is_of_this);
    let response = match wanted(range, bytes) {
        Wanted::Whole => Response::new(Status::Ok, Body::Part(opened, 0..bytes)),
        Wanted::Part(range) => {
            let named = format!("bytes {}-{}/{bytes}", range.start, range.end - 1);
            let response = Response::new(Status::Part, Body::Part(opened, range));
            response.with("Content-Range", named)
        }
        Wanted::Nothing => {
            let response = Response::new(Status::Range, Body::Bytes(b""));
            response.with("Content-Range", format!("bytes */{bytes}"))
        }
    };
    response
        .with("Content-Type", "application/octet-stream")
        .with("Accept-Ranges", "bytes")
        .with("ETag", tag)
}

/// Whether a list of tags names that one, or any.
fn names(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|named| named == "*" || named == tag)
}
