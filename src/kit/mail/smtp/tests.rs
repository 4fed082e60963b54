use super::*;

#[test]
fn the_helo_name_is_a_host_or_a_literal() {
    let cases = [
        ("portal.example.com", "portal.example.com"),
        ("192.0.2.7", "[192.0.2.7]"),
        ("::1", "[IPv6:::1]"),
        ("[::1]", "[IPv6:::1]"),
        ("", "[127.0.0.1]"),
        ("portal.example.com\r\nQUIT", "[127.0.0.1]"),
        ("my portal", "[127.0.0.1]"),
    ];
    for (host, name) in cases {
        assert_eq!(helo_name(host), name, "{host:?}");
    }
}

#[test]
fn a_relay_that_repeats_the_password_is_not_repeated() {
    let relay = Relay::parse("smtps://ann:hunter2@mail.example.com").unwrap();
    let smtp = Smtp::new(relay, "portal.example.com").unwrap();
    let heard = format!(
        "535 bad login hunter2\r\n{} {}",
        BASE64.encode(b"\0ann\0hunter2"),
        BASE64.encode(b"hunter2")
    );
    assert_eq!(smtp.fit(&heard), "535 bad login *** *** ***");
    assert!(!format!("{smtp:?}").contains("hunter2"));
}

#[test]
fn a_sender_that_is_no_address_is_the_settings_fault_and_not_the_messages() {
    let smtp = Smtp::new(Relay::parse("smtp://localhost:9").unwrap(), "localhost").unwrap();
    let message = Message {
        id: "1@example.com".to_owned(),
        date: crate::kit::time::Timestamp(0),
        from: "Portal".to_owned(),
        to: "ann@example.com".to_owned(),
        subject: "Hello".to_owned(),
        text: String::new(),
        html: String::new(),
    };
    assert!(matches!(
        smtp.send(&message),
        Err(Failure::Relay(Cause::Sender, _))
    ));
}
