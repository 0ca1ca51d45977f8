//! Trying a store out: servers take conditions and ignore them, or look and then write.

use alloc::format;
use alloc::vec::Vec;

use super::Task;
use super::claim::nonce;
use crate::store::{Condition, Key, Reply, Request};
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// So many writers race for an object …
const WRITERS: usize = 8;
/// … so many times. A store that looks and then writes was seen to let several win in two rounds of
/// three and more.
const ROUNDS: u32 = 6;

/// Tries out whether the cold store lets exactly one writer create an object: some race for a few
/// objects, which are removed again. The requests of a round must be carried out at the same time.
/// `not_supported` where more than one wins: two writers could then overwrite each other unknowingly.
#[must_use]
pub fn probe() -> Task<()> {
    Task::new(async move |io| {
        let cold = io.cold_store()?;
        let nonce = nonce(&io.stamp(8).await?);
        for number in 0..ROUNDS {
            let key = Key::probe(nonce, number);
            let raced = round(&cold, &key).await;
            cold.delete(&key, Condition::Any).await.ok();
            raced.map_err(|error| error.at_key(&key))?;
        }
        Ok(())
    })
}

async fn round(cold: &Io, key: &Key) -> Result<()> {
    let texts: Vec<_> = (0..WRITERS).map(|writer| format!("writer {writer}\n")).collect();
    let put = |text: &alloc::string::String| Request::Put {
        key: key.clone(),
        bytes: text.clone().into_bytes(),
        condition: Condition::Absent,
    };
    let replies = cold.all(texts.iter().map(put).collect()).await;
    let (mut winners, mut unknown) = (Vec::new(), None);
    for (reply, text) in replies.into_iter().zip(&texts) {
        match reply {
            Reply::Info(_) => winners.push(text),
            Reply::Failed(error) => match error.kind() {
                ErrorKind::AlreadyExists => {}
                // It may have won.
                _ => _ = unknown.get_or_insert(error),
            },
            _ => return Err(Error::new(ErrorKind::StoreFailed, "another sort of answer")),
        }
    }
    if winners.len() > 1 {
        return Err(refused(&format!("{} of {WRITERS} writers created it", winners.len())));
    }
    if let Some(unknown) = unknown {
        return Err(unknown);
    }
    let there = cold.get(key, None).await?.bytes;
    match winners.first() {
        Some(winner) if winner.as_bytes() == there => Ok(()),
        Some(_) => Err(refused("another writer's bytes are there than the one's that created it")),
        None => Err(refused("no writer could create it")),
    }
}

fn refused(what: &str) -> Error {
    let message = format!(
        "the store does not create objects atomically, so sessions in it could be lost ({what}): \
         it cannot be written to as a cold store"
    );
    Error::new(ErrorKind::NotSupported, message)
}
