//! Whatever lies in the file where a sealed secret should: it never panics, and nothing that was not sealed opens.
#![no_main]

use doorward::kit::keys::Keys;
use doorward::kit::seal::{self, OVERHEAD, Place};
use libfuzzer_sys::fuzz_target;

const PLACE: Place = Place {
    table: "factors",
    row: 7,
};

fuzz_target!(|input: (&[u8], [u8; 24], u8)| {
    let (bytes, nonce, place) = input;
    let keys = Keys::new([7; 32]);
    // 128 bits of a tag are not guessed.
    assert!(seal::open(&keys, PLACE, bytes).is_err());
    let Ok(mut sealed) = seal::seal(&keys, PLACE, nonce, bytes) else {
        panic!("it was not sealed");
    };
    assert_eq!(sealed.len(), bytes.len() + OVERHEAD);
    assert!(seal::open(&keys, PLACE, &sealed).is_ok_and(|opened| opened.as_slice() == bytes));
    let place = usize::from(place) % sealed.len();
    sealed[place] ^= 1;
    assert!(seal::open(&keys, PLACE, &sealed).is_err());
});
