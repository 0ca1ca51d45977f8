//! Power cuts while the whole script is carried out: creating, appending, forking, archiving, pruning,
//! deleting, bundles and tiers, on three file systems. `TURNKEEP_CUTS` is how many there are on each
//! (20). It needs root, by `sudo` at least, and fails without.
#![cfg(target_os = "linux")]

use std::io::{ErrorKind, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;
use turnkeep_tests::build::Random;
use turnkeep_tests::crash::{check, go_on};
use turnkeep_tests::disk_image::{Disks, FileSystem, Image, SHOWN};

/// Cuts come at most so much after one another.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// Copies that are kept before they are looked at.
const CUTS_AT_ONCE: usize = 10;
/// Runs of the script in a row that may come to their end before there is a cut.
const ROUNDS_IN_VAIN_MAX: usize = 20;

#[test]
fn cuts_of_the_script_on_ext4_lose_nothing() {
    lose_nothing("cuts_of_the_script_on_ext4_lose_nothing", FileSystem::Ext4);
}

#[test]
fn cuts_of_the_script_on_xfs_lose_nothing() {
    lose_nothing("cuts_of_the_script_on_xfs_lose_nothing", FileSystem::Xfs);
}

#[test]
fn cuts_of_the_script_on_btrfs_lose_nothing() {
    lose_nothing("cuts_of_the_script_on_btrfs_lose_nothing", FileSystem::Btrfs);
}

fn lose_nothing(name: &str, system: FileSystem) {
    let wanted = std::env::var("TURNKEEP_CUTS").map_or(20, |cuts| cuts.parse().expect("a number"));
    Disks::with(name, |disks| {
        let (started, mut cuts, mut lost) = (Instant::now(), 0, Vec::new());
        let mut random = Random::new(u64::from(std::process::id()));
        let mut in_vain = 0;
        while cuts < wanted {
            let most = CUTS_AT_ONCE.min(wanted - cuts);
            let made = cut_often(&disks.image(system), most, &mut random);
            in_vain = if made.is_empty() { in_vain + 1 } else { 0 };
            assert!(in_vain < ROUNDS_IN_VAIN_MAX, "the script ends before it can be cut");
            for cut in made {
                cuts += 1;
                lost.extend(cut.look().err());
            }
        }
        let (system, seconds) = (system.name(), started.elapsed().as_secs_f64());
        println!("proof: {cuts} power cuts");
        println!("{SHOWN}{system}, the script: {cuts} cuts, {} lost; {seconds:.1} s", lost.len());
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    });
}

/// Runs the script once on a fresh disk, and cuts it off from time to time.
fn cut_often(image: &Image, most: usize, random: &mut Random) -> Vec<Cut> {
    let disk = image.mount();
    let mut writer = Writer::start(&disk.path().join("root"));
    let mut cuts = Vec::new();
    while cuts.len() < most {
        let part = u32::try_from(random.below(1000)).unwrap_or_default();
        thread::sleep(PAUSE_MAX / 1000 * part);
        let before = writer.done();
        let image = image.cut(&format!("cut-{}", cuts.len()));
        let after = writer.done();
        if writer.is_over {
            break;
        }
        if before > 0 {
            cuts.push(Cut { image, before, after });
        }
    }
    cuts
}

/// A copy of the disk, and how many steps were acknowledged before and after it was made.
struct Cut {
    image: Image,
    before: usize,
    after: usize,
}

impl Cut {
    fn look(&self) -> Result<(), String> {
        let disk = self.image.mount();
        let root: &Path = &disk.path().join("root");
        let done = check(root, self.before..=self.after)?;
        go_on(root, done)
    }
}

/// The script's process, ended when dropped.
struct Writer {
    child: Child,
    /// Not blocking: what was acknowledged by now is all there is to be read.
    output: ChildStdout,
    said: Vec<u8>,
    is_over: bool,
    is_killed: bool,
}

impl Writer {
    fn start(root: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_script-writer"));
        command.arg(root).arg("durable").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the writer");
        let output = child.stdout.take().expect("its output");
        fcntl_setfl(&output, OFlags::NONBLOCK).expect("reading without waiting");
        Self { child, output, said: Vec::new(), is_over: false, is_killed: false }
    }

    /// How many steps it acknowledged by now.
    fn done(&mut self) -> usize {
        match self.output.read_to_end(&mut self.said) {
            Ok(_) => self.is_over = true,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        let said = String::from_utf8_lossy(&self.said);
        assert!(!said.contains("failed"), "the script failed: {said}");
        if self.is_over && !self.is_killed {
            // One that panics says nothing of it here.
            let status = self.child.wait().expect("its status");
            let is_finished = status.success() && said.ends_with("finished\n");
            assert!(is_finished, "the script broke off ({status}): {said}");
        }
        said.lines().filter(|line| line.starts_with("done")).count()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.child.kill().ok();
        let status = self.child.wait();
        if !thread::panicking() {
            // Nor may it have failed since, or have ended otherwise than by the signal.
            let signal = status.expect("its status").signal();
            self.is_killed = signal == Some(Signal::KILL.as_raw());
            self.done();
        }
    }
}
