//! A message as RFC 5322 text: headers, a plain and an HTML part, nothing remote. Does not send, does not read a
//! clock, and draws no random numbers: the same message is the same bytes, so that a retry repeats it.

use data_encoding::{BASE64, HEXLOWER};
use mail_send::mail_builder::MessageBuilder;
use mail_send::mail_builder::headers::HeaderType;
use mail_send::mail_builder::headers::address::Address;
use mail_send::mail_builder::headers::content_type::ContentType;
use mail_send::mail_builder::headers::date::Date;
use mail_send::mail_builder::headers::message_id::MessageId;
use mail_send::mail_builder::headers::raw::Raw;
use mail_send::mail_builder::headers::text::Text;
use mail_send::mail_builder::mime::MimePart;
use sha2::{Digest, Sha256};

use crate::kit::mail::Message;
use crate::kit::mail::address::{self, Sender};

/// The message in the form that goes out after DATA, before dots are doubled; the error is a sentence. A control
/// character in any field that becomes a header is refused, in a text it is left out.
pub fn wire(message: &Message) -> Result<Vec<u8>, String> {
    let sender = Sender::parse(&message.from)?;
    address::check(&message.to)?;
    check_id(&message.id)?;
    if message.subject.chars().any(char::is_control) {
        return Err("The subject holds a control character.".to_owned());
    }
    let from: HeaderType<'_> = match sender.verbatim() {
        Some(text) => Raw::new(text).into(),
        None => Address::new_address(sender.name(), sender.address()).into(),
    };
    let alternatives =
        ContentType::new("multipart/alternative").attribute("boundary", boundary(message));
    let parts = vec![
        MimePart::new("text/plain", lines(&message.text)),
        MimePart::new("text/html", lines(&message.html)),
    ];
    MessageBuilder::new()
        .date(Date::new(message.date.0))
        .header("From", from)
        .to(message.to.as_str())
        .header("Subject", subject(&message.subject))
        .message_id(MessageId::new(message.id.as_str()))
        // RFC 3834, and its older cousin that Exchange understands: no absence notes in answer, please.
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .header("X-Auto-Response-Suppress", Raw::new("All"))
        .body(MimePart::new(alternatives, parts))
        .write_to_vec()
        .map_err(|error| format!("The message cannot be written: {error}."))
}

fn check_id(id: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_graphic() && !"<>()[]\"\\,;:".contains(c);
    let halves = id.split_once('@');
    if id.len() <= 250
        && id.chars().all(plain)
        && halves.is_some_and(|(left, right)| {
            !left.is_empty() && !right.is_empty() && !right.contains('@')
        })
    {
        Ok(())
    } else {
        Err("The Message-ID is not of the form left@right.".to_owned())
    }
}

/// Derived from the contents, so that neither part can contain it.
fn boundary(message: &Message) -> String {
    let mut hash = Sha256::new();
    for field in [&message.id, &message.text, &message.html] {
        hash.update(field.as_bytes());
        hash.update([0]);
    }
    let digest = HEXLOWER.encode(&hash.finalize());
    format!("=_{}", digest.chars().take(32).collect::<String>())
}

/// A name that people chose may be part of the subject. Were it to look like an encoded word, readers would decode
/// it and show what the rules for names had refused; so such a subject is encoded as a whole.
fn subject(text: &str) -> HeaderType<'_> {
    if text.contains("=?") {
        Raw::new(encoded_words(text)).into()
    } else {
        Text::new(text).into()
    }
}

/// The text as encoded words of RFC 2047, each of whole characters and at most 75 bytes long.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= 45 => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let encode = |word: &String| format!("=?utf-8?B?{}?=", BASE64.encode(word.as_bytes()));
    words.iter().map(encode).collect::<Vec<_>>().join(" ")
}

/// Text with the line ends that RFC 2046 asks for, whatever encoding it then gets, and no other control characters
/// than these and tabs.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut clean = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        match c {
            '\n' => clean.push_str("\r\n"),
            '\t' => clean.push(c),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests;
