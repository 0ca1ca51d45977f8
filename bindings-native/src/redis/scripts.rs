//! The scripts, and what they answer (`scripts/README.md`).

use std::sync::LazyLock;

use redis::{Cmd, Script, Value, cmd};

use super::failure::Failure;

/// A script: each verb is one, so nothing comes between its parts.
pub(super) struct Verb {
    text: String,
    hash: String,
}

macro_rules! verbs {
    ($($name:ident $file:literal,)*) => {
        $(pub(super) static $name: LazyLock<Verb> = LazyLock::new(|| {
            Verb::new(include_str!(concat!("scripts/", $file)))
        });)*
    };
}

verbs! {
    GET "get.lua",
    INFO "info.lua",
    PUT "put.lua",
    APPEND "append.lua",
    DELETE "delete.lua",
    STAGE "stage.lua",
    PART "part.lua",
    STAGED "staged.lua",
    COMMIT "commit.lua",
    ABORT "abort.lua",
    NOTE "note.lua",
    PRUNE "prune.lua",
}

impl Verb {
    fn new(own: &str) -> Self {
        let text = format!("{}{own}", include_str!("scripts/common.lua"));
        let hash = Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// The command that runs it by its hash, for a server that has it.
    pub(super) fn by_hash(&self, keys: &[String], args: &[&[u8]]) -> Cmd {
        command("EVALSHA", &self.hash, keys, args)
    }

    /// The command that runs it by its text, after which the server has it.
    pub(super) fn by_text(&self, keys: &[String], args: &[&[u8]]) -> Cmd {
        command("EVAL", &self.text, keys, args)
    }

    /// The command that only gives it to the server.
    pub(super) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(&self.text);
        load
    }
}

fn command(name: &str, script: &str, keys: &[String], args: &[&[u8]]) -> Cmd {
    let mut command = cmd(name);
    command.arg(script).arg(keys.len()).arg(keys);
    for arg in args {
        command.arg(*arg);
    }
    command
}

/// What a script answers.
#[derive(Debug)]
pub(super) enum Answer {
    Ok(Done),
    NotFound,
    AlreadyExists,
    /// The object's length where that is what does not fit; negative: its start.
    Conflict(Option<i64>),
}

/// What is known after something was done, as far as the verb tells it.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) length: u64,
    pub(super) version: String,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn of(value: Value) -> Result<Self, Failure> {
        let strange = || Failure::strange("a script's answer is not one");
        let Value::Array(members) = value else { return Err(strange()) };
        let mut members = members.into_iter();
        let word = members.next().and_then(text).ok_or_else(strange)?;
        let number = match members.next() {
            None => None,
            Some(Value::Int(number)) => Some(number),
            Some(_) => return Err(strange()),
        };
        match word.as_str() {
            "ok" => Ok(Self::Ok(Done {
                length: u64::try_from(number.unwrap_or_default()).map_err(|_| strange())?,
                version: members.next().and_then(text).unwrap_or_default(),
                bytes: members.next().and_then(bytes).unwrap_or_default(),
            })),
            "not_found" => Ok(Self::NotFound),
            "already_exists" => Ok(Self::AlreadyExists),
            "conflict" => Ok(Self::Conflict(number)),
            _ => Err(strange()),
        }
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    String::from_utf8(bytes(value)?).ok()
}
