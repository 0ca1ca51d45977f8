//! Real Redis servers.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::RawRedis;

const PATIENCE: Duration = Duration::from_secs(30);
/// Ports that are tried.
const STARTS_MAX: usize = 5;

/// A Redis that keeps nothing on disk. Killed when dropped.
pub struct RedisServer {
    port: u16,
    options: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    ///
    /// Where `redis-server` is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(options: &[&str]) -> Self {
        let mut server = Self {
            port: free_port(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            folder: tempfile::tempdir().expect("a folder for Redis"),
            process: None,
        };
        let is_running = (0..STARTS_MAX).any(|again| {
            if again > 0 {
                // Somebody else took the port since.
                server.port = free_port();
            }
            server.is_started()
        });
        assert!(is_running, "Redis ended at each of {STARTS_MAX} starts");
        server
    }

    /// `redis://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs a command with `redis-cli`, and gives what that prints.
    ///
    /// # Panics
    ///
    /// Where `redis-cli` is not installed.
    pub fn command(&self, words: &[&str]) -> String {
        cli(self.port, words)
    }

    /// A connection to send commands over.
    ///
    /// # Panics
    ///
    /// Where it is not running.
    #[must_use]
    pub fn connect(&self) -> RawRedis {
        RawRedis::connect(self.port)
    }

    /// Ends it, and starts another one in its place, which holds nothing.
    pub fn restart_empty(&mut self) {
        self.stop();
        self.resume();
    }

    /// Kills it. Its port stays its own.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it again, empty.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn resume(&mut self) {
        assert!(self.is_started(), "Redis ended at its start on port {}", self.port);
    }

    /// Starts it on its port, and waits until it answers; not where it ends instead.
    fn is_started(&mut self) -> bool {
        let (port, started) = (self.port, self.spawn());
        // Another one may answer, where it took the port.
        let own = format!("process_id:{}", started.id());
        let process = self.process.insert(started);
        let mut is_over = false;
        wait_for("Redis to start or end", || {
            is_over = process.try_wait().expect("its state").is_some();
            is_over || cli(port, &["INFO", "server"]).lines().any(|line| line.trim() == own)
        });
        !is_over
    }

    fn spawn(&self) -> Child {
        let port = self.port.to_string();
        let started = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"])
            .args(["--enable-debug-command", "local", "--dir"])
            .arg(self.folder.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        started.unwrap_or_else(|error| panic!("{}", missing("redis-server", &error)))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A cluster of three masters with a replica each.
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one, and waits until every server of it agrees.
    ///
    /// # Panics
    ///
    /// Where Redis is not installed, or the servers do not find together.
    #[must_use]
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..6).map(|_| Self::node()).collect();
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .unwrap_or_else(|error| panic!("{}", missing("redis-cli", &error)));
        let said = String::from_utf8_lossy(&created.stdout);
        assert!(created.status.success(), "the cluster was not made: {said}");
        let cluster = Self { nodes };
        for node in &cluster.nodes {
            wait_for("the cluster to agree", || {
                let replication = node.command(&["INFO", "replication"]);
                node.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
                    && (replication.contains("role:master")
                        || replication.contains("master_link_status:up"))
            });
        }
        cluster
    }

    fn node() -> RedisServer {
        let bus = free_port().to_string();
        RedisServer::start_with(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--cluster-node-timeout",
            "1500",
            "--repl-diskless-sync-delay",
            "0",
        ])
    }

    /// Of all servers.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// The servers; which of them are masters changes.
    pub fn nodes(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }
}

fn cli(port: u16, words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{}", missing("redis-cli", &error)));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn missing(program: &str, error: &io::Error) -> String {
    format!("{program} cannot be started ({error}): cargo xtask setup installs it")
}

/// One that nobody listened on a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_a_taken_port_is_not_taken_for_its_own() {
        let mut one = RedisServer::start();
        let mut other = RedisServer::start();
        other.stop();
        other.port = one.port;
        assert!(!other.is_started());
        one.restart_empty();
        assert_eq!(one.command(&["PING"]).trim(), "PONG");
    }
}
