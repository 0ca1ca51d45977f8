//! Every block write of a disk, replayed: a machine of its own carries out the script on a disk whose
//! writes are logged, and after each of them the disk is what a power cut there would leave. Whatever
//! was acknowledged by then is on it. It needs root, by `sudo` at least, user-mode Linux and busybox,
//! and fails without.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use turnkeep_tests::crash::{Entry, Order, SCRIPT, WriteLog, check, go_on, run_in_machine};
use turnkeep_tests::disk_image::{Disks, FileSystem, Image, SHOWN};

/// Room for all that is written.
const LOG_BYTES: u64 = 1 << 30;
/// One point in so many is also gone on from.
const GO_ON: usize = 8;

#[test]
fn whatever_was_acknowledged_is_on_the_disk_after_every_write() {
    Disks::with("whatever_was_acknowledged_is_on_the_disk_after_every_write", |disks| {
        let tally = replayed(disks, Order::Durable);
        assert!(tally.lost.is_empty(), "{}", tally.lost.join("\n"));
        assert!(tally.points >= 250, "{} points", tally.points);
        assert_eq!(tally.acknowledged, SCRIPT.len());
    });
}

#[test]
fn what_is_not_synced_is_lost_at_some_writes() {
    Disks::with("what_is_not_synced_is_lost_at_some_writes", |disks| {
        let tally = replayed(disks, Order::Careless);
        assert!(!tally.lost.is_empty(), "nothing was lost");
    });
}

#[derive(Default)]
struct Tally {
    acknowledged: usize,
    points: usize,
    lost: Vec<String>,
}

/// Runs the script, and looks at the disk after each write; carelessly, until something is lost.
fn replayed(disks: &Disks, order: Order) -> Tally {
    let started = Instant::now();
    let disk = disks.image(FileSystem::Ext4);
    let replayed = disk.cut("replayed");
    let log = disks.file("log", LOG_BYTES);
    let folder = log.parent().expect("a folder");
    run_in_machine(folder, env!("CARGO_BIN_EXE_script-writer"), order, disk.path(), &log);
    let ran = started.elapsed();
    let log = WriteLog::open(&log).expect("a log of writes");
    let tally = look_after_each(&log, &replayed, order);
    let (ran, all) = (ran.as_secs_f64(), started.elapsed().as_secs_f64());
    let Tally { acknowledged, points, lost } = &tally;
    if order != Order::Careless {
        println!("proof: {points} write points replayed");
    }
    println!(
        "{SHOWN}{order:?}, ext4: {acknowledged} acknowledged, {points} write points, {} lost; \
         {all:.1} s ({ran:.1} s of it in the machine)",
        lost.len()
    );
    tally
}

fn look_after_each(log: &WriteLog, replayed: &Image, order: Order) -> Tally {
    let disk = File::options().write(true).open(replayed.path()).expect("the disk");
    let mut tally = Tally::default();
    for entry in &log.entries {
        match entry {
            Entry::Mark(mark) => {
                // When the disk goes the log gets a mark of its own.
                let number = mark.strip_prefix("done-").map(|number| number.parse::<usize>());
                if let Some(number) = number {
                    tally.acknowledged = number.expect("a step") + 1;
                }
            }
            Entry::Write(write) => {
                log.replay(write, &disk).expect("replayed");
                // Before the first acknowledgement nothing was promised, a flush changes nothing.
                if tally.acknowledged > 0 && write.bytes > 0 {
                    tally.points += 1;
                    let is_gone_on = tally.points.is_multiple_of(GO_ON);
                    let looked = look(replayed, tally.acknowledged, is_gone_on);
                    let told = |what| format!("after write {}: {what}", tally.points);
                    tally.lost.extend(looked.err().map(told));
                    if order == Order::Careless && !tally.lost.is_empty() {
                        break;
                    }
                }
            }
        }
    }
    tally
}

/// Mounts a copy of the disk as it is, and looks.
fn look(disk: &Image, acknowledged: usize, goes_on: bool) -> Result<(), String> {
    let cut = disk.cut("cut");
    let mounted = cut.mount();
    let root: &Path = &mounted.path().join("root");
    check(root, acknowledged..=acknowledged)?;
    if goes_on { go_on(root, acknowledged) } else { Ok(()) }
}
