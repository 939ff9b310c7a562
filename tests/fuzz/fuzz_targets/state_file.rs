//! `targets/state_file.rs` says what is promised.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::state_file::run(data));
