//! Carries out the script of `turnkeep_tests::crash` in the folder `FOLDER`, and says of each step
//! when it is acknowledged: `done NUMBER`. Where one fails it says `failed NUMBER CODE`, tries it once
//! more, says `again NUMBER CODE` (or `ok`), and ends. At the end it says `finished`.
//!
//! With `careless` nothing that is appended is synced. Whatever follows is a command that is told
//! each acknowledgement, as a last word, before the next step.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::Command;

use turnkeep::{Durability, ErrorKind};
use turnkeep_tests::crash::{Desk, SCRIPT};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, how, command @ ..] = &args[..] else {
        panic!("usage: script-writer FOLDER durable|careless [COMMAND…]")
    };
    let durability = if how == "careless" { Durability::Os } else { Durability::Disk };
    let mut desk = match Desk::open(Path::new(folder), durability) {
        Err(error) => return say(&format!("failed 0 {}", error.code())),
        Ok(desk) => desk,
    };
    for number in 0..SCRIPT.len() {
        if let Err(error) = desk.carry_out(number) {
            say(&format!("failed {number} {}", error.code()))?;
            // What was not synced is there all the same: here it is about what was open.
            let is_poisoned = error.kind() == ErrorKind::Poisoned;
            let again = match is_poisoned {
                true => desk.carry_out(number),
                false => desk.carry_out_again(number),
            };
            let code = again.as_ref().map_or_else(turnkeep::Error::code, |()| "ok");
            return say(&format!("again {number} {code}"));
        }
        tell(command, &format!("done-{number}"))?;
        say(&format!("done {number}"))?;
    }
    drop(desk);
    say("finished")
}

fn say(line: &str) -> Outcome {
    let mut out = stdout();
    // In one write: whoever reads gets whole lines.
    out.write_all(format!("{line}\n").as_bytes())?;
    Ok(out.flush()?)
}

fn tell(command: &[String], what: &str) -> Outcome {
    let Some((program, args)) = command.split_first() else { return Ok(()) };
    let status = Command::new(program).args(args).arg(what).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}
