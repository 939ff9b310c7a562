//! `targets/script.rs` says what is promised.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::script::run(data));
