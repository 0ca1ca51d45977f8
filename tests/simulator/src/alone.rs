//! Operations that have the world for themselves.

use std::mem::{swap, take};

use turnkeep_core::Error;
use turnkeep_core::store::Request;

use crate::chance::Chance;
use crate::fate::Fate;
use crate::operation::{End, Operation};
use crate::store::{By, Store};
use crate::telling::name_of;
use crate::world::World;

/// How an operation ended that met faults, or was cut off.
pub(crate) enum Cut {
    /// It was done.
    Done,
    /// It failed, for a fault.
    Failed,
    /// It failed, and nothing had gone wrong.
    Refused(Error),
    /// Its host was gone before.
    Short,
}

/// The host that is alone; it is started anew after each attempt.
const HOST: usize = 0;

/// As long after a crash others may take what the host had for left alone, and more.
const RESTART_MS: u64 = 300_000;

impl World {
    /// Carries out an operation to its end, while nothing goes wrong.
    pub(crate) fn finish(&mut self, mut operation: Box<dyn Operation>) -> End {
        let by = By { process: (HOST, u64::MAX), now_ms: self.now_ms };
        let mut chance = Chance::of(self.plan.seed, &[5, self.requests]);
        self.cache.rewind();
        loop {
            let requests = operation.next();
            if let Some(end) = operation.end() {
                self.hot.leave(by.process);
                return end;
            }
            for (id, request) in requests {
                self.requests += 1;
                let reply = self.carry_out(&request, by, &mut chance);
                operation.reply(id, reply);
            }
        }
    }

    /// Carries out an operation, while requests fail, up to a request in which its host is cut off.
    pub(crate) fn attempt(
        &mut self,
        mut operation: Box<dyn Operation>,
        act: u64,
        cut: Option<u64>,
    ) -> Cut {
        let by = By { process: (HOST, act), now_ms: self.now_ms };
        let (faults_before, mut left) = (self.faults, cut);
        let mut chance = Chance::of(self.plan.seed, &[8, act]);
        self.cache.rewind();
        loop {
            let requests = operation.next();
            if let Some(end) = operation.end() {
                return match end.error {
                    None => Cut::Done,
                    Some(_) if self.faults > faults_before => Cut::Failed,
                    Some(error) => Cut::Refused(error),
                };
            }
            for (id, request) in requests {
                self.requests += 1;
                if left == Some(0) {
                    self.cut(&request, by, &mut chance);
                    return Cut::Short;
                }
                left = left.map(|left| left - 1);
                let fate = Fate::of(&request, self.plan.faults, &mut chance);
                self.faults += u64::from(fate != Fate::Fine);
                let reply = self.suffer(&request, by, fate, &mut chance);
                self.tell(("alone", name_of(&request), format!("{fate:?}")));
                operation.reply(id, reply);
            }
        }
    }

    /// The last request arrives, or in part, or not.
    fn cut(&mut self, request: &Request, by: By, chance: &mut Chance) {
        self.faults += 1;
        self.tell(("cut", name_of(request)));
        match chance.below(3) {
            0 => _ = self.carry_out(request, by, chance),
            1 => self.hot.tear(request, by, chance),
            _ => {}
        }
    }

    /// The host starts anew, after a loss of power perhaps.
    pub(crate) fn restart(&mut self, act: u64) {
        self.hot.leave((HOST, act));
        let mut chance = Chance::of(self.plan.seed, &[9, act]);
        if chance.happens(300) {
            self.hot.lose_power(&mut chance);
        }
        self.now_ms += RESTART_MS;
    }

    /// Does something where there is neither a session nor a value, and goes back.
    pub(crate) fn apart<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let (mut hot, cache) = (Store::of_files(), take(&mut self.cache));
        swap(&mut hot, &mut self.hot);
        let done = act(self);
        (self.hot, self.cache) = (hot, cache);
        done
    }
}
