//! Hosts, stores and time: one thing after the other, in the order that the seed gives.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hash::{DefaultHasher, Hash, Hasher};

use turnkeep_core::log::Stamp;
use turnkeep_core::session::Session;
use turnkeep_core::store::{Key, Part, Reply, Request};
use turnkeep_core::task::RequestId;
use turnkeep_core::{Error, ErrorKind};

use crate::cache::Cache;
use crate::chance::Chance;
use crate::fate::{Fate, damaged, delay_ms, later_ms, short};
use crate::operation::{End, Operation, begin, id};
use crate::plan::{Act, DAY_MS, Faults, Kept, Plan, SECOND_MS, SESSIONS, What};
use crate::store::{By, Process, Store};
use crate::telling::{name_of, told_of};

/// 2026-01-01, in milliseconds since 1970.
const START_MS: u64 = 1_767_225_600_000;

/// More events than any seed needs: one that has more goes on for ever.
const EVENTS_MAX: u64 = 60_000;

/// What an act came to.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// What it was.
    pub(crate) act: Act,
    /// When it began, and when it ended; `None`: its host was gone before.
    pub(crate) began: u64,
    /// See above. Times are numbers of events.
    pub(crate) ended: Option<u64>,
    /// How it ended.
    pub(crate) end: End,
    /// When the last of its requests was carried out, if one was.
    pub(crate) last: u64,
    /// Faults that its requests met, by which it may fail.
    pub(crate) faults: u64,
    /// Those among them by which it may find damage.
    pub(crate) damaged: u64,
    /// The network carries one of its requests out a second time.
    pub(crate) is_resent: bool,
    /// Sessions of which a bit turned.
    pub(crate) rotten: Vec<usize>,
    /// Whether it is one of a log's last line break: what stands before it is an unfinished write then,
    /// which the next writer removes.
    pub(crate) is_unfinished: bool,
}

impl Record {
    /// Whether its host was told that it is done.
    pub(crate) fn is_done(&self) -> bool {
        self.ended.is_some() && self.end.error.is_none()
    }

    /// When nothing of it happens any more.
    pub(crate) fn over(&self) -> u64 {
        self.ended.unwrap_or(self.began).max(self.last)
    }
}

/// Everything that happens.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) hot: Store,
    cold: Store,
    /// Where bundles lie.
    bundles: Store,
    pub(crate) cache: Cache,
    pub(crate) now_ms: u64,
    /// Events so far.
    events: u64,
    /// How many were sent off.
    sent: u64,
    pending: BinaryHeap<Reverse<(u64, u64)>>,
    due: BTreeMap<u64, Event>,
    hosts: Vec<Host>,
    runs: Vec<Run>,
    /// What happened to the acts.
    pub(crate) records: Vec<Record>,
    /// What came to an end, and whether it was done.
    pub(crate) ended: Vec<(What, bool)>,
    /// Faults that were injected, crashes and losses too.
    pub(crate) faults: u64,
    /// Requests that were carried out.
    pub(crate) requests: u64,
    trace: DefaultHasher,
    told: Option<Vec<String>>,
    is_calm: bool,
}

struct Host {
    process: Process,
    clock_ms: i64,
    /// Sessions as they were last seen.
    at_hand: BTreeMap<usize, Session>,
}

struct Run {
    process: Process,
    act: Act,
    operation: Box<dyn Operation>,
    record: usize,
    /// Requests so far: decides their chance.
    requests: u64,
    is_over: bool,
}

enum Event {
    Act(Act),
    Perform {
        run: usize,
        id: RequestId,
        request: Box<Request>,
        chance: Chance,
    },
    /// A request that nobody waits for any more.
    Arrive {
        run: usize,
        request: Box<Request>,
        by: By,
        chance: Chance,
    },
    Answer {
        run: usize,
        id: RequestId,
        reply: Reply,
    },
}

impl World {
    /// A world in which nothing happened yet.
    #[must_use]
    pub(crate) fn new(plan: &Plan, tells: bool) -> Self {
        let hot = match plan.kept {
            Kept::Files | Kept::Runtime => Store::of_files(),
            Kept::Tier => Store::default(),
        };
        let host = |place| Host { process: (place, 1), clock_ms: 0, at_hand: BTreeMap::new() };
        let mut world = Self {
            plan: plan.clone(),
            hot,
            cold: Store::default(),
            bundles: Store::default(),
            cache: Cache::default(),
            now_ms: START_MS,
            events: 0,
            sent: 0,
            pending: BinaryHeap::new(),
            due: BTreeMap::new(),
            hosts: (0..plan.hosts).map(host).collect(),
            runs: Vec::new(),
            records: Vec::new(),
            ended: Vec::new(),
            faults: 0,
            requests: 0,
            trace: DefaultHasher::new(),
            told: tells.then(Vec::new),
            is_calm: false,
        };
        for act in &plan.acts {
            world.at(START_MS + act.at_ms, Event::Act(*act));
        }
        world
    }

    /// Lets all of it happen; `false` where it does not come to an end.
    #[must_use]
    pub(crate) fn run(&mut self) -> bool {
        while let Some(Reverse((at_ms, number))) = self.pending.pop() {
            self.now_ms = self.now_ms.max(at_ms);
            self.events += 1;
            if self.events > EVENTS_MAX {
                return false;
            }
            match self.due.remove(&number) {
                Some(Event::Act(act)) => self.act(act),
                Some(Event::Perform { run, id, request, chance }) => {
                    self.perform(run, id, &request, chance);
                }
                Some(Event::Arrive { run, request, by, chance }) => {
                    self.arrive(run, &request, by, chance);
                }
                Some(Event::Answer { run, id, reply }) => self.answer(run, id, reply),
                None => {}
            }
        }
        true
    }

    /// From now on nothing goes wrong: all hosts start anew, and some time goes by.
    pub(crate) fn calm(&mut self) {
        self.is_calm = true;
        for place in 0..self.hosts.len() {
            self.leave(place);
            self.hosts[place].clock_ms = 0;
        }
        self.now_ms += 20 * DAY_MS;
    }

    /// What happened, in a number.
    #[must_use]
    pub(crate) fn trace(&self) -> u64 {
        self.trace.finish()
    }

    /// What happened, in words, where that was asked for.
    #[must_use]
    pub(crate) fn told(&self) -> &[String] {
        self.told.as_deref().unwrap_or_default()
    }

    fn at(&mut self, at_ms: u64, event: Event) {
        // Of those at the same time the first comes first.
        self.sent += 1;
        self.pending.push(Reverse((at_ms, self.sent)));
        self.due.insert(self.sent, event);
    }

    pub(crate) fn tell(&mut self, what: impl Hash + std::fmt::Debug) {
        what.hash(&mut self.trace);
        if let Some(told) = &mut self.told {
            told.push(format!("{:>6} {:>9} ms {what:?}", self.events, self.now_ms - START_MS));
        }
    }

    fn act(&mut self, act: Act) {
        self.tell(("act", act.number, act.host, format!("{:?}", act.what)));
        let mut chance = Chance::of(self.plan.seed, &[6, act.number]);
        let mut record = Record {
            act,
            began: self.events,
            ended: Some(self.events),
            end: End::default(),
            last: 0,
            faults: 0,
            damaged: 0,
            is_resent: false,
            rotten: Vec::new(),
            is_unfinished: false,
        };
        let mut happens = true;
        match act.what {
            What::Crash => self.crash(act.host, &mut chance),
            What::PowerCut => {
                (0..self.hosts.len()).for_each(|place| self.crash(place, &mut chance));
                // Where later parts are left, what others wrote is damaged.
                let holed = self.hot.lose_power(&mut chance);
                record.rotten = holed.iter().flat_map(|key| self.made_of(key)).collect();
            }
            What::Evict { session, log_only } => happens = self.hot.evict(&id(session), log_only),
            What::Rot => happens = self.rot(&mut chance, &mut record),
            What::Clock(days) => self.hosts[act.host].clock_ms = days * DAY_MS.cast_signed(),
            What::Wait(seconds) => self.now_ms += seconds * SECOND_MS,
            _ => return self.begin(act, record),
        }
        self.faults += u64::from(happens && !matches!(act.what, What::Wait(_) | What::Clock(0)));
        self.records.push(record);
    }

    /// A bit of some object turns, if there is one; the record tells what that does.
    fn rot(&mut self, chance: &mut Chance, record: &mut Record) -> bool {
        let is_cold = !self.cold.is_empty() && chance.happens(500);
        let store = if is_cold { &mut self.cold } else { &mut self.hot };
        let Some((key, is_last)) = store.rot(chance) else { return false };
        self.tell(("rot", key.as_str().to_owned()));
        record.rotten = self.made_of(&key);
        record.is_unfinished = is_last && key.as_str().ends_with(".jsonl");
        true
    }

    /// The sessions that an object is of, or that name it; all, where none does yet.
    fn made_of(&self, key: &Key) -> Vec<usize> {
        let is_of = |session: &usize| {
            [&self.hot, &self.cold].iter().any(|store| store.is_made_of(&id(*session), key))
        };
        let all = 0..SESSIONS.len();
        let made: Vec<usize> = all.clone().filter(is_of).collect();
        if made.is_empty() { all.collect() } else { made }
    }

    fn begin(&mut self, act: Act, record: Record) {
        if self.is_too_early(act) {
            return;
        }
        let host = &mut self.hosts[act.host];
        let at_hand = act.what.at_hand().and_then(|session| host.at_hand.get(&session).cloned());
        let Some(operation) = begin(act.number, act.what, self.plan.kept, at_hand) else { return };
        let (process, place) = (host.process, self.records.len());
        self.records.push(Record { ended: None, ..record });
        self.runs.push(Run { process, act, operation, record: place, requests: 0, is_over: false });
        self.go_on(self.runs.len() - 1);
    }

    /// Nobody tries an append again that still goes on.
    fn is_too_early(&self, act: Act) -> bool {
        let What::Append { says, .. } = act.what else { return false };
        let is_alive = |process: Process| self.hosts[process.0].process == process;
        self.runs.iter().any(|run| {
            matches!(run.act.what, What::Append { says: other, .. } if other == says)
                && !run.is_over
                && is_alive(run.process)
        })
    }

    /// Lets a task go on, and sends off what it asks for.
    fn go_on(&mut self, run: usize) {
        let (requests, end) = {
            let run = &mut self.runs[run];
            (run.operation.next(), run.operation.end())
        };
        for (id, request) in requests {
            let running = &mut self.runs[run];
            running.requests += 1;
            let mut chance = Chance::of(self.plan.seed, &[7, running.act.number, running.requests]);
            let late_ms = delay_ms(self.faults_now(), &mut chance);
            self.at(
                self.now_ms + late_ms,
                Event::Perform { run, id, request: Box::new(request), chance },
            );
        }
        if let Some(end) = end {
            self.over(run, end);
        }
    }

    fn over(&mut self, run: usize, end: End) {
        let (act, process, place) = {
            let run = &mut self.runs[run];
            run.is_over = true;
            (run.act, run.process, run.record)
        };
        let code = end.error.as_ref().map_or("ok", Error::code);
        self.tell(("end", act.number, code));
        self.ended.push((act.what, end.error.is_none()));
        if let Some(session) = act.what.at_hand() {
            match &end.session {
                Some(known) => _ = self.hosts[act.host].at_hand.insert(session, known.clone()),
                None => _ = self.hosts[act.host].at_hand.remove(&session),
            }
            // Half of them close what they wrote to; others go on holding it.
            if act.number % 2 == 0 || end.error.is_some() {
                self.hot.close(&Key::of(&id(session), Part::Log), process);
            }
        }
        let events = self.events;
        let record = &mut self.records[place];
        (record.ended, record.end) = (Some(events), end);
    }

    fn perform(&mut self, run: usize, id: RequestId, request: &Request, mut chance: Chance) {
        self.requests += 1;
        let process = self.runs[run].process;
        let fate = Fate::of(request, self.faults_now(), &mut chance);
        let late_ms = delay_ms(self.faults_now(), &mut chance);
        let clock_ms = self.hosts[process.0].clock_ms;
        // Stores have clocks of their own; only stamps are the host's.
        let now_ms = match request {
            Request::Stamp { .. } => self.now_ms.saturating_add_signed(clock_ms),
            _ => self.now_ms,
        };
        let by = By { process, now_ms };
        let record = &mut self.records[self.runs[run].record];
        record.last = self.events;
        record.faults += u64::from(!matches!(fate, Fate::Fine | Fate::Twice | Fate::Resent));
        record.damaged += u64::from(matches!(fate, Fate::Short | Fate::Damaged));
        record.is_resent |= fate == Fate::Resent;
        self.faults += u64::from(fate != Fate::Fine);
        let reply = self.suffer(request, by, fate, &mut chance);
        self.tell(("did", run, name_of(request), told_of(&reply), format!("{fate:?}")));
        if matches!(fate, Fate::Late | Fate::Resent) {
            let request = Box::new(request.clone());
            self.at(
                self.now_ms + later_ms(&mut chance),
                Event::Arrive { run, request, by, chance },
            );
        }
        if fate == Fate::Twice {
            self.at(self.now_ms + late_ms * 2 + 1, Event::Answer { run, id, reply: reply.clone() });
        }
        self.at(self.now_ms + late_ms, Event::Answer { run, id, reply });
    }

    fn arrive(&mut self, run: usize, request: &Request, by: By, mut chance: Chance) {
        self.records[self.runs[run].record].last = self.events;
        let by = By { now_ms: self.now_ms, ..by };
        let reply = self.carry_out(request, by, &mut chance);
        self.tell(("arrived", run, name_of(request), told_of(&reply)));
    }

    fn answer(&mut self, run: usize, id: RequestId, reply: Reply) {
        let running = &mut self.runs[run];
        if running.is_over || self.hosts[running.process.0].process != running.process {
            return;
        }
        running.operation.reply(id, reply);
        self.go_on(run);
    }

    /// Carries a request out as its fate wants it.
    pub(crate) fn suffer(
        &mut self,
        request: &Request,
        by: By,
        fate: Fate,
        chance: &mut Chance,
    ) -> Reply {
        let lost = || {
            let error = Error::new(ErrorKind::StoreFailed, "as the seed wants it");
            Reply::Failed(if fate == Fate::Full { error } else { error.retryable() })
        };
        match fate {
            Fate::Full => {
                self.hot.tear(request, by, chance);
                lost()
            }
            Fate::FailsBefore | Fate::Late => lost(),
            Fate::FailsAfter => {
                self.carry_out(request, by, chance);
                lost()
            }
            Fate::Short => short(self.carry_out(request, by, chance)),
            Fate::Damaged => {
                let request = damaged(request, chance);
                self.carry_out(&request, by, chance)
            }
            Fate::Fine | Fate::Twice | Fate::Resent => self.carry_out(request, by, chance),
        }
    }

    pub(crate) fn carry_out(&mut self, request: &Request, by: By, chance: &mut Chance) -> Reply {
        let answer = match request {
            Request::Stamp { random_bytes } => {
                let random = (0..*random_bytes).map(|_| chance.number() as u8).collect();
                Ok(Reply::Stamp(Stamp { now_ms: by.now_ms, random }))
            }
            Request::Cold(request) => self.cold.perform(request, by),
            Request::Bundle(request) => self.bundles.perform(request, by),
            Request::Cache(request) => self.cache.perform(request).ok_or_else(|| {
                Error::new(ErrorKind::NotSupported, "the cache knows no such request")
            }),
            request => self.hot.perform(request, by),
        };
        answer.unwrap_or_else(Reply::Failed)
    }

    /// A process is gone. What it asked for arrives, or not, or in part.
    fn crash(&mut self, place: usize, chance: &mut Chance) {
        let process = self.hosts[place].process;
        let under_way: Vec<u64> = self
            .due
            .iter()
            .filter(|(_, event)| match event {
                Event::Perform { run, .. } => self.runs[*run].process == process,
                _ => false,
            })
            .map(|(number, _)| *number)
            .collect();
        let by = By { process, now_ms: self.now_ms };
        for number in under_way {
            let arrives = chance.happens(400);
            // Over a network it may arrive much later.
            if arrives && self.plan.kept == Kept::Tier {
                continue;
            }
            let Some(Event::Perform { request, run, .. }) = self.due.remove(&number) else {
                continue;
            };
            self.records[self.runs[run].record].last = self.events;
            if arrives {
                self.carry_out(&request, by, chance);
            } else if chance.happens(500) {
                self.hot.tear(&request, by, chance);
            }
        }
        self.leave(place);
    }

    fn leave(&mut self, place: usize) {
        let host = &mut self.hosts[place];
        let process = host.process;
        host.process.1 += 1;
        host.at_hand.clear();
        self.hot.leave(process);
    }

    fn faults_now(&self) -> Faults {
        if self.is_calm { Faults::default() } else { self.plan.faults }
    }
}
