//! `targets/client_keys.rs` says what is promised.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::client_keys::run(data));
