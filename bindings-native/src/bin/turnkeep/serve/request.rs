//! Reading a request's head: bounded in length and time.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::response::Status;

/// Bytes of request line and headers.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;
/// How long a client may take to send them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    headers: Vec<(String, String)>,
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The client went away.
    Gone,
    Bad(Status),
}

impl Request {
    /// Every value that a header has; its name is lower case.
    pub(super) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(named, _)| named == name).map(|(_, value)| &**value)
    }

    /// A header that stands once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }
}

/// Reads a request's head.
pub(super) fn read(mut stream: &TcpStream) -> Result<Request, Unread> {
    let end = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Unread::Bad(Status::Timeout));
        }
        stream.set_read_timeout(Some(left)).map_err(|_| Unread::Gone)?;
        let length = match stream.read(&mut chunk) {
            Ok(0) => return Err(Unread::Gone),
            Ok(length) => length,
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => continue,
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => continue,
                _ => return Err(Unread::Gone),
            },
        };
        head.extend_from_slice(chunk.get(..length).unwrap_or_default());
        if let Some(request) = parse(&head).map_err(Unread::Bad)? {
            return Ok(request);
        }
        if head.len() > HEAD_BYTES_MAX {
            return Err(Unread::Bad(Status::TooLong));
        }
    }
}

/// `None`: more of it is to come.
fn parse(bytes: &[u8]) -> Result<Option<Request>, Status> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length > HEAD_BYTES_MAX => Err(Status::TooLong),
        Ok(httparse::Status::Complete(_)) => taken(&request).map(Some),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Status::TooLong),
        Err(_) => Err(Status::Bad),
    }
}

fn taken(request: &httparse::Request<'_, '_>) -> Result<Request, Status> {
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Err(Status::Bad);
    };
    let headers = request.headers.iter().map(|header| {
        let value = str::from_utf8(header.value).map_err(|_| Status::Bad)?;
        Ok((header.name.to_ascii_lowercase(), value.to_owned()))
    });
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    Ok(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.collect::<Result<_, Status>>()?,
    })
}

#[cfg(test)]
pub(super) fn request(text: &str) -> Request {
    parse(text.as_bytes()).unwrap().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = "GET /a/b?c=d HTTP/1.1\r\nHost: h:1\r\nX-Two: 1\r\nx-two: 2\r\n\r\n";
        for end in 0..text.len() {
            assert!(parse(&text.as_bytes()[..end]).unwrap().is_none(), "{end}");
        }
        let request = request(text);
        assert_eq!((&*request.method, &*request.path), ("GET", "/a/b"));
        assert_eq!(request.header("host"), Some("h:1"));
        assert_eq!(request.header("x-two"), None);
        assert_eq!(request.values("x-two").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in ["\0", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\na b\r\n\r\n"]
        {
            assert_eq!(parse(text.as_bytes()).unwrap_err(), Status::Bad, "{text:?}");
        }
        let many = "a: b\r\n".repeat(HEADERS_MAX + 1);
        let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert_eq!(parse(many.as_bytes()).unwrap_err(), Status::TooLong);
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(HEAD_BYTES_MAX));
        assert_eq!(parse(long.as_bytes()).unwrap_err(), Status::TooLong);
    }
}
