//! `turnkeep view`, as browsers and others on the machine meet it: over its socket.

mod serving;
mod shown;
mod strangers;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use turnkeep::{Create, Draft, FileStore, Session, SessionId};

const PAGE: &str = "<!doctype html><title>A page</title><body><!-- session --></body>";
/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a store in it, and a page.
struct Place(TempDir);

/// A running command.
struct View {
    child: Child,
    /// `127.0.0.1:PORT`
    host: String,
    /// `/TOKEN/`, and what follows it.
    path: String,
    query: String,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Place {
    /// A place with the session `demo`.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("page.html"), PAGE).unwrap();
        let session = Session::create(place.store(), Create::default().with_id(id())).unwrap();
        session.append(&[Draft::user_input("\"Hi\""), Draft::turn_end(1)]).unwrap();
        session.close();
        place
    }

    fn store(&self) -> std::sync::Arc<FileStore> {
        std::sync::Arc::new(FileStore::open(self.path("store")).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.arg("view").args(args).env("TURNKEEP_STORE", "store").current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn view(&self, args: &[&str]) -> View {
        View::of(self.command(&[args, &["--no-open", "--page", "page.html"]].concat()))
    }

    fn archive(&self) {
        turnkeep::drive(turnkeep::core::session::archive(id()), &*self.store()).unwrap();
    }
}

fn id() -> SessionId {
    SessionId::new("demo").unwrap()
}

impl View {
    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").unwrap_or_else(|| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{line:?} {said}");
        });
        let (host, rest) = address.split_once('/').unwrap();
        let (token, query) = rest.split_once('/').unwrap();
        assert_eq!(token.len(), 32, "{address}");
        let (host, path) = (host.to_owned(), format!("/{token}/"));
        Self { child, host, path, query: query.to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends that, and reads the answer to its end.
    fn send(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(stream)
    }

    /// Asks as a browser does, with some more headers.
    fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let host = &self.host;
        self.send(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"))
    }

    fn data(&self, rest: &str) -> String {
        format!("{}data/{rest}", self.path)
    }

    fn get(&self, rest: &str, headers: &str) -> Answer {
        self.ask("GET", &self.data(rest), headers)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}
