//! Whatever is typed into the field of a code: it never panics, and what is taken is one of the two kinds.
#![no_main]

use doorward::domain::code::Code;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Code::typed(text) {
        Ok(Code::App(digits)) => {
            let digits = digits.reveal();
            assert!(digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()));
        }
        Ok(Code::Recovery(code)) => {
            // As it is shown it is typed again, and is the same.
            let shown = code.shown();
            assert_eq!(shown.len(), 9);
            let again = Code::typed(&shown);
            assert!(matches!(again, Ok(Code::Recovery(again)) if again.shown() == shown));
        }
        Err(sentence) => assert!(!sentence.is_empty()),
    }
});
