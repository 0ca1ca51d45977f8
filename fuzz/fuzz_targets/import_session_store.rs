#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| turnkeep_fuzz_targets::import_session_store(data));
