//! Sessions that can be written anew with a change in them, every hash computed again: what somebody can
//! do who may write the file.

use turnkeep_tests::build::{Log, Random, after_fork, envelope, point, start_of};

/// An entry without its place: what it is, its fields, and whether its batch goes on after it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) sort: Sort,
    pub(crate) fields: String,
    pub(crate) is_joined: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sort {
    /// Opens a session.
    Start(&'static str),
    /// Starts another one.
    Fork(&'static str),
    /// Any other kind.
    Other(&'static str),
}

/// A session of a dozen entries, forked perhaps.
pub(crate) fn session(
    random: &mut Random,
    name: &'static str,
    fork: Option<&'static str>,
) -> Vec<Part> {
    let text = random.text(20);
    let fields = format!(r#","system_prompt":"{text}""#);
    let mut parts = vec![Part { sort: Sort::Start(name), fields, is_joined: false }];
    let count = 7 + random.below(6);
    let forks_at = 2 + random.below(count - 3);
    for number in 1..count {
        match fork.filter(|_| number == forks_at) {
            Some(fork) => parts.push(forks(fork)),
            None => parts.push(message(random)),
        }
    }
    parts
}

pub(crate) fn message(random: &mut Random) -> Part {
    let kind = ["user_input", "assistant_item", "tool_result"][random.below(3)];
    let (number, text) = (random.number(), random.text(30));
    let fields = format!(r#","item":{{"n":{number},"text":"{text}"}}"#);
    Part { sort: Sort::Other(kind), fields, is_joined: random.below(3) == 0 }
}

fn forks(to: &'static str) -> Part {
    Part { sort: Sort::Fork(to), fields: String::new(), is_joined: false }
}

/// Whose session it is.
pub(crate) fn name(parts: &[Part]) -> &'static str {
    let mut names = parts.iter().filter_map(|part| match part.sort {
        Sort::Start(name) | Sort::Fork(name) => Some(name),
        Sort::Other(_) => None,
    });
    names.next_back().expect("a start")
}

/// Where a session was forked.
pub(crate) fn fork_of(parts: &[Part]) -> Option<usize> {
    parts.iter().position(|part| matches!(part.sort, Sort::Fork(_)))
}

/// The RESTs of these entries: numbered, in batches that count down, forks with the point they follow.
pub(crate) fn rests(parts: &[Part]) -> Vec<String> {
    let mut rests: Vec<String> = Vec::new();
    let (mut fork, mut owner) = (None, "");
    for (seq, part) in parts.iter().enumerate() {
        let (number, more) = (seq as u64, more(&parts[seq..]));
        let rest = match part.sort {
            Sort::Start(name) => {
                owner = name;
                start_of(&format!("\"{name}\""), &part.fields)
            }
            Sort::Other(kind) => envelope(number, kind, more) + &part.fields + "}",
            Sort::Fork(name) => {
                let parent = point(owner, number - 1, &Log::of(&rests).hash(number - 1));
                owner = name;
                let fields = format!(r#","session":"{name}","parent":{parent}}}"#);
                envelope(number, "fork", more) + &fields
            }
        };
        rests.push(fork.map_or(rest.clone(), |fork| after_fork(fork, &rest)));
        if let Sort::Fork(_) = part.sort {
            fork = Some(number);
        }
    }
    rests
}

/// How many entries of its batch follow the first of these.
fn more(parts: &[Part]) -> u64 {
    let joined = parts.iter().take_while(|part| part.is_joined).count();
    // A batch that would go on at the end ends there; a fork begins one of its own.
    let until_fork = parts.iter().skip(1).position(|part| matches!(part.sort, Sort::Fork(_)));
    joined.min(parts.len() - 1).min(until_fork.unwrap_or(joined)) as u64
}

pub(crate) fn log(parts: &[Part]) -> Log {
    Log::of(&rests(parts))
}
