//! The writer under strace, which lists its calls of the system, and kills it at one of them or lets
//! that one fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Calls that change what the disk holds, or what of it is safe.
const CHANGING: &[&str] = &[
    "write",
    "pwrite64",
    "writev",
    "copy_file_range",
    "sendfile",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "flock",
    "utimensat",
];
/// Calls that look. Opening changes something too where it makes a file.
const LOOKING: &[&str] = &["openat", "read", "pread64", "statx", "getdents64"];

/// A call of the system that the writer made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// It is that thread's so many-th of this name, from 1.
    pub nth: usize,
    /// In which step of the script.
    pub step: usize,
    /// As strace shows it.
    pub shown: String,
}

impl Call {
    /// Whether it changes anything. What is said to the test counts: it comes after all that a step
    /// does.
    #[must_use]
    pub fn is_changing(&self) -> bool {
        self.name != "openat" && !LOOKING.contains(&&*self.name) || self.shown.contains("O_CREAT")
    }

    /// Whether it is about something under a folder.
    #[must_use]
    pub fn is_under(&self, folder: &Path) -> bool {
        self.shown.contains(&*folder.to_string_lossy())
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before the call has an effect.
    Killed,
    /// It fails with that error, without an effect.
    Fails(&'static str),
    /// It writes or reads nothing, and says so.
    Nothing,
}

/// A run of the writer.
#[derive(Debug, Default)]
pub struct Run {
    /// Steps that were acknowledged.
    pub done: usize,
    /// Which step failed, with what code.
    pub failed: Option<(usize, String)>,
    /// What came of trying it again.
    pub again: Option<String>,
    /// It came to the end.
    pub is_finished: bool,
    /// How it ended, where not as it should.
    pub ending: Option<String>,
}

/// The writer, to be run under strace.
#[derive(Debug, Clone, Copy)]
pub struct Traced<'a> {
    /// Its program.
    pub writer: &'a str,
}

impl Traced<'_> {
    /// Runs it in a folder, undisturbed, and lists its calls.
    ///
    /// # Panics
    ///
    /// Where there is no strace, or the writer fails.
    #[must_use]
    pub fn calls(self, folder: &Path) -> Vec<Call> {
        let list = folder.with_extension("calls");
        let run = run(self.command(folder, &["-y", "-o"]).arg(&list), self.writer, folder);
        assert!(run.is_finished, "{run:?}");
        let text = fs::read_to_string(&list).expect("a list of calls");
        fs::remove_file(&list).ok();
        parse(&text)
    }

    /// Runs it in a folder and disturbs one call.
    ///
    /// # Panics
    ///
    /// Where there is no strace.
    #[must_use]
    pub fn disturbed(self, folder: &Path, call: &Call, fault: Fault) -> Run {
        let what = match fault {
            Fault::Killed => "signal=KILL".to_owned(),
            Fault::Fails(error) => format!("error={error}"),
            Fault::Nothing => "retval=0".to_owned(),
        };
        let inject = format!("inject={}:{what}:when={}", call.name, call.nth);
        let mut command = self.command(folder, &["-o", "/dev/null"]);
        if fault != Fault::Killed {
            // Faster, as only these calls are looked at; but with it nobody is killed.
            command.arg("--seccomp-bpf");
        }
        run(command.args(["-e", &inject]), self.writer, folder)
    }

    /// Runs it in a folder without strace.
    #[must_use]
    pub fn plain(self, folder: &Path) -> Run {
        run(Command::new("timeout").arg("60"), self.writer, folder)
    }

    fn command(self, folder: &Path, options: &[&str]) -> Command {
        fs::create_dir(folder).expect("a folder for a run");
        let all: Vec<String> =
            CHANGING.iter().chain(LOOKING).map(|name| format!("?{name}")).collect();
        // One that hangs is ended.
        let mut command = Command::new("timeout");
        command.args(["60", "strace", "-f", "-s", "40"]);
        command.args(["-e".to_owned(), format!("trace={}", all.join(","))]).args(options);
        command
    }
}

fn run(command: &mut Command, writer: &str, folder: &Path) -> Run {
    command.arg(writer).arg(folder).arg("durable").stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} cannot be started (`cargo xtask setup` installs it): {error}")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("strace"), "strace does not work here: {errors}");
    let mut run = Run::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["done", number] => run.done = step(number) + 1,
            ["failed", number, code] => run.failed = Some((step(number), code.to_owned())),
            ["again", _, code] => run.again = Some(code.to_owned()),
            ["finished"] => run.is_finished = true,
            _ => panic!("the writer said {line:?}"),
        }
    }
    let is_well = output.status.success();
    run.ending = (!is_well).then(|| format!("{} {errors}", output.status));
    run
}

fn step(number: &str) -> usize {
    number.parse().expect("a number")
}

/// The calls in a list of strace's.
fn parse(text: &str) -> Vec<Call> {
    let (mut calls, mut counts, mut step) = (Vec::new(), BTreeMap::new(), 0);
    for line in text.lines() {
        let Some((thread, call)) = line.trim_start().split_once(' ') else { continue };
        let Some((name, shown)) = call.trim_start().split_once('(') else { continue };
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            continue;
        }
        let nth = counts.entry((thread, name)).or_insert(0);
        *nth += 1;
        let (name, shown) = (name.to_owned(), shown.to_owned());
        let is_told = name == "write" && shown.contains("\"done ");
        calls.push(Call { name, nth: *nth, step, shown });
        step += usize::from(is_told);
    }
    calls
}

/// Does something with each of many, several at once; gives what came of each, in order.
pub fn each_at_once<T: Sync, R: Send>(all: &[T], run: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(one) = all.get(at) else { return done };
            done.push((at, run(at, one)));
        }
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = |thread: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().flat_map(joined).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
