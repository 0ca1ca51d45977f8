//! Connections to one server, or to those of a cluster.
//!
//! The routing is our own: the client's would send a command again whose answer was lost, and an
//! append that was carried out twice is a conflict with oneself.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redis::{
    Client, Cmd, Connection, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Pipeline,
    RedisError, RedisResult, ServerErrorKind, Value, cmd,
};

use super::failure::{is, is_broken};
use super::names::slot;

/// The servers there are.
pub(super) struct Nodes {
    /// Where to begin: the server, or some of a cluster's.
    seeds: Vec<ConnectionInfo>,
    is_cluster: bool,
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Who has which slots, as far as known.
    slots: Vec<(RangeInclusive<u16>, Address)>,
    idle: HashMap<Address, Vec<(Connection, Instant)>>,
}

type Address = (String, u16);

/// Most connections to keep for later, of each server.
const IDLE_MAX: usize = 8;
/// After how long a connection is asked whether it is still one.
const FRESH: Duration = Duration::from_secs(10);
/// How often a command follows slots that move.
const REDIRECTIONS_MAX: u32 = 6;

/// Something to send, which can be sent again where it was not carried out.
pub(super) trait Sending {
    /// What it gives.
    type Answer;
    /// Sends it.
    fn send(&self, connection: &mut Connection) -> RedisResult<Self::Answer>;
}

impl Sending for Cmd {
    type Answer = Value;

    fn send(&self, connection: &mut Connection) -> RedisResult<Value> {
        self.query(connection)
    }
}

impl Sending for Pipeline {
    type Answer = Vec<Value>;

    fn send(&self, connection: &mut Connection) -> RedisResult<Vec<Value>> {
        self.query(connection)
    }
}

impl Nodes {
    pub(super) fn new(urls: &[&str], is_cluster: bool, timeout: Duration) -> RedisResult<Self> {
        let seeds =
            urls.iter().map(|url| url.into_connection_info()).collect::<RedisResult<_>>()?;
        Ok(Self { seeds, is_cluster, timeout, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics half way through a change of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends something to where a name lies. What may have been carried out is not sent again.
    pub(super) fn send<S: Sending>(&self, name: &str, what: &S) -> RedisResult<S::Answer> {
        let mut address = self.address_of(name)?;
        let mut is_asking = false;
        for _ in 0..REDIRECTIONS_MAX {
            let error = match self.send_to(&address, what, is_asking) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            is_asking = is(&error, ServerErrorKind::Ask);
            if is_asking || is(&error, ServerErrorKind::Moved) {
                let Some(next) = redirected(&error, &address) else { return Err(error) };
                address = next;
            } else if is(&error, ServerErrorKind::TryAgain) {
                thread::sleep(Duration::from_millis(50));
            } else {
                return Err(error);
            }
            if !is_asking {
                self.state().slots.clear();
            }
        }
        self.send_to(&address, what, is_asking)
    }

    /// What is of one place can be sent in one go. Of a cluster that is a slot: others may move
    /// away while it is under way.
    pub(super) fn place_of(&self, name: &str) -> u16 {
        if self.is_cluster { slot(name) } else { 0 }
    }

    fn send_to<S: Sending>(
        &self,
        address: &Address,
        what: &S,
        is_asking: bool,
    ) -> RedisResult<S::Answer> {
        let mut connection = self.connection(address).inspect_err(|_| self.forget(address))?;
        let asked = if is_asking { cmd("ASKING").exec(&mut connection) } else { Ok(()) };
        let answer = asked.and_then(|()| what.send(&mut connection));
        match &answer {
            // After a failover the address is another's.
            Err(error) if is_broken(error) || is_elsewhere(error) => self.forget(address),
            _ => self.keep(address, connection),
        }
        answer
    }

    /// Where a name lies.
    fn address_of(&self, name: &str) -> RedisResult<Address> {
        if !self.is_cluster {
            return Ok(self.seeds.first().and_then(address).unwrap_or_default());
        }
        let slot = slot(name);
        if let Some(address) = self.state().find(slot) {
            return Ok(address);
        }
        let slots = self.ask_for_slots()?;
        let mut state = self.state();
        state.slots = slots;
        state.find(slot).ok_or_else(|| {
            RedisError::from((ServerErrorKind::ClusterDown.into(), "nobody has the slot"))
        })
    }

    /// Asks every server that is known, until one tells.
    fn ask_for_slots(&self) -> RedisResult<Vec<(RangeInclusive<u16>, Address)>> {
        let mut known: Vec<Address> = self.seeds.iter().filter_map(address).collect();
        known.extend(self.state().idle.keys().cloned());
        let mut outcome = Ok(Vec::new());
        for address in known {
            let command = cmd("CLUSTER").arg("SLOTS").to_owned();
            match self.send_to(&address, &command, false) {
                Ok(slots) => return Ok(slots_in(slots, &address.0)),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    fn connection(&self, address: &Address) -> RedisResult<Connection> {
        loop {
            let idle = self.state().idle.get_mut(address).and_then(Vec::pop);
            let Some((mut connection, since)) = idle else { return self.connect(address) };
            if since.elapsed() < FRESH || cmd("PING").exec(&mut connection).is_ok() {
                return Ok(connection);
            }
        }
    }

    fn connect(&self, to: &Address) -> RedisResult<Connection> {
        // What opens one server of a cluster opens all of them.
        let same = |seed: &&ConnectionInfo| address(seed).as_ref() == Some(to);
        let info = self.seeds.iter().find(same).or(self.seeds.first()).cloned();
        let nowhere = || RedisError::from((redis::ErrorKind::InvalidClientConfig, "no address"));
        let mut info = info.ok_or_else(nowhere)?;
        if self.is_cluster {
            info = info.set_addr(ConnectionAddr::Tcp(to.0.clone(), to.1));
        }
        let connection = Client::open(info)?.get_connection_with_timeout(self.timeout)?;
        connection.set_read_timeout(Some(self.timeout))?;
        connection.set_write_timeout(Some(self.timeout))?;
        Ok(connection)
    }

    fn keep(&self, address: &Address, connection: Connection) {
        let mut state = self.state();
        let idle = state.idle.entry(address.clone()).or_default();
        if idle.len() < IDLE_MAX {
            idle.push((connection, Instant::now()));
        }
    }

    /// The others to that server are as broken as the one that was tried.
    fn forget(&self, address: &Address) {
        let mut state = self.state();
        state.idle.remove(address);
        state.slots.clear();
    }
}

impl State {
    fn find(&self, slot: u16) -> Option<Address> {
        self.slots.iter().find(|(slots, _)| slots.contains(&slot)).map(|(_, node)| node.clone())
    }
}

/// Of a server that is not reached by TCP, there is only one.
fn address(info: &ConnectionInfo) -> Option<Address> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host.clone(), *port))
        }
        _ => None,
    }
}

fn is_elsewhere(error: &RedisError) -> bool {
    is(error, ServerErrorKind::ReadOnly)
        || is(error, ServerErrorKind::ClusterDown)
        || is(error, ServerErrorKind::MasterDown)
}

/// Where an answer sends us; an empty host is the one that answered.
fn redirected(error: &RedisError, from: &Address) -> Option<Address> {
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    let host = if host.is_empty() { from.0.as_str() } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

/// `[[from, to, [host, port, …], …], …]`: the first of each is its master.
fn slots_in(value: Value, asked: &str) -> Vec<(RangeInclusive<u16>, Address)> {
    let Value::Array(ranges) = value else { return Vec::new() };
    let range = |range: Value| {
        let Value::Array(members) = range else { return None };
        let [Value::Int(from), Value::Int(to), Value::Array(master), ..] = members.as_slice()
        else {
            return None;
        };
        let host = match master.first()? {
            Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
            _ => asked.to_owned(),
        };
        let Value::Int(port) = master.get(1)? else { return None };
        let slots = u16::try_from(*from).ok()?..=u16::try_from(*to).ok()?;
        Some((slots, (host, u16::try_from(*port).ok()?)))
    };
    ranges.into_iter().filter_map(range).collect()
}
