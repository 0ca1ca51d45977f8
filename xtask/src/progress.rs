//! Runs a command with its output held back, and says now and then that it is still at work.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process::show;

/// How a command ended, and all it printed.
pub(crate) struct Outcome {
    pub(crate) ending: Ending,
    pub(crate) lines: Vec<String>,
}

/// How a command ended.
pub(crate) enum Ending {
    Exited(ExitStatus),
    TimedOut,
}

/// Runs `command` for `time_max` at most; its last line is shown every ten seconds.
pub(crate) fn run(mut command: Command, time_max: Duration) -> Result<Outcome> {
    let shown = show(&command);
    let mut child = command
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{shown}`"))?;
    let lines = Lines::default();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as _),
        child.stderr.take().map(|pipe| Box::new(pipe) as _),
    ];
    let readers: Vec<JoinHandle<()>> =
        pipes.into_iter().flatten().map(|pipe| lines.collect(pipe)).collect();

    let started = Instant::now();
    let mut next_sign = SIGN_EVERY;
    loop {
        if let Some(status) = child.try_wait()? {
            wait_for(&readers);
            return Ok(Outcome { ending: Ending::Exited(status), lines: lines.take() });
        }
        if started.elapsed() > time_max {
            kill_with_descendants(&mut child)?;
            return Ok(Outcome { ending: Ending::TimedOut, lines: lines.take() });
        }
        if started.elapsed() > next_sign {
            println!("  {:4} s  {}", next_sign.as_secs(), lines.last());
            next_sign += SIGN_EVERY;
        }
        thread::sleep(POLL_EVERY);
    }
}

/// Kills a command and all that it started. It is no process group: one would not hear of Ctrl-C.
fn kill_with_descendants(child: &mut Child) -> Result<()> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output();
    // Without `ps` it is killed alone.
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    let pids = descendants(child.id(), &String::from_utf8_lossy(&listed));
    child.kill()?;
    let mut kill = Command::new("sh");
    // Some have ended by now.
    kill.args(["-c", "kill -KILL \"$@\"", "kill"]).args(pids).stderr(Stdio::null()).status()?;
    child.wait()?;
    Ok(())
}

/// Those whose parent, or parent's parent and so on, that is, in lines of a number and a parent's.
fn descendants(pid: u32, listed: &str) -> Vec<String> {
    let pairs: Vec<_> =
        listed.lines().filter_map(|line| line.trim().split_once(char::is_whitespace)).collect();
    let (mut found, mut next) = (vec![pid.to_string()], 0);
    while let Some(parent) = found.get(next).cloned() {
        next += 1;
        let children = pairs.iter().filter(|(_, of)| of.trim() == parent);
        found.extend(children.map(|(child, _)| (*child).to_owned()));
    }
    found.split_off(1)
}

/// Waits until the pipes are read to their ends, but not for ever: a process that the command
/// left behind can hold them open.
fn wait_for(readers: &[JoinHandle<()>]) {
    let started = Instant::now();
    while started.elapsed() < READERS_MAX && !readers.iter().all(JoinHandle::is_finished) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// The lines of both pipes, in the order they came.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn collect(&self, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n') {
                let Ok(line) = line else { return };
                lines.push(String::from_utf8_lossy(&line).into_owned());
            }
        })
    }

    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last line that says something, cut to fit on one line of a terminal.
    fn last(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = lines.iter().rev().find(|line| !line.trim().is_empty());
        let last = last.map_or("(nothing printed yet)", |line| line.trim());
        last.chars().take(LINE_SHOWN).collect()
    }
}

const SIGN_EVERY: Duration = Duration::from_secs(10);
const POLL_EVERY: Duration = Duration::from_millis(50);
const READERS_MAX: Duration = Duration::from_secs(5);
const LINE_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descendants_are_found() {
        let listed = "    1     0\n   20     1\n  300    20\n    4   300\n   21     1\n";
        assert_eq!(descendants(20, listed), ["300", "4"]);
    }

    #[test]
    #[cfg(unix)]
    fn what_takes_too_long_is_killed_with_what_it_started() {
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c 'sleep 600 & echo $!; wait' & wait"]);
        let outcome = run(command, Duration::from_millis(500)).unwrap();
        assert!(matches!(outcome.ending, Ending::TimedOut));
        let left = Command::new("ps").args(["-o", "stat=", "-p", &outcome.lines[0]]).output();
        let left = String::from_utf8(left.unwrap().stdout).unwrap();
        assert!(left.is_empty() || left.starts_with('Z'), "{left}");
    }
}
