//! A small HTTP server for this machine alone: the page, and the files that it was asked to show.
//!
//! | here | is |
//! |---|---|
//! | [`site`] | what is answered, and to whom |
//! | [`request`], [`range`] | what is asked |
//! | [`response`] | what is answered, on the wire |
//! | [`content`] | files and objects, opened anew for each request |
//!
//! Every connection carries one request, and has a thread while it lasts; no request has a body.

pub(crate) mod content;
mod range;
mod request;
mod response;
pub(crate) mod site;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use request::Unread;
use response::Response;
use site::Site;

/// Threads, and so connections at a time. Who comes when all are taken waits; without the token nobody
/// keeps one for long.
const CONNECTIONS_MAX: usize = 32;
/// How long a write may wait for its reader.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// How long, and how much, is read on of a request that was refused.
const DRAIN_PATIENCE: Duration = Duration::from_secs(1);
const DRAIN_BYTES: u64 = 256 << 10;
/// Before the next try where a connection could not be accepted, as without free descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Listens, on this machine's own address only.
pub(crate) struct Server {
    listener: TcpListener,
    port: u16,
}

impl Server {
    /// On that port; 0: on any that is free.
    pub(crate) fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Answers from threads of its own, until the process ends.
    pub(crate) fn start(self, site: Site) -> io::Result<()> {
        let shared = Arc::new((self.listener, site));
        for _ in 0..CONNECTIONS_MAX {
            let shared = shared.clone();
            thread::Builder::new().spawn(move || answer_all(&shared.0, &shared.1))?;
        }
        Ok(())
    }
}

/// One connection after the other.
fn answer_all(listener: &TcpListener, site: &Site) {
    loop {
        match listener.accept() {
            // Whoever is no longer there misses nothing.
            Ok((stream, _)) => _ = converse(&stream, site),
            Err(_) => thread::sleep(ACCEPT_PAUSE),
        }
    }
}

fn converse(stream: &TcpStream, site: &Site) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    match request::read(stream) {
        Ok(request) => {
            let response = site.answer(&request);
            response.write(stream, request.method != "HEAD")?;
            if response.is_refusal() { drain(stream) } else { Ok(()) }
        }
        Err(Unread::Gone) => Ok(()),
        Err(Unread::Bad(status)) => {
            Response::of(status).write(stream, true)?;
            drain(stream)
        }
    }
}

/// Reads on what is being sent: closing on it could destroy the answer on its way.
fn drain(stream: &TcpStream) -> io::Result<()> {
    (&*stream).flush()?;
    stream.shutdown(Shutdown::Write)?;
    let end = Instant::now() + DRAIN_PATIENCE;
    let mut rest = stream.take(DRAIN_BYTES);
    let mut chunk = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        stream.set_read_timeout(Some(left))?;
        if rest.read(&mut chunk)? == 0 {
            return Ok(());
        }
    }
}
