//! The commands that work on several stores: push, pull, copy, gc; and reading from a bucket or Redis.

mod copying;
mod gc;
mod interrupted;
mod reading;
mod refusals;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use turnkeep::core::store::Condition;
use turnkeep::{
    About, Create, Draft, FileStore, S3Options, S3Store, Session, SessionId, Store, Tier, set_about,
};
use turnkeep_servers::{Personality, RedisServer, Rule, S3Server};

const BUCKET: &str = "s3://test/agents";

/// A folder with a store in it, and a bucket.
struct Place {
    folder: TempDir,
    s3: S3Server,
}

/// What a run of the command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn id(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

impl Place {
    fn with(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder, s3: S3Server::start(Personality::Linear) };
        names.iter().for_each(|name| place.create(name));
        place
    }

    /// A session of 22 entries, too long to stand in a manifest.
    fn create(&self, name: &str) {
        let session = Session::create(self.open(), Create::default().with_id(id(name))).unwrap();
        let text = format!("\"{}\"", "What is 6 × 7? ".repeat(40));
        let drafts: Vec<_> = (0..20).map(|_| Draft::user_input(&text)).collect();
        session.append(&drafts).unwrap();
        session.append(&[Draft::turn_end(1)]).unwrap();
    }

    fn open(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(self.path("store")).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bucket, as a program has it.
    fn bucket(&self) -> Arc<S3Store> {
        let access = self.s3.access();
        let mut options = S3Options::new(access.bucket);
        options.prefix = "agents".into();
        options.endpoint = Some(access.endpoint);
        options.access_key_id = Some(access.access_key);
        options.secret_access_key = Some(access.secret_key);
        options.allow_http = true;
        Arc::new(S3Store::open(options).unwrap())
    }

    /// The log of a session in a store that is a folder.
    #[track_caller]
    fn log(&self, store: &str, name: &str) -> Vec<u8> {
        fs::read(self.path(store).join(format!("{name}.jsonl"))).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let access = self.s3.access();
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.args(args).current_dir(&self.folder).env("TURNKEEP_STORE", "store");
        command.env_remove("NO_COLOR").env("AWS_ENDPOINT_URL", access.endpoint);
        command.env("AWS_ACCESS_KEY_ID", access.access_key);
        command.env("AWS_SECRET_ACCESS_KEY", access.secret_key).env("AWS_ALLOW_HTTP", "true");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    #[track_caller]
    fn run(&self, code: i32, args: &[&str]) -> Ran {
        ended(self.start(args), "").ends_with(code)
    }

    /// The documents that a run gives, the last of which sums up.
    #[track_caller]
    fn json(&self, code: i32, args: &[&str]) -> (Vec<Value>, Value) {
        let ran = self.run(code, &[args, &["--json"]].concat());
        let mut documents = documents(&ran.out);
        let summary = documents.pop().unwrap()["summary"].take();
        (documents, summary)
    }

    #[track_caller]
    fn append(&self, store: &str, name: &str) {
        let args = ["append", name, "--store", store];
        let line = "{\"kind\":\"user_input\",\"item\":\"more\"}";
        ended(self.start(&args), line).ends_with(0);
    }

    #[track_caller]
    fn damage(&self, name: &str) {
        let mut log = self.log("store", name);
        let middle = log.len() / 2;
        let text = log[middle..].windows(4).position(|bytes| bytes == b"What").unwrap();
        log[middle + text] ^= 1;
        fs::write(self.path("store").join(format!("{name}.jsonl")), log).unwrap();
    }
}

impl Ran {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Says that on stderr.
    #[track_caller]
    fn says(&self, texts: &[&str]) {
        assert!(texts.iter().all(|text| self.err.contains(text)), "{self:?}");
    }
}

fn ended(mut child: Child, stdin: &str) -> Ran {
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn documents(lines: &str) -> Vec<Value> {
    let documents: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(documents.iter().all(|document| document["schema_version"] == 1), "{lines}");
    documents
}
