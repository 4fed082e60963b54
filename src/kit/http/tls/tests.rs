use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// A folder with a certificate, its key, and another's key.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        folder.write("cert", &made.cert.pem());
        folder.write("key", &made.signing_key.serialize_pem());
        folder.write("other", &KeyPair::generate().unwrap().serialize_pem());
        folder
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn load(&self, cert: &str, key: &str) -> Result<Tls, String> {
        Tls::load(&self.path(cert), &self.path(key))
    }

    /// What is said of a pair that cannot be used, without the folder's name.
    fn sentence(&self, cert: &str, key: &str) -> String {
        let sentence = self.load(cert, key).unwrap_err();
        sentence.replace(&format!("{}/", self.0.path().display()), "")
    }
}

#[test]
fn a_pair_is_taken_with_its_chain_and_anything_written_around_it() {
    let folder = Folder::new();
    folder.load("cert", "key").unwrap();
    let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    folder.write("chain", &(folder.read("cert") + &other.cert.pem()));
    folder.write("both", &(folder.read("key") + &folder.read("chain")));
    folder.load("chain", "key").unwrap();
    folder.load("both", "both").unwrap();
}

#[test]
fn what_is_wrong_is_said_with_the_name_of_the_file() {
    let folder = Folder::new();
    folder.write("empty", "");
    folder.write("text", "no PEM at all");
    folder.write("open", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    folder.write(
        "letters",
        "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
    );
    folder.write(
        "garbage",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    folder.write(
        "locked",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    folder.write(
        "odd",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    folder.write("large", &"x".repeat(1024 * 1024 + 1));
    let not_pem = "is not PEM (text with -----BEGIN and -----END lines)";
    for (cert, key, sentence) in [
        ("gone", "key", "there is no certificate at gone"),
        ("cert", "gone", "there is no key at gone"),
        ("empty", "key", &format!("empty {not_pem}")),
        ("cert", "text", &format!("text {not_pem}")),
        (
            "open",
            "key",
            "open is broken PEM: a section has no -----END line",
        ),
        (
            "letters",
            "key",
            "letters is broken PEM: what stands between the lines is not base64",
        ),
        (
            "key",
            "cert",
            "key holds a key and no certificate; are tls_cert and tls_key exchanged?",
        ),
        ("cert", "cert", "there is no key in cert"),
        (
            "cert",
            "other",
            "the key in other does not belong to the first certificate in cert; the server's own certificate must \
             stand before those of its issuers",
        ),
        ("large", "key", "large is too large for a certificate"),
    ] {
        assert_eq!(folder.sentence(cert, key), sentence, "{cert} {key}");
    }
    for (cert, key, beginning) in [
        (
            "cert",
            "locked",
            "the key in locked is locked with a password",
        ),
        ("cert", "odd", "the key in odd cannot be used ("),
        (
            "garbage",
            "key",
            "the first certificate in garbage cannot be read (",
        ),
    ] {
        let sentence = folder.sentence(cert, key);
        assert!(sentence.starts_with(beginning), "{sentence}");
    }
    let sentence = folder.load("", "key").unwrap_err();
    assert!(sentence.contains(" cannot be read: "), "{sentence}");
}

#[test]
fn a_new_pair_is_taken_and_a_wrong_one_leaves_the_one_before() {
    let folder = Folder::new();
    let tls = folder.load("cert", "key").unwrap();
    let before = tls.pair().config;
    let wrong = tls.reload(&folder.path("cert"), &folder.path("other"));
    assert!(wrong.is_err());
    assert!(Arc::ptr_eq(&before, &tls.pair().config));
    tls.reload(&folder.path("cert"), &folder.path("key"))
        .unwrap();
    assert!(!Arc::ptr_eq(&before, &tls.pair().config));
}

#[test]
fn the_end_of_a_certificate_is_read_in_both_forms_of_dates() {
    let ends = |year: i32| {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 2, 3);
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        validity::end(cert.der())
    };
    // date --utc --date 2031-02-03 +%s
    assert_eq!(ends(2031), Some(Timestamp(1_927_843_200)));
    assert_eq!(ends(2049), Some(Timestamp(2_495_923_200)));
    assert_eq!(ends(2051), Some(Timestamp(2_558_995_200)));
    let tls = Folder::new();
    assert!(tls.load("cert", "key").unwrap().ends().is_some());
}

#[test]
fn what_is_no_certificate_has_no_end() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = made.cert.der();
    let end = validity::end(der);
    assert!(end.is_some());
    for length in 0..der.len() {
        // Cut off within the signed part there is none, and nothing panics.
        let cut = validity::end(&der[..length]);
        assert_eq!(cut, None, "{length}");
    }
    for at in 0..der.len().min(200) {
        let mut other = der.to_vec();
        other[at] = 0xff;
        // Whatever comes of it: all that is read lies within.
        std::hint::black_box(validity::end(&other));
    }
    assert_eq!(validity::end(b"\x30\x80"), None);
    assert_eq!(validity::end(b"\x30\x84\xff\xff\xff\xff"), None);
}
