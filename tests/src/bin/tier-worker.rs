//! A worker on tiered sessions, for tests of several hosts: `tier-worker REDIS_URL S3_URL DO ID …`.
//!
//! | DO | does |
//! |---|---|
//! | `append ID TEXT` | hydrates, appends a user's input, prints the head's number |
//! | `flush ID` | flushes and clears, prints how many entries were new |
//! | `count ID` | prints how many items the history has, after verifying the session |

use std::sync::Arc;

use turnkeep::core::session::tier::Flush;
use turnkeep::{
    Draft, RedisOptions, RedisStore, Result, S3Options, S3Store, Session, SessionId, Tier,
};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [redis, s3, action, id, rest @ ..] = &args[..] else {
        panic!("tier-worker REDIS_URL S3_URL DO ID …");
    };
    let hot = Arc::new(RedisStore::open(redis, RedisOptions::default())?);
    let cold = Arc::new(S3Store::open(S3Options::from_url(s3)?)?);
    let tier = Tier::open(hot, cold)?;
    let id = SessionId::new(id)?;
    match action.as_str() {
        "append" => {
            let text = rest.first().map(String::as_str).unwrap_or_default();
            let item = serde_json::json!({ "role": "user", "content": text }).to_string();
            println!("{}", tier.hydrate(&id)?.append(&[Draft::user_input(&item)])?);
        }
        "flush" => println!("{}", tier.flush(&id, Flush::default())?.entries),
        "count" => {
            let session = Session::open(tier, &id)?;
            session.verify()?.sound()?;
            println!("{}", session.state()?.history.len());
        }
        other => panic!("tier-worker does not {other}"),
    }
    Ok(())
}
