//! A machine of its own: Linux as a process ("user-mode Linux"), which has the modules that the
//! system under the tests may lack. It sees the host's files, and a disk whose writes are logged.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How the writer in the machine appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Synced before it is acknowledged.
    Durable,
    /// Not synced: to see that losses would be noticed.
    Careless,
}

/// Runs the script's writer in such a machine, on a file system (ext4) in the file `disk`. Each write
/// to it is logged in the file `log`, and so is each acknowledgement, as a mark. `folder` is for what
/// the machine starts with.
///
/// # Panics
///
/// Where the machine or the writer fails, or a tool is missing.
pub fn run_in_machine(folder: &Path, writer: &str, order: Order, disk: &Path, log: &Path) {
    let script = folder.join("init");
    std::fs::write(&script, init(writer, order)).expect("a script");
    let shell = busybox();
    let mut command = Command::new("timeout");
    command.env("LD_PRELOAD", registers(folder));
    command.args([
        "240",
        "linux.uml",
        "mem=256M",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        "quiet",
    ]);
    command.args(["panic=1", "con=null", "con0=null,fd:1"]);
    command.arg(format!("ubd0={}", disk.display())).arg(format!("ubd1={}", log.display()));
    command.arg(format!("init={shell}")).args(["--", "sh"]).arg(&script);
    let output = command.stdin(Stdio::null()).output().expect("the command timeout");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let needs = "it needs what `cargo xtask setup` installs";
    assert!(said.lines().any(|line| line.trim() == "all is done"), "{needs}: {said}\n{errors}");
}

/// What user-mode Linux lacks on newer processors, compiled by what links Rust's programs, too.
fn registers(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("registers.c"), folder.join("registers.so"));
    std::fs::write(&source, include_str!("registers.c")).expect("a file");
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-shared", "-fPIC", "-o"]).args([&library, &source]);
    let compiled = compile.arg("-ldl").status().expect("the command cc");
    assert!(compiled.success(), "registers.c does not compile");
    library
}

/// What the machine does when it has started.
fn init(writer: &str, order: Order) -> String {
    let busybox = busybox();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let how = if order == Order::Durable { "durable" } else { "careless" };
    format!(
        r#"PATH=/usr/sbin:/usr/bin:/sbin:/bin
run() {{ {busybox} "$@"; }}
run mount -t proc proc /proc
run mount -t sysfs sys /sys
run mount -t devtmpfs dev /dev 2>/dev/null
run mount -t tmpfs tmp /mnt
# Its locks are to be those of a process of this host that is gone.
run hostname '{host}'
modules=/usr/lib/uml/modules/$(run uname -r)/kernel/drivers/md
run insmod $modules/dm-mod.ko && run insmod $modules/dm-log-writes.ko || exit 1
sectors=$(run blockdev --getsz /dev/ubda)
echo "0 $sectors log-writes /dev/ubda /dev/ubdb" | dmsetup create --noudevsync log
run mkdir /mnt/disk
run mount -t ext4 /dev/dm-0 /mnt/disk || exit 1
mark="dmsetup message --noudevsync log 0 mark"
'{writer}' /mnt/disk/root {how} $mark && echo 'all is done'
run umount /mnt/disk
dmsetup remove --noudevsync log
run poweroff -f
"#
    )
}

fn busybox() -> String {
    let places = ["/bin/busybox", "/usr/bin/busybox"];
    let found = places.iter().find(|place| Path::new(place).exists());
    found.expect("busybox, which `cargo xtask setup` installs").to_string()
}
