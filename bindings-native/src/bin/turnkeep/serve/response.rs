//! An answer, and how it stands on the wire.

use std::io::{self, Write};
use std::ops::Range;

use super::content::Opened;

/// What every answer says.
const EVERY: &str = "\
Connection: close\r\n\
Cache-Control: no-store\r\n\
X-Content-Type-Options: nosniff\r\n\
X-Frame-Options: DENY\r\n\
Referrer-Policy: no-referrer\r\n\
Cross-Origin-Resource-Policy: same-origin\r\n\
Cross-Origin-Opener-Policy: same-origin\r\n";

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident $code:literal $reason:literal,)*) => {
        /// How a request ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Status { $($(#[$doc])* $name = $code,)* }

        impl Status {
            fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }
        }
    };
}

statuses! {
    Ok 200 "OK",
    Part 206 "Partial Content",
    Elsewhere 302 "Found",
    Bad 400 "Bad Request",
    Forbidden 403 "Forbidden",
    NotFound 404 "Not Found",
    Method 405 "Method Not Allowed",
    Timeout 408 "Request Timeout",
    /// The object is another one by now.
    Changed 412 "Precondition Failed",
    Range 416 "Range Not Satisfiable",
    TooLong 431 "Request Header Fields Too Large",
    /// The store does not answer.
    Store 502 "Bad Gateway",
}

/// An answer.
pub(super) struct Response<'a> {
    status: Status,
    headers: Vec<(&'static str, String)>,
    body: Body<'a>,
}

pub(super) enum Body<'a> {
    Bytes(&'a [u8]),
    Part(Opened<'a>, Range<u64>),
}

impl<'a> Response<'a> {
    /// Says no more than the status, in words.
    pub(super) fn of(status: Status) -> Self {
        let response = Self::new(status, Body::Bytes(status.reason().as_bytes()));
        response.with("Content-Type", "text/plain; charset=utf-8")
    }

    pub(super) fn new(status: Status, body: Body<'a>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// The value has no line breaks: nothing in it comes from a request.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whether more may be on its way than was read.
    pub(super) fn is_refusal(&self) -> bool {
        self.status as u16 >= 400
    }

    pub(super) fn write(&self, mut out: impl Write, has_body: bool) -> io::Result<()> {
        out.write_all(self.head().as_bytes())?;
        match &self.body {
            _ if !has_body => Ok(()),
            Body::Bytes(bytes) => out.write_all(bytes),
            Body::Part(opened, range) => opened.write(range.clone(), out),
        }
    }

    fn head(&self) -> String {
        let length = match &self.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Part(_, range) => range.end - range.start,
        };
        let (status, reason) = (self.status as u16, self.status.reason());
        let mut head = format!("HTTP/1.1 {status} {reason}\r\n{EVERY}Content-Length: {length}\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }
}
