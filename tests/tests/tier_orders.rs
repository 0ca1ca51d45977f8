//! Operations on a session in two stores, in every order in which their requests may come: what was
//! acknowledged is there once, in one chain, what is deleted stays deleted, and the session goes on.
//!
//! What takes minutes is for the long run: `cargo test --test tier_orders -- --ignored`.

use turnkeep_tests::tiers::Does::{
    self, Append, Clear, Collect, Create, CreateB, Delete, Fork, ForkBack, ForkTo, Hydrate, Keep,
    Leave, Once, Pull, Read, ReadBack, Stale, Verify, Wake,
};
use turnkeep_tests::tiers::{pairs, race};

const FLUSHES: [Does; 3] = [Clear, Keep, Leave];
const PASTS: [&str; 6] = ["hot", "hydrated", "tail", "cold", "archived", "archived and more"];
/// A session in the hot store, one in both, one in the cold store.
const SMALL: [&str; 3] = ["short", "tail", "cold"];

#[test]
fn two_flushes_write_everything_once() {
    pairs(&["short", "tail", "archived"], &FLUSHES, &FLUSHES, 8000);
}

#[test]
#[ignore = "long"]
fn two_flushes_write_everything_once_at_length() {
    pairs(&PASTS, &FLUSHES, &FLUSHES, 8000);
}

#[test]
fn an_append_and_a_flush_lose_nothing() {
    pairs(&["short", "tail"], &[Stale, Append, Wake], &FLUSHES, 1000);
    pairs(&["archived and more"], &[Stale], &FLUSHES, 150);
}

#[test]
#[ignore = "long"]
fn an_append_and_a_flush_lose_nothing_at_length() {
    pairs(&PASTS, &[Stale, Append, Once, Wake], &FLUSHES, 2000);
    pairs(&["kept", "left", "archived beside", "long tail"], &[Stale, Wake], &FLUSHES, 400);
}

#[test]
fn two_appends_and_hydrations_follow_each_other() {
    pairs(&["tail", "cold"], &[Stale, Wake, Hydrate], &[Wake, Hydrate], 1500);
}

#[test]
#[ignore = "long"]
fn two_appends_and_hydrations_follow_each_other_at_length() {
    let appends = [Stale, Once, Wake, Hydrate];
    pairs(&["hydrated", "tail", "cold", "archived"], &appends, &appends, 2000);
}

#[test]
fn a_hydration_and_a_flush_leave_the_session_whole() {
    pairs(&PASTS, &[Hydrate], &FLUSHES, 1200);
}

#[test]
fn what_is_deleted_stays_deleted_whoever_goes_on() {
    pairs(&SMALL, &[Delete], &[Clear, Keep, Hydrate, Delete, ForkTo], 6000);
    pairs(&["tail", "cold"], &[Delete], &[Stale], 600);
}

#[test]
#[ignore = "long"]
fn what_is_deleted_stays_deleted_whoever_goes_on_at_length() {
    let others = [Clear, Keep, Leave, Hydrate, Delete, Fork, ForkTo, Pull];
    pairs(&PASTS, &[Delete], &others, 3000);
    pairs(&PASTS[..4], &[Delete], &[Stale, Wake], 300);
}

#[test]
fn an_id_is_given_once() {
    pairs(&["none", "deleted"], &[Create], &[Create, Clear, Hydrate, Delete], 1900);
    pairs(&["cold"], &[Create], &[Clear, Hydrate], 240);
    pairs(&SMALL, &[CreateB], &[ForkTo], 550);
}

#[test]
#[ignore = "long"]
fn an_id_is_given_once_at_length() {
    pairs(&PASTS, &[Create], &[Clear, Keep, Hydrate, Delete, Wake], 1000);
    let others = [Create, Clear, Hydrate, Delete, Pull];
    pairs(&["none", "deleted", "deleted hot"], &[Create], &others, 2000);
    pairs(&["created anew"], &[Delete, Stale], &[Clear, Keep, Hydrate, Create], 300);
    pairs(&PASTS, &[CreateB], &[ForkTo, ForkBack], 1200);
}

#[test]
fn forks_are_whole_and_made_once() {
    pairs(&["short", "tail"], &[ForkTo], &[Clear, Keep, Stale, ForkTo], 1000);
    pairs(&["tail"], &[Fork, ForkBack], &[Clear], 200);
}

#[test]
#[ignore = "long"]
fn forks_are_whole_and_made_once_at_length() {
    let others = [Clear, Keep, Stale, Hydrate, ForkTo];
    pairs(&PASTS, &[Fork, ForkTo, ForkBack], &others, 3000);
}

#[test]
fn a_pull_leaves_the_session_whole() {
    pairs(&["tail", "cold"], &[Pull], &[Stale, Wake], 2000);
}

#[test]
#[ignore = "long"]
fn a_pull_leaves_the_session_whole_at_length() {
    pairs(&PASTS[..4], &[Pull], &[Clear, Keep, Leave, Stale, Wake, Hydrate, Pull], 3000);
}

#[test]
#[ignore = "long"]
fn a_flush_that_joins_segments_leaves_them_whole() {
    pairs(&["seven"], &FLUSHES, &[Clear, Keep, Stale, Wake, Hydrate, ForkTo, Delete], 1000);
}

#[test]
fn readers_see_the_session_wherever_it_lies() {
    pairs(&["tail", "archived"], &[Read], &[Clear, Keep], 400);
}

#[test]
#[ignore = "long"]
fn readers_see_the_session_wherever_it_lies_at_length() {
    let others = [Clear, Keep, Stale, Wake, Hydrate, Pull];
    pairs(&PASTS, &[Read, ReadBack, Verify], &others, 2000);
}

#[test]
fn a_collection_takes_nothing_that_is_used() {
    pairs(&["tail", "created anew"], &[Collect], &[Clear, Keep, ForkTo], 350);
}

#[test]
#[ignore = "long"]
fn a_collection_takes_nothing_that_is_used_at_length() {
    let others = [Clear, Keep, Wake, ForkTo, Delete, Pull, Read, Collect];
    pairs(&["tail", "created anew", "seven"], &[Collect], &others, 1000);
}

/// Three operations, as far as so many points of each.
fn threes(most: usize) {
    for name in ["short", "tail"] {
        for does in [[Clear, Clear, Stale], [Clear, Stale, Hydrate], [Clear, Delete, Hydrate]] {
            let explored = race(name, &does, most);
            assert!(explored.is_complete || explored.points >= most, "{explored:?}");
        }
    }
}

#[test]
fn three_at_once_lose_nothing() {
    threes(300);
}

#[test]
#[ignore = "long"]
fn three_at_once_lose_nothing_at_length() {
    threes(100_000);
}
