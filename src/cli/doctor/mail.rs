//! Whether mail leaves, and whether those who get it will believe it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::cli::doctor::Ground;
use crate::cli::doctor::finding::Group;
use crate::config::keys::Key;
use crate::config::sources::Origin;
use crate::kit::dns::{Failure, Resolver};
use crate::kit::mail::address::Sender;
use crate::kit::mail::smtp::{Relay, Smtp};
use crate::kit::mail::{Cause, Failure as Failed};

/// Records that refer to others, one after another.
const REDIRECTS_MAX: usize = 5;

/// Looks at the relay, and at the domain of the sender.
pub(super) fn look(ground: &Ground) -> Group {
    let mut group = Group::new("Mail");
    let Some(relay) = &ground.config.values.relay else {
        group.warning(
            "relay",
            "Mail is off: invitations and resets wait, and their links have to be handed over by you.",
            "Set smtp_url, like smtp://user:password@mail.example.com:587.",
        );
        return group;
    };
    log_in(&mut group, ground, relay);
    let given = ground.config.found.get(&Key::SmtpUrl);
    if given.is_some_and(|given| given.origin == Origin::Flag) && relay.has_login() {
        group.warning(
            "smtp_url",
            "The password of the relay stands on the command line, where everybody on this machine can read it.",
            "Give it as DOORWARD_SMTP_URL_FILE, as a credential, or in a configuration file that only the server reads.",
        );
    }
    let sender = ground
        .config
        .settings_beside(Some(ground.public_url.clone()));
    let Ok(sender) = Sender::parse(&sender.mail_from) else {
        return group;
    };
    let Some((_, domain)) = sender.address().rsplit_once('@') else {
        return group;
    };
    match idna::domain_to_ascii(domain) {
        Ok(domain) if is_public(&domain) => {
            is_at_home(&mut group, ground, &domain);
            Domain {
                name: &domain,
                resolver: &ground.resolver,
            }
            .look(&mut group);
        }
        Ok(_) | Err(_) => group.warning(
            "mail_from",
            format!(
                "Mail comes from {}, which is nobody's domain: most will not take it.",
                sender.address()
            ),
            "Set mail_from to an address at a domain of yours.",
        ),
    }
    group
}

fn log_in(group: &mut Group, ground: &Ground, relay: &Relay) {
    let place = relay.summary();
    let tried = Smtp::new(relay.clone(), ground.public_url.host())
        .map_err(|error| Failed::Relay(Cause::Service, error.to_string()))
        .and_then(|smtp| smtp.try_login());
    match tried {
        Ok(()) if relay.has_login() => {
            group.ok("relay", format!("{place} takes the login."));
        }
        Ok(()) => group.ok("relay", format!("{place} answers, and asks for no login.")),
        Err(Failed::Relay(Cause::Login, words)) => group.wrong(
            "relay",
            format!("{place} refuses the login: {words}"),
            "Correct user and password in smtp_url, or ask whoever runs the relay; what is owed waits until then.",
        ),
        Err(Failed::Relay(_, words) | Failed::Later(words) | Failed::Never(words)) => group.wrong(
            "relay",
            format!("{place}: {words}"),
            "Correct smtp_url, or ask whoever runs the relay; what is owed waits until then.",
        ),
    }
    if let Some(warning) = relay.warning() {
        group.warning(
            "relay",
            warning,
            "Remove ?tls=none, if the relay can do STARTTLS.",
        );
    }
}

/// Whether anybody else can know this domain.
fn is_public(domain: &str) -> bool {
    const RESERVED: [&str; 6] = [
        "localhost",
        "local",
        "internal",
        "invalid",
        "lan",
        "localdomain",
    ];
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.parse::<IpAddr>().is_err() && !RESERVED.contains(&last)
}

/// Whether the sender belongs to the host people know.
fn is_at_home(group: &mut Group, ground: &Ground, domain: &str) {
    let host = ground.public_url.host();
    let is_within = |inner: &str, outer: &str| {
        inner == outer
            || inner
                .strip_suffix(outer)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    if ground.public_url.is_loopback() || is_within(host, domain) || is_within(domain, host) {
        return;
    }
    group.warning(
        "mail_from",
        format!("Mail comes from {domain}, and its links lead to {host}: that looks like a fraud."),
        "Set mail_from to an address at the domain people know.",
    );
}

/// The domain of the sender, as others see it.
struct Domain<'d> {
    name: &'d str,
    resolver: &'d Resolver,
}

impl Domain<'_> {
    fn look(&self, group: &mut Group) {
        if !self.exchanges(group) {
            return;
        }
        self.spf(group);
        self.dmarc(group);
    }

    /// Answers whether it is worth asking further.
    fn exchanges(&self, group: &mut Group) -> bool {
        let name = self.name;
        let advice =
            format!("Add an MX record to {name} that names the host which takes its mail.");
        match self.resolver.exchanges(name) {
            Ok(found) if found.is_empty() => group.warning(
                "mx",
                format!("{name} has no MX record: answers and reports of failure do not arrive, and some refuse such a sender."),
                advice,
            ),
            Ok(found) if found.iter().all(|one| one.host.trim_matches('.').is_empty()) => group.warning(
                "mx",
                format!("{name} says that it takes no mail (a null MX): some refuse such a sender."),
                advice,
            ),
            Ok(found) => {
                let hosts: Vec<&str> = found.iter().map(|one| one.host.as_str()).take(3).collect();
                group.ok("mx", format!("Mail for {name} is taken by {}.", hosts.join(", ")));
            }
            Err(Failure::NoName) => {
                group.wrong(
                    "mx",
                    format!("There is no domain {name}: mail from it is refused nearly everywhere."),
                    "Set mail_from to an address at a domain of yours.",
                );
                return false;
            }
            Err(failure) => {
                group.warning(
                    "mx",
                    format!("{name} could not be asked for: {failure}."),
                    "See to the name servers in /etc/resolv.conf, or name another with --name-server.",
                );
                return false;
            }
        }
        true
    }

    fn spf(&self, group: &mut Group) {
        let name = self.name;
        let found = match spf_records(self.resolver, name) {
            Ok(found) => found,
            Err(failure) => return self.unanswered(group, "spf", name, &failure),
        };
        let advice = format!(
            "Add a TXT record to {name}: \"v=spf1 mx -all\", with what the provider of your relay tells you (often \
             include:…) before -all."
        );
        match found.as_slice() {
            [] => group.warning(
                "spf",
                format!("{name} has no SPF record: nobody can tell your relay from a forger's."),
                advice,
            ),
            [one] => match Ending::of(self.resolver, one) {
                Ending::Refuses => group.ok("spf", format!("{name} says who may send for it: {one}")),
                Ending::Anybody => group.wrong(
                    "spf",
                    format!("The SPF record of {name} lets anybody send for it: {one}"),
                    "End it with -all or ~all.",
                ),
                Ending::Neutral => group.warning(
                    "spf",
                    format!("The SPF record of {name} does not end in -all or ~all, and so refuses nobody: {one}"),
                    "End it with -all, or with ~all while you try it out.",
                ),
                Ending::Unknown => group.warning(
                    "spf",
                    format!("The SPF record of {name} refers to one that cannot be found: {one}"),
                    "Correct what stands behind redirect=, or end the record with -all.",
                ),
            },
            several => group.wrong(
                "spf",
                format!("{name} has {} SPF records: with more than one, none counts.", several.len()),
                "Put them together into one TXT record that begins with v=spf1.",
            ),
        }
    }

    /// The policy of the domain, or of one above it.
    fn dmarc(&self, group: &mut Group) {
        let mut place = self.name;
        loop {
            match self.resolver.texts(&format!("_dmarc.{place}")) {
                Ok(texts) => {
                    let found: Vec<&String> = texts
                        .iter()
                        .filter(|text| text.starts_with("v=DMARC1"))
                        .collect();
                    match found.as_slice() {
                        [] => {}
                        [one] => {
                            group.ok("dmarc", format!("{place} has a DMARC policy: {one}"));
                            return;
                        }
                        several => {
                            group.warning(
                                "dmarc",
                                format!("{place} has {} DMARC records: with more than one, none counts.", several.len()),
                                format!("Leave one TXT record at _dmarc.{place}."),
                            );
                            return;
                        }
                    }
                }
                Err(Failure::NoName) => {}
                Err(failure) => return self.unanswered(group, "dmarc", place, &failure),
            }
            match place.split_once('.') {
                Some((_, above)) if above.contains('.') => place = above,
                _ => break,
            }
        }
        group.warning(
            "dmarc",
            format!("{} has no DMARC record; large providers ask for one.", self.name),
            format!(
                "Add a TXT record at _dmarc.{}: \"v=DMARC1; p=none\", and make it p=quarantine once all your mail passes.",
                self.name
            ),
        );
    }

    fn unanswered(&self, group: &mut Group, check: &'static str, name: &str, failure: &Failure) {
        group.warning(
            check,
            format!("The records of {name} could not be read: {failure}."),
            "Try again later, or name another name server with --name-server.",
        );
    }
}

fn spf_records(resolver: &Resolver, name: &str) -> Result<Vec<String>, Failure> {
    let is_spf = |text: &String| {
        let text = text.to_ascii_lowercase();
        text == "v=spf1" || text.starts_with("v=spf1 ")
    };
    Ok(resolver.texts(name)?.into_iter().filter(is_spf).collect())
}

/// What an SPF record says about everybody whom it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// They are refused, or at least suspected.
    Refuses,
    /// They may send.
    Anybody,
    /// Nothing.
    Neutral,
    /// It stands elsewhere, and is not there.
    Unknown,
}

impl Ending {
    fn of(resolver: &Resolver, record: &str) -> Self {
        let mut record = record.to_ascii_lowercase();
        let mut seen = BTreeSet::new();
        for _ in 0..=REDIRECTS_MAX {
            let mut redirect = None;
            for term in record.split_ascii_whitespace().skip(1) {
                match term {
                    "-all" | "~all" => return Self::Refuses,
                    "all" | "+all" => return Self::Anybody,
                    "?all" => return Self::Neutral,
                    _ => redirect = term.strip_prefix("redirect=").or(redirect),
                }
            }
            let Some(place) = redirect else {
                return Self::Neutral;
            };
            if !seen.insert(place.to_owned()) {
                return Self::Unknown;
            }
            match spf_records(resolver, place).as_deref() {
                Ok([one]) => record = one.to_ascii_lowercase(),
                Ok(_) | Err(_) => return Self::Unknown,
            }
        }
        Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_ends_in_decides() {
        let nobody = Resolver::new(Vec::new());
        for (record, ending) in [
            ("v=spf1 mx -all", Ending::Refuses),
            ("v=SPF1 mx ~ALL", Ending::Refuses),
            ("v=spf1 include:a.example ?all", Ending::Neutral),
            ("v=spf1 mx", Ending::Neutral),
            ("v=spf1", Ending::Neutral),
            ("v=spf1 +all", Ending::Anybody),
            ("v=spf1 all", Ending::Anybody),
            ("v=spf1 redirect=a.example", Ending::Unknown),
        ] {
            assert_eq!(Ending::of(&nobody, record), ending, "{record}");
        }
    }

    #[test]
    fn only_domains_that_others_know_are_asked_for() {
        assert!(is_public("portal.example.com"));
        for not in [
            "localhost",
            "portal.localhost",
            "192.0.2.7",
            "mail",
            "a.lan",
        ] {
            assert!(!is_public(not), "{not}");
        }
    }
}
