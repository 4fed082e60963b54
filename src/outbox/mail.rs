//! The mail of the outbox itself: one that was sent to see whether mail arrives.

use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;

/// "Test mail from …", to whoever asked for it; none once the account may not be used, or has another address.
pub fn test(read: &Read<'_>, settings: &Settings, to: &Recipient) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?.filter(|account| {
        account.status == Status::Active && account.email.as_ref() == Some(&to.email)
    });
    if account.is_none() {
        return Ok(None);
    }
    let organisation = organisations::get(read, to.organisation)?;
    let at = long_moment(read.now(), &organisation.zone());
    let letter = letter(settings, organisation.name.as_str(), to.email.as_str(), &at);
    Ok(Some(Letter {
        doubt: format!(
            "You get this because you chose Send test mail on the Mail page of {}.",
            organisation.name
        ),
        ..letter
    }))
}

/// The same from the command line, where nobody needs an account.
#[must_use]
pub fn from_operator(settings: &Settings, to: &str, at: &str) -> Letter {
    letter(settings, &settings.brand, to, at)
}

fn letter(settings: &Settings, brand: &str, to: &str, at: &str) -> Letter {
    let host = settings.host();
    Letter {
        subject: format!("Test mail from {}", settings.brand),
        brand: brand.to_owned(),
        heading: "Mail arrives".to_owned(),
        paragraphs: vec![
            Paragraph::new("This mail was sent from ")
                .strong(host)
                .then(format!(
                    " on {at}, by the same way as invitations, reset links and notices. If you read it, they arrive as \
                     well."
                )),
            Paragraph::new(
                "Did it land among junk? Then whoever runs the Portal looks at SPF, DKIM and DMARC of the sender's \
                 domain: doorward doctor says what is missing.",
            ),
        ],
        button: None,
        closing: Vec::new(),
        doubt: format!("You get this because the operator of {host} sent it to this address as a test."),
        way_out: None,
        recipient: to.to_owned(),
        host: host.to_owned(),
    }
}
