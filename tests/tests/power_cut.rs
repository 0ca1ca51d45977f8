//! Power cuts while sessions are archived, restored and pruned, on three file systems. A writer says
//! what it begins and what is done; its disk is copied at random moments, as a power cut would leave
//! it; every session that was acknowledged must be in every copy. `TURNKEEP_CUTS` is how many cuts
//! there are of each operation (20). It needs root, by `sudo` at least, and fails without.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use turnkeep::{FileStore, Form, Range, Store, sessions};
use turnkeep_tests::build::Random;
use turnkeep_tests::disk_image::{Disks, FileSystem, Image, SHOWN};
use turnkeep_tests::sessions::{head, lines, open};

/// What is cut off in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Archive,
    Restore,
    Prune,
}

/// One run of the writer on a fresh disk, and what it is cut in.
struct Round {
    mode: &'static str,
    operations: &'static [Operation],
    sessions: usize,
    bytes: usize,
    /// Cuts come at most so much after one another, or after what they are aimed at.
    pause_max: Duration,
    /// A cut waits until there is a file whose name holds this: `None` takes any moment.
    aim: Option<&'static str>,
    /// Cuts per operation.
    cuts: usize,
}

/// Sessions of which an archive is a single write.
const SMALL: Round = Round {
    mode: "retain",
    operations: &[Operation::Archive, Operation::Restore],
    sessions: 16,
    bytes: 40_000,
    pause_max: Duration::from_millis(40),
    aim: None,
    cuts: 20,
};

/// A session whose log is put together from parts.
const LARGE: Round = Round {
    mode: "retain",
    operations: &[Operation::Restore],
    sessions: 1,
    bytes: 10_000_000,
    pause_max: Duration::from_millis(150),
    aim: Some(".stage-"),
    cuts: 5,
};

const PRUNE: Round = Round {
    mode: "prune",
    operations: &[Operation::Prune],
    sessions: 60,
    bytes: 10_000,
    pause_max: Duration::from_millis(10),
    aim: None,
    cuts: 20,
};

const ROUNDS: &[Round] = &[SMALL, LARGE, PRUNE];

/// An order that loses sessions, to see that these tests would notice.
const CARELESS: Round = Round {
    mode: "careless",
    operations: &[Operation::Archive],
    sessions: 100,
    bytes: 20_000,
    pause_max: Duration::from_millis(15),
    aim: None,
    cuts: 5,
};

#[test]
fn cuts_on_ext4_lose_nothing() {
    lose_nothing("cuts_on_ext4_lose_nothing", FileSystem::Ext4);
}

#[test]
fn cuts_on_xfs_lose_nothing() {
    lose_nothing("cuts_on_xfs_lose_nothing", FileSystem::Xfs);
}

#[test]
fn cuts_on_btrfs_lose_nothing() {
    lose_nothing("cuts_on_btrfs_lose_nothing", FileSystem::Btrfs);
}

#[test]
fn cuts_in_a_careless_order_lose_sessions() {
    Disks::with("cuts_in_a_careless_order_lose_sessions", |disks| {
        for system in [FileSystem::Ext4, FileSystem::Xfs, FileSystem::Btrfs] {
            let tally = run(disks, system, &CARELESS);
            tally.print(system, &CARELESS);
            assert!(!tally.lost.is_empty(), "{}: nothing was lost", system.name());
        }
    });
}

fn lose_nothing(name: &str, system: FileSystem) {
    Disks::with(name, |disks| {
        let mut lost = Vec::new();
        for round in ROUNDS {
            let tally = run(disks, system, round);
            tally.print(system, round);
            lost.extend(tally.lost);
        }
        assert!(lost.is_empty(), "{} sessions were lost:\n{}", lost.len(), lost.join("\n"));
    });
}

/// What came of the cuts.
struct Tally {
    started: Instant,
    counts: BTreeMap<Operation, Counts>,
    /// What was not as it must be.
    lost: Vec<String>,
}

/// Cuts of one operation.
#[derive(Default)]
struct Counts {
    cuts: usize,
    /// Cuts between its beginning and its acknowledgement.
    within: usize,
    /// Cuts that left a session under two names, such as a log and an archive.
    both: usize,
    /// Cuts that left something that was only being written.
    half: usize,
}

impl Tally {
    fn print(&self, system: FileSystem, round: &Round) {
        let size = round.bytes / 1000;
        print!("{SHOWN}{}, {}, sessions to {size} kB: ", system.name(), round.mode);
        for (operation, Counts { cuts, within, both, half }) in &self.counts {
            print!(
                "{operation:?} {cuts} cuts ({within} within, {both} both there, {half} half written), "
            );
        }
        println!("{} lost; {:.1} s", self.lost.len(), self.started.elapsed().as_secs_f64());
        // The careless round shows that cuts are noticed, and proves nothing else.
        if round.mode != CARELESS.mode {
            let cuts: usize = self.counts.values().map(|one| one.cuts).sum();
            println!("proof: {cuts} power cuts");
        }
    }
}

/// Runs the writer on fresh disks and cuts them off until there were enough cuts.
fn run(disks: &Disks, system: FileSystem, round: &Round) -> Tally {
    let started = Instant::now();
    let mut tally = Tally { started, counts: BTreeMap::new(), lost: Vec::new() };
    let mut wanted = round.wanted();
    let mut random = Random::new(u64::from(std::process::id()) ^ seed());
    for number in 0.. {
        if wanted.values().all(|cuts| *cuts == 0) {
            break;
        }
        assert!(number < 100, "too few cuts hit {:?}", round.operations);
        let (known, cuts) = cut_often(&disks.image(system), round, &mut wanted, &mut random);
        // The disk itself is not mounted any more.
        for cut in cuts {
            cut.check(&known, &mut tally);
        }
    }
    tally
}

/// Another one in every run.
fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as u64)
}

/// Runs the writer once, and gives the sessions that it acknowledged and the cuts.
fn cut_often(
    image: &Image,
    round: &Round,
    wanted: &mut Wanted,
    random: &mut Random,
) -> (Known, Vec<Cut>) {
    let disk = image.mount();
    let root = disk.path().join("root");
    let mut writer = Writer::start(round, &root);
    let known = writer.known(&root);
    writer.go();
    let mut said = Vec::new();
    let mut cuts = Vec::new();
    while cuts.len() < CUTS_AT_ONCE && wanted.values().any(|cuts| *cuts > 0) {
        round.wait(&root, random);
        let image = writer.cut(image, &format!("cut-{}", cuts.len()), &mut said);
        if said.is_empty() {
            continue;
        }
        if said.last().is_some_and(|line| line == "finished") {
            break;
        }
        let cut = Cut { image, states: State::of_all(&said) };
        // Of what takes longer there are more cuts than are looked at.
        if let Some(left) = wanted.get_mut(&cut.last().operation).filter(|left| **left > 0) {
            *left -= 1;
            cuts.push(cut);
        }
    }
    (known, cuts)
}

/// Copies that are kept before they are looked at.
const CUTS_AT_ONCE: usize = 20;

/// How long a cut waits for what it is aimed at.
const AIM_MAX: Duration = Duration::from_secs(60);

/// Cuts of each operation that there are still to be.
type Wanted = BTreeMap<Operation, usize>;

impl Round {
    fn wanted(&self) -> Wanted {
        let cuts =
            std::env::var("TURNKEEP_CUTS").map_or(20, |cuts| cuts.parse().expect("a number"));
        let wanted = (cuts * self.cuts).div_ceil(20);
        self.operations.iter().map(|operation| (*operation, wanted)).collect()
    }

    /// Waits for the next cut.
    fn wait(&self, root: &Path, random: &mut Random) {
        let is_aim = |aim: &str| names(root).iter().any(|name| name.contains(aim));
        let since = Instant::now();
        while self.aim.is_some_and(|aim| !is_aim(aim)) {
            assert!(since.elapsed() < AIM_MAX, "there never is a file {:?}", self.aim);
            std::thread::sleep(Duration::from_millis(1));
        }
        let part = u32::try_from(random.below(1000)).unwrap_or_default();
        std::thread::sleep(self.pause_max / 1000 * part);
    }
}

/// The sessions that were acknowledged as created: their heads and their logs.
type Known = BTreeMap<String, (String, Vec<u8>)>;

/// The writer, ended when dropped.
struct Writer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Writer {
    fn start(round: &Round, root: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retention-writer"));
        command.arg(round.mode).arg(root);
        command.args([round.sessions, round.bytes].map(|number| number.to_string()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the writer");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, input, output }
    }

    /// The sessions that it made, once it is ready.
    fn known(&mut self, root: &Path) -> Known {
        let mut known = Known::new();
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("a line of the writer's");
            match line.trim_end().split_once(' ') {
                Some(("created", rest)) => {
                    let (name, head) = rest.split_once(' ').expect("a name and a head");
                    known.insert(name.to_owned(), (head.to_owned(), Vec::new()));
                }
                _ => break assert_eq!(line, "ready\n", "the writer ended"),
            }
        }
        for (name, (_, log)) in &mut known {
            *log = log_in(root, name);
        }
        known
    }

    fn go(&mut self) {
        self.input.write_all(b"go\n").expect("the writer listens");
    }

    /// Cuts, and adds to what the writer `said` all that it had said by then. What it says it said
    /// before: stopped, it finishes at most one call of the system, and says nothing of it.
    fn cut(&mut self, image: &Image, name: &str, said: &mut Vec<String>) -> Image {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::STOP).expect("the writer is there");
        // Not once it has stopped, which it does only at the end of a sync.
        let copy = image.cut(name);
        let (_, status) =
            waitpid(Some(pid), WaitOptions::UNTRACED).expect("its state").expect("one");
        assert!(status.stopped(), "the writer ended");
        let bytes = rustix::io::ioctl_fionread(self.output.get_ref()).expect("what it said");
        let mut text = String::from_utf8_lossy(self.output.buffer()).into_owned();
        self.output.consume(text.len());
        self.output.get_mut().take(bytes).read_to_string(&mut text).expect("what it said");
        said.extend(text.lines().map(str::to_owned));
        kill_process(pid, Signal::CONT).expect("the writer is there");
        copy
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The session's log as it lies there, or as its archive holds it.
fn log_in(root: &Path, name: &str) -> Vec<u8> {
    fs::read(root.join(format!("{name}.jsonl"))).unwrap_or_else(|_| {
        let archive = fs::read(root.join(format!("{name}.jsonl.gz"))).expect("a log or an archive");
        let mut log = Vec::new();
        flate2::read::MultiGzDecoder::new(&archive[..]).read_to_end(&mut log).expect("an archive");
        log
    })
}

/// How far the writer had come.
struct State {
    operation: Operation,
    is_done: bool,
}

impl State {
    /// The last that it said of each session, and of any.
    fn of_all(said: &[String]) -> States {
        let mut states = States::default();
        for line in said {
            let words: Vec<&str> = line.split(' ').collect();
            let [state, operation, name] = words[..] else { panic!("what is {line:?}?") };
            let operation = match operation {
                "archive" => Operation::Archive,
                "restore" => Operation::Restore,
                _ => Operation::Prune,
            };
            let state = Self { operation, is_done: state == "done" };
            states.last = name.to_owned();
            states.each.insert(name.to_owned(), state);
        }
        states
    }
}

#[derive(Default)]
struct States {
    each: BTreeMap<String, State>,
    last: String,
}

/// A copy of the disk, and how far the writer had come by then.
struct Cut {
    image: Image,
    states: States,
}

impl Cut {
    /// What the writer was doing, or had just done.
    fn last(&self) -> &State {
        &self.states.each[&self.states.last]
    }

    /// Opens every session, and counts what there is.
    fn check(&self, known: &Known, tally: &mut Tally) {
        let disk = self.image.mount();
        let root = disk.path().join("root");
        self.count(&root, tally);
        let store: Arc<dyn Store> = Arc::new(FileStore::open(&root).expect("a store"));
        let mut lost = Vec::new();
        for (name, known) in known {
            let outcome = self.check_session(&root, &store, name, known);
            lost.extend(outcome.err().map(|what| format!("{name}: {what}")));
        }
        let last = &self.states.last;
        let State { operation, is_done } = self.last();
        let place = format!("cut in {operation:?} of {last}, done: {is_done}");
        tally.lost.extend(lost.into_iter().map(|what| format!("{place}: {what}")));
    }

    fn count(&self, root: &Path, tally: &mut Tally) {
        let names = names(root);
        let State { operation, is_done } = *self.last();
        let counts = tally.counts.entry(operation).or_default();
        counts.cuts += 1;
        counts.within += usize::from(!is_done);
        let is_twice = |name: &&String| objects(&names, name).len() > 1;
        counts.both += usize::from(self.states.each.keys().any(|name| is_twice(&name)));
        let is_half = |name: &String| name.contains(".put-") || name.contains(".stage-");
        counts.half += usize::from(names.iter().any(is_half));
    }

    /// That a session is there as it was, or is gone as it was said to be.
    fn check_session(
        &self,
        root: &Path,
        store: &Arc<dyn Store>,
        name: &str,
        known: &(String, Vec<u8>),
    ) -> Result<(), String> {
        let state = self.states.each.get(name);
        let pruned = state.filter(|state| state.operation == Operation::Prune);
        if let Some(State { is_done, .. }) = pruned {
            match open(store, name) {
                Err(error) if error.code() == "pruned" => return Ok(()),
                Ok(_) if *is_done => return Err("it was pruned and is there again".to_owned()),
                _ => {}
            }
        }
        check_content(store, name, known)?;
        if pruned.is_none() && objects(&names(root), name).len() > 1 {
            go_on(store, name)?;
            check_content(store, name, known)?;
        }
        Ok(())
    }
}

/// Names of files in the folder.
fn names(root: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(root).expect("the store's folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

/// Of those, what is kept of a session under names that others see.
fn objects<'a>(names: &'a BTreeSet<String>, session: &str) -> Vec<&'a String> {
    let start = format!("{session}.");
    names.iter().filter(|name| name.starts_with(&start)).collect()
}

/// That a session is listed once, opens, is whole, and is what it was, byte for byte.
fn check_content(
    store: &Arc<dyn Store>,
    name: &str,
    (expected, log): &(String, Vec<u8>),
) -> Result<(), String> {
    let said = |error: turnkeep::Error| error.to_string();
    let listed = sessions(&**store).map_err(said)?;
    let times = listed.iter().filter(|listed| listed.id.as_str() == name).count();
    let session = open(store, name).map_err(said)?;
    if !session.verify().map_err(said)?.is_whole() {
        return Err("it is not whole".to_owned());
    }
    let head = head(&session);
    let found = format!("{} {} {}", head.seq, head.hash, head.bytes);
    if (times, &found) != (1, expected) {
        return Err(format!("listed {times} times, with the head {found} and not {expected}"));
    }
    match lines(&session, &Range::all()).map_err(said)? == *log {
        true => Ok(()),
        false => Err("it has other bytes".to_owned()),
    }
}

/// What was cut off can be done all the same.
fn go_on(store: &Arc<dyn Store>, name: &str) -> Result<(), String> {
    let session = open(store, name).map_err(|error| error.to_string())?;
    match session.form() {
        Form::Live => session.archive(),
        Form::Archived | Form::Cold => session.restore(),
    }
    .map(drop)
    .map_err(|error| format!("it opens, but does not go on: {error}"))
}
