//! File systems in files, which can be copied at any moment: what such a copy holds is what a
//! power cut at that moment leaves.
//!
//! The image lies on a file system that shares blocks between files (XFS), and is copied by sharing
//! them: in no time, and while none of the loop device's writes is under way. All that the file
//! system in the image has written by then is in the copy, in whatever state it is; what it holds
//! in memory only is not. Everything is mounted where nobody else sees it and goes away with the
//! test, however that ends.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::sessions::Folder;

/// Set where a test runs again, with mounts of its own: the folder for its disks.
const FOLDER: &str = "TURNKEEP_TESTS_DISKS";
/// What follows this in a line is shown whether or not the test passes, and this too.
pub const SHOWN: &str = "power cut: ";
/// What the lines of figures start with that `cargo xtask prove` reads.
const FIGURE: &str = "proof: ";
/// Sizes are what can be written at most; nothing takes room before it is written.
const IMAGE_BYTES: u64 = 320 << 20;
const POOL_BYTES: u64 = 64 << 30;
/// What the disks of one test take in memory at most.
const MEMORY: &str = "size=4g";

/// A file system to be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    /// With the journal of its metadata, and blocks given to files when they are written back.
    Ext4,
    /// The same, with a log replayed on mounting.
    Xfs,
    /// Copies on write, with a log of what was synced.
    Btrfs,
}

impl FileSystem {
    /// As `mount` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }

    /// What makes it quietly in a file. Ext4 as a whole: else it is being made while in use.
    fn make(self) -> Command {
        let (program, options): (_, &[&str]) = match self {
            Self::Ext4 => {
                ("mkfs.ext4", &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
            }
            Self::Xfs => ("mkfs.xfs", &["-q", "-f"]),
            Self::Btrfs => ("mkfs.btrfs", &["-q", "-f"]),
        };
        let mut command = Command::new(program);
        command.args(options);
        command
    }

    /// XFS refuses a copy of what it has mounted.
    fn mount_options(self) -> &'static str {
        if self == Self::Xfs { "loop,nouuid" } else { "loop" }
    }
}

/// Where images lie and are mounted.
#[derive(Debug)]
pub struct Disks {
    folder: PathBuf,
    _pool: Mounted,
    _memory: Mounted,
}

impl Disks {
    /// Runs a test, whose name that is, again in a process with mounts of its own, and there
    /// `test`. Its processes and mounts end with it.
    ///
    /// # Panics
    ///
    /// Where the test fails, a tool is missing or nothing can be mounted.
    pub fn with(name: &str, test: impl FnOnce(&Self)) {
        if let Some(folder) = std::env::var_os(FOLDER) {
            std::thread::spawn(end_with_parent);
            return test(&Self::new(Path::new(&folder)));
        }
        sweep();
        let folder = Folder::new();
        let output = run_held(&mut inside(folder.path(), name));
        let text = String::from_utf8_lossy(&output.stdout);
        let mut out = std::io::stdout();
        let shown = |line| {
            [SHOWN, FIGURE].iter().find_map(|mark| str::find(line, mark)).map(|at| &line[at..])
        };
        for line in text.lines().filter_map(shown) {
            // Not `println`, which a passing test keeps for itself.
            writeln!(out, "{line}").ok();
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        // A test of another name is none, and none succeeds too.
        let is_passed = output.status.success() && text.contains("1 passed");
        assert!(is_passed, "{name} failed with mounts of its own:\n{text}\n{errors}");
    }

    fn new(folder: &Path) -> Self {
        let mut mount = Command::new("mount");
        run(mount.args(["-t", "tmpfs", "-o", MEMORY, "tmpfs"]).arg(folder));
        let memory = Mounted(folder.to_owned());
        let (image, pool) = (folder.join("pool.image"), folder.join("pool"));
        make(FileSystem::Xfs, &image, POOL_BYTES);
        let pool = mount_image(FileSystem::Xfs, &image, pool);
        Self { folder: pool.path().to_owned(), _pool: pool, _memory: memory }
    }

    /// A new image, empty.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    #[must_use]
    pub fn image(&self, system: FileSystem) -> Image {
        let path = self.folder.join("image");
        make(system, &path, IMAGE_BYTES);
        Image { system, path }
    }

    /// A new file system in memory that has room for so many bytes.
    ///
    /// # Panics
    ///
    /// Where it cannot be mounted.
    #[must_use]
    pub fn memory(&self, bytes: u64) -> Mounted {
        let folder = self.folder.join("memory");
        fs::create_dir_all(&folder).expect("a folder to mount on");
        let mut mount = Command::new("mount");
        let size = format!("size={bytes}");
        run(mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder));
        Mounted(folder)
    }

    /// A new file beside the images, as long as that and empty.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    #[must_use]
    pub fn file(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.folder.join(name);
        let file = File::create_new(&path).expect("a file");
        file.set_len(bytes).expect("a file without blocks");
        path
    }
}

/// The same test again, as root, in a process that sees only its own mounts and processes.
fn inside(folder: &Path, name: &str) -> Command {
    let this = std::env::current_exe().expect("this test");
    let mut words = vec!["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    if !rustix::process::geteuid().is_root() {
        words.splice(..0, ["sudo", "-n"]);
    }
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg("env").arg(format!("{FOLDER}={}", folder.display()));
    for (key, value) in std::env::vars().filter(|(key, _)| key.starts_with("TURNKEEP_")) {
        command.arg(format!("{key}={value}"));
    }
    // The tools lie where only root looks.
    let path = std::env::var("PATH").unwrap_or_default();
    command.arg(format!("PATH={path}:/usr/local/sbin:/usr/sbin:/sbin"));
    command.arg(this).args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command
}

/// A file system in a file, removed when dropped.
#[derive(Debug)]
pub struct Image {
    system: FileSystem,
    path: PathBuf,
}

impl Image {
    /// Mounts it beside itself. Of an image and its copies, one at a time: they are one file system
    /// by their marks.
    ///
    /// # Panics
    ///
    /// Where it cannot be mounted.
    #[must_use]
    pub fn mount(&self) -> Mounted {
        mount_image(self.system, &self.path, self.path.with_extension("mounted"))
    }

    /// The file that it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What would be there after a power cut now, which keeps all that was written before.
    ///
    /// # Panics
    ///
    /// Where it cannot be copied.
    #[must_use]
    pub fn cut(&self, name: &str) -> Self {
        let path = self.path.with_file_name(name);
        let image = File::open(&self.path).expect("the image");
        let copy = File::create_new(&path).expect("a file for the copy");
        rustix::fs::ioctl_ficlone(&copy, &image).expect("a copy that shares blocks");
        Self { system: self.system, path }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// What is mounted in a folder, until dropped.
#[derive(Debug)]
pub struct Mounted(PathBuf);

impl Mounted {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Gives one in memory room for so many bytes.
    ///
    /// # Panics
    ///
    /// Where that cannot be.
    pub fn resize(&self, bytes: u64) {
        let options = format!("remount,size={bytes}");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&self.0));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let umount = |options: &[&str]| {
            let output = Command::new("umount").args(options).arg(&self.0).output();
            output.is_ok_and(|output| output.status.success())
        };
        // Someone may still look at it for a moment.
        let is_done = (0..20).any(|again| {
            std::thread::sleep(Duration::from_millis(if again == 0 { 0 } else { 50 }));
            umount(&[])
        });
        if !is_done {
            umount(&["--lazy"]);
        }
    }
}

fn make(system: FileSystem, path: &Path, bytes: u64) {
    let file = File::create_new(path).expect("a file for an image");
    file.set_len(bytes).expect("an image without blocks");
    run(system.make().arg(path));
}

fn mount_image(system: FileSystem, image: &Path, folder: PathBuf) -> Mounted {
    fs::create_dir_all(&folder).expect("a folder to mount on");
    let mut mount = Command::new("mount");
    let options = system.mount_options();
    run(mount.args(["-t", system.name(), "-o", options]).arg(image).arg(&folder));
    Mounted(folder)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| missing(command, &error));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
}

/// Runs a process that ends when this one does, by [`end_with_parent`].
fn run_held(command: &mut Command) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| missing(command, &error));
    let _held = child.stdin.take();
    child.wait_with_output().expect("its output")
}

fn end_with_parent() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
    std::process::exit(1);
}

fn missing<T>(command: &Command, error: &std::io::Error) -> T {
    let needs = "it needs root or sudo, and what `cargo xtask setup` installs";
    panic!("{command:?} cannot be started ({needs}): {error}")
}

/// Removes the empty folders of tests that were killed an hour ago or earlier.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with("turnkeep-tests-");
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok()).unwrap_or_default();
        if is_ours && age > Duration::from_secs(3600) {
            fs::remove_dir(entry.path()).ok();
        }
    }
}
