//! A target that must fail: whoever runs targets shows with it that failures are seen.

/// Panics where the bytes are no canary's: they hold `!` after `canary`.
///
/// # Panics
///
/// As it should.
pub fn canary(data: &[u8]) {
    let is_dead = data.starts_with(b"canary") && data.get(6) == Some(&b'!');
    assert!(!is_dead, "the canary was found, as it should be");
}
