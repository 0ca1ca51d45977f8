//! Listings: by the index, which may name what is not there any more.

use std::collections::HashMap;

use redis::{FromRedisValue, Value, cmd, pipe};
use turnkeep_core::Result;
use turnkeep_core::store::{Info, Key, Listing};

use super::failure::Failure;
use super::scripts::{self, Answer};
use super::{RedisStore, nonce};

/// Most names to look at in one go.
const PAGE_MAX: usize = 1000;

impl RedisStore {
    pub(super) fn list_by_index(
        &self,
        prefix: &str,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Listing> {
        let limit = limit as usize;
        let mut objects = Vec::new();
        let mut from = match after {
            Some(after) if after.as_str() >= prefix => format!("({after}"),
            _ if prefix.is_empty() => "-".to_owned(),
            _ => format!("[{prefix}"),
        };
        loop {
            // One more than is wanted tells whether more follow.
            let count = (limit + 1 - objects.len()).min(PAGE_MAX);
            let names = self.names_from(&from, prefix, count).map_err(Failure::into_error)?;
            let was_last = names.len() < count;
            if let Some(last) = names.last() {
                let next = format!("({last}");
                if next == from {
                    return Err(Failure::strange("a listing does not go on").into_error());
                }
                from = next;
            }
            objects.extend(self.those_there_are(names)?);
            if was_last || objects.len() > limit {
                let more = objects.len() > limit;
                objects.truncate(limit);
                return Ok(Listing { objects, more });
            }
        }
    }

    /// What the index names, from there on.
    fn names_from(&self, from: &str, prefix: &str, count: usize) -> Result<Vec<String>, Failure> {
        let [index, _] = self.names.index();
        let mut command = cmd("ZRANGEBYLEX");
        command.arg(&index).arg(from);
        if prefix.is_empty() {
            command.arg("+");
        } else {
            // No key has this byte, so what starts with the prefix comes before it.
            command.arg([b"(", prefix.as_bytes(), b"\xff"].concat());
        }
        command.arg("LIMIT").arg(0).arg(count);
        let names = self.nodes.send(&index, &command).map_err(|error| Failure::new(&error))?;
        Vec::from_redis_value(names).map_err(|_| Failure::strange("the index holds what is no key"))
    }

    fn those_there_are(&self, names: Vec<String>) -> Result<Vec<(Key, Info)>> {
        let keys: Vec<Key> = names.into_iter().filter_map(|name| Key::parse(name).ok()).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        let infos = self.infos(&keys)?;
        for (key, info) in keys.into_iter().zip(infos) {
            match info {
                Some(info) => found.push((key, info)),
                None => missing.push(key),
            }
        }
        if !missing.is_empty() {
            let names: Vec<&[u8]> = missing.iter().map(|key| key.as_str().as_bytes()).collect();
            // Tidying up: what was found is right without it.
            let _ = self.run(&scripts::PRUNE, &self.names.index(), &names);
        }
        Ok(found)
    }

    /// What is known of each; of those that lie on one server, in one go.
    fn infos(&self, keys: &[Key]) -> Result<Vec<Option<Info>>> {
        let mut by_place: HashMap<u16, Vec<usize>> = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            let place = self.nodes.place_of(&self.names.object(key));
            by_place.entry(place).or_default().push(index);
        }
        let mut infos = vec![None; keys.len()];
        for indices in by_place.into_values() {
            let some: Vec<&Key> = indices.iter().filter_map(|index| keys.get(*index)).collect();
            let found = self.infos_in_one_place(&some)?;
            for (index, info) in indices.into_iter().zip(found) {
                if let Some(slot) = infos.get_mut(index) {
                    *slot = info;
                }
            }
        }
        Ok(infos)
    }

    fn infos_in_one_place(&self, keys: &[&Key]) -> Result<Vec<Option<Info>>> {
        let nonce = nonce()?;
        let mut pipeline = pipe();
        pipeline.add_command(scripts::INFO.load()).ignore();
        for (number, key) in keys.iter().enumerate() {
            // Two objects may both lack their version.
            let nonce = format!("{nonce}{number}");
            let names = self.names.pair(key);
            pipeline.add_command(scripts::INFO.by_hash(&names, &[nonce.as_bytes()]));
        }
        let name = keys.first().map_or_else(String::new, |key| self.names.object(key));
        let failed = |failure: Failure| failure.into_error();
        let answers =
            self.nodes.send(&name, &pipeline).map_err(|error| failed(Failure::new(&error)))?;
        answers.into_iter().map(|answer| info_in(answer).map_err(failed)).collect()
    }
}

fn info_in(answer: Value) -> Result<Option<Info>, Failure> {
    match Answer::of(answer)? {
        Answer::Ok(done) => Ok(Some(done.info())),
        Answer::NotFound => Ok(None),
        _ => Err(Failure::strange("a script's answer is not one")),
    }
}
