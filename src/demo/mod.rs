//! `doorward demo`: a sample organisation in a folder that is thrown away, for this machine only.
//!
//! Mail stays in a mailbox in the process. Everything is made by the verbs that people use, at the instants at which
//! they would have used them, so that what the pages show is what they will show later.

mod people;
mod seed;
mod year;

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use data_encoding::HEXLOWER;

use crate::app::{App, Mode, Outside, Settings};
use crate::config::flags::Flags;
use crate::config::keys::Key;
use crate::config::sources::Surroundings;
use crate::config::{Config, LISTEN, PublicUrl};
use crate::error::{Error, Result};
use crate::kit::disk::NetworkFs;
use crate::kit::folder;
use crate::kit::hasher::{Cost, Hasher};
use crate::kit::http::headers::Scheme;
use crate::kit::mail::Mailbox;
use crate::kit::random::{self, OsRandom, Random, SeededRandom};
use crate::kit::time::{Clock, FixedClock, SystemClock};
use crate::migrations::{self, IfEmpty, Opened, Origin};
use crate::routes::Route;
use crate::serve::{self, Running, Stop};

/// Nobody waits for a demonstration to end.
const STOP_TIME: Duration = Duration::from_secs(2);
/// Under which sender its mails come.
const MAIL_FROM: &str = "Portal <portal@demo.example>";

/// How the demonstration is run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where to listen, on this machine only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = LISTEN)]
    pub listen: SocketAddr,
    /// The same ids and links each time, for repeatable screenshots
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Keep the data in this new folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

impl Options {
    /// Only this machine may see it: its passwords are printed.
    pub fn check(&self) -> std::result::Result<(), String> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(format!(
            "--listen {}: the demonstration listens on loopback only, since everybody knows its passwords; use an \
             address like {LISTEN}",
            self.listen
        ))
    }
}

/// Shows the sample organisation until a signal comes.
pub fn run(options: &Options) -> Result<()> {
    let stop = Stop::listen()?;
    let listener = serve::bind(options.listen)?;
    let address = listener.local_addr()?;
    let place = Place::new(options.keep.as_deref())?;
    let random: Arc<dyn Random> = match options.seed {
        Some(seed) => Arc::new(SeededRandom::new(seed)),
        None => Arc::new(OsRandom),
    };
    let clock = SystemClock::new();
    let origin = Origin {
        // It is thrown away, or was made to look at.
        network_fs: NetworkFs::Allowed,
        ..Origin::new(clock.now(), random.as_ref())
    };
    let (opened, _lock) = migrations::open_to_serve(place.path(), origin)?;
    let mailbox = Arc::new(Mailbox::default());
    let build = |opened: Opened, clock: Arc<dyn Clock>| {
        let outside = Outside {
            clock,
            random: Arc::clone(&random),
            mailer: Some(Arc::<Mailbox>::clone(&mailbox)),
            mailbox: Some(Arc::clone(&mailbox)),
        };
        let hasher = Hasher::new(Cost::PRODUCTION, serve::cores());
        let settings = settings(address, place.path())?;
        App::new(opened.db, opened.keys, outside, hasher, settings)
    };
    let past = Arc::new(FixedClock::new(year::beginning(origin.now)));
    let then = build(opened, Arc::<FixedClock>::clone(&past))?;
    seed::seed(&then, &past, origin.now)?;
    drop(then);

    let opened = migrations::open_beside(place.path(), IfEmpty::Refuse, origin)?;
    let app = Arc::new(build(opened, Arc::new(clock))?);
    let running = Running::start(
        &app,
        listener,
        serve::server_settings(place.path(), Scheme::Http),
    )?;
    say(&app, &place)?;
    stop.wait(|| {});
    running.stop(STOP_TIME);
    Ok(())
}

fn settings(address: SocketAddr, data: &Path) -> Result<Settings> {
    let flags = Flags::default()
        .with(Key::Data, data.display().to_string())
        .with(Key::MailFrom, MAIL_FROM)
        .with(Key::BackupTime, "off");
    // Nothing of what surrounds it: the demonstration is the same everywhere.
    let config = Config::read(&flags, &Surroundings::default())
        .map_err(|mistakes| Error::internal(format!("{mistakes:?}")))?;
    let public_url = PublicUrl::of(Scheme::Http, address);
    Ok(Settings {
        mode: Mode::Demo,
        relay: Some("a mailbox in this process; nothing is sent anywhere".to_owned()),
        billing: year::terms(),
        ..config.settings_beside(Some(public_url))
    })
}

fn say(app: &App, place: &Place) -> Result<()> {
    let mut text = match place {
        Place::Thrown(_) => {
            "  Demo data, deleted when you press Ctrl-C. Loopback only.\n".to_owned()
        }
        Place::Kept(folder) => format!(
            "  Demo data, kept in {folder}. Loopback only.\n  Later       doorward serve --data {folder}\n",
            folder = folder.display()
        ),
    };
    text += &format!("  Open        {}\n", app.settings.public_url);
    text += &format!(
        "  Mailbox     {}\n\n  Sign in as\n",
        app.settings.link(&Route::Mail)
    );
    for (role, email) in people::sign_ins() {
        text += &format!("    {:<10}{email:<23}{}\n", role.label(), people::PASSWORD);
    }
    let mut out = io::stdout();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Where the demonstration's data lies.
enum Place {
    /// In a folder that goes with this value, also when the process panics.
    Thrown(PathBuf),
    /// Where the operator wants to keep it.
    Kept(PathBuf),
}

impl Place {
    fn new(keep: Option<&Path>) -> Result<Self> {
        let Some(keep) = keep else {
            let name = HEXLOWER.encode(&random::bytes::<8>(&OsRandom)?);
            let path = std::env::temp_dir().join(format!("doorward-demo-{name}"));
            folder::prepare(&path).map_err(migrations::Error::from)?;
            return Ok(Self::Thrown(path));
        };
        folder::prepare(keep).map_err(migrations::Error::from)?;
        if !folder::is_empty(keep).map_err(migrations::Error::from)? {
            return Err(Error::internal(format!(
                "{} is not empty; name a new folder to keep the demonstration in",
                keep.display()
            )));
        }
        Ok(Self::Kept(keep.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Thrown(path) | Self::Kept(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Thrown(path) = self
            && let Err(error) = fs::remove_dir_all(&*path)
        {
            tracing::warn!(err = %error, folder = %path.display(), "the demonstration's folder remains");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts;
    use crate::audit;
    use crate::billing::{self, Standing};
    use crate::catalogue;
    use crate::domain::money::Money;
    use crate::domain::month::{Month, Span};
    use crate::domain::password::Password;
    use crate::domain::role::Role;
    use crate::kit::time::{DAY, HOUR, Timestamp};
    use crate::organisations;
    use crate::outbox;
    use crate::resources;
    use crate::two_factor;

    #[test]
    fn only_this_machine_sees_it() {
        for (listen, is_fine) in [
            ("127.0.0.1:8080", true),
            ("[::1]:0", true),
            ("0.0.0.0:8080", false),
            ("192.0.2.7:8080", false),
        ] {
            let options = Options {
                listen: listen.parse().unwrap(),
                seed: None,
                keep: None,
            };
            assert_eq!(options.check().is_ok(), is_fine, "{listen}");
        }
    }

    #[test]
    fn a_folder_that_is_not_kept_goes() {
        let place = Place::new(None).unwrap();
        let path = place.path().to_owned();
        fs::write(path.join("doorward.db"), "").unwrap();
        drop(place);
        assert!(!path.exists());
        let keep = tempfile::tempdir().unwrap();
        drop(Place::new(Some(keep.path())).unwrap());
        assert!(keep.path().exists());
        fs::write(keep.path().join("doorward.db"), "").unwrap();
        assert!(Place::new(Some(keep.path())).is_err());
    }

    #[test]
    fn the_password_passes_the_rule_for_everybody() {
        for person in people::ACTIVE {
            let local = person.email.split('@').next().unwrap();
            assert!(Password::chosen(people::PASSWORD, &[local, person.name]).is_ok());
        }
    }

    /// The sample as it is at this instant, in a folder that goes with the first of the two.
    fn sample(now: Timestamp) -> (Place, App) {
        let place = Place::new(None).unwrap();
        let random = SeededRandom::new(7);
        let origin = Origin::new(now, &random);
        let (opened, _lock) = migrations::open_to_serve(place.path(), origin).unwrap();
        let clock = Arc::new(FixedClock::new(year::beginning(now)));
        let mailbox = Arc::new(Mailbox::default());
        let outside = Outside {
            clock: Arc::<FixedClock>::clone(&clock),
            random: Arc::new(SeededRandom::new(7)),
            mailer: Some(Arc::<Mailbox>::clone(&mailbox)),
            mailbox: Some(mailbox),
        };
        let hasher = Hasher::new(Cost::CHEAP, 1);
        let settings = settings("127.0.0.1:1".parse().unwrap(), place.path()).unwrap();
        let app = App::new(opened.db, opened.keys, outside, hasher, settings).unwrap();
        seed::seed(&app, &clock, now).unwrap();
        assert_eq!(clock.now(), now);
        (place, app)
    }

    #[test]
    fn the_sample_holds_what_the_pages_show_and_an_unbroken_log() {
        let now = SystemClock::new().now();
        let (_place, app) = sample(now);
        app.read(now, |read| {
            let organisation = organisations::pick(read, None)?;
            let counts = accounts::counts(read, organisation.id)?;
            assert_eq!((counts.active, counts.pending, counts.disabled), (14, 2, 1));
            assert_eq!(counts.unprotected, 6);
            let all = accounts::matching(read, organisation.id, "", 100)?;
            for (_, email) in people::sign_ins() {
                let account = all
                    .iter()
                    .find(|account| account.address().unwrap().as_str() == email);
                assert!(
                    !account.unwrap().has_two_factor,
                    "{email} is asked for a code"
                );
            }
            let left: Vec<usize> = all
                .iter()
                .filter_map(|account| two_factor::state(read, account.id).unwrap())
                .map(|state| state.codes_left)
                .collect();
            assert_eq!(left.len(), 8);
            assert_eq!(left.iter().filter(|left| **left == 10).count(), 7);
            assert!(left.contains(&8), "one of them used two recovery codes");
            assert!(all.iter().all(|account| account.created_at <= now));
            let expiries: Vec<i64> = all
                .iter()
                .filter_map(|account| {
                    let line = accounts::line(read, organisation.id, account.id).unwrap()?;
                    line.link_expires_at.map(|at| at.since(now))
                })
                .collect();
            assert_eq!(expiries.len(), 2);
            assert!(expiries.contains(&(6 * 3_600 - 300)) && expiries.contains(&(-6 * 3_600)));
            let verdict = audit::verify(read, app.keys())?;
            assert_eq!(verdict.faults, []);
            assert!(verdict.rows > 60, "{verdict:?}");
            let asked = audit::latest(read, Some(organisation.id), 1_000)?;
            let with = |second: &str| {
                let second = format!("\"second\":\"{second}\"");
                let is_it = |entry: &&audit::Entry| entry.details.contains(&second);
                asked.iter().filter(is_it).count()
            };
            assert_eq!((with("code"), with("recovery")), (4, 2));
            let newest_first = audit::latest(read, Some(organisation.id), 1_000)?;
            assert!(newest_first.windows(2).all(|pair| pair[0].at >= pair[1].at));
            Ok(())
        })
        .unwrap();
        assert_eq!(app.db().complaints().unwrap(), Vec::<String>::new());
    }

    /// On the first second of a month and of a year, on the longest and the shortest last day, and in between.
    #[test]
    fn the_year_of_the_sample_reads_well_on_every_day() {
        let last_of_february = Month::of(Timestamp(1_835_000_000)).span().until.minus(1);
        let new_year = "2027-01".parse::<Month>().unwrap().start();
        let mid_november = Timestamp(1_795_526_400);
        let last_of_august = "2026-08"
            .parse::<Month>()
            .unwrap()
            .span()
            .until
            .minus(2 * HOUR);
        for now in [last_of_february, new_year, mid_november, last_of_august] {
            let (_place, app) = sample(now);
            reads_well(&app, now);
        }
    }

    fn reads_well(app: &App, now: Timestamp) {
        let month = Month::of(now);
        app.read(now, |read| {
            let organisation = organisations::pick(read, None)?.id;
            let running = resources::running(read, organisation)?;
            assert!((25..=40).contains(&running), "{running} run");
            let until = month.span().until;
            let charges = resources::month(read, organisation, month, until)?;
            let expected: Money = charges.iter().map(|charge| charge.amount).sum();
            assert!((140_000..=150_000).contains(&expected.0), "{expected:?}");
            let budget = billing::budget(read, organisation)?;
            assert_eq!(budget, Some(year::BUDGET));
            let two_days_before = resources::month(read, organisation, month, until.minus(DAY))?;
            let spent: Money = two_days_before.iter().map(|charge| charge.amount).sum();
            assert_eq!(billing::step(spent, year::BUDGET), 80, "{spent:?}");

            let invoices = billing::invoices(read, organisation)?;
            assert_eq!(invoices.len(), 13);
            let (newest, older) = invoices.split_first().unwrap();
            assert_eq!(newest.standing(now), Standing::Open);
            assert_eq!(newest.month, month.previous());
            let mut paid_late = 0;
            for (invoice, newer) in older.iter().zip(&invoices) {
                assert_eq!(invoice.month.next(), newer.month);
                assert_eq!(invoice.standing(now), Standing::Paid);
                assert!(invoice.issued_at.since(newer.month.start()) < DAY);
                assert!(
                    invoice.net < newer.net.plus(Money(25_000)),
                    "{}",
                    invoice.number
                );
                let paid = invoice.paid.clone().unwrap();
                assert!(paid.reference.starts_with("SEPA ") && paid.by.is_some());
                paid_late += i32::from(paid.at.since(invoice.due_at) >= DAY);
            }
            assert_eq!(paid_late, 1);

            let plans = catalogue::plans(read)?;
            assert_eq!(plans.len(), 12);
            let closed: Vec<_> = plans
                .iter()
                .filter(|plan| plan.closed_at.is_some())
                .collect();
            assert_eq!(closed.len(), 1);
            let prices = catalogue::prices(read)?;
            let all_year = Span {
                from: year::beginning(now),
                until: now,
            };
            let repriced = plans
                .iter()
                .filter(|plan| prices.within(plan.id, all_year).count() > 1);
            assert_eq!(repriced.count(), 1);

            let all = resources::all(read, organisation)?;
            assert!(all.iter().any(|one| one.ended_at.is_some()));
            assert!(
                all.iter()
                    .any(|one| one.ended_at.is_none() && one.plan == closed[0].id)
            );
            let of = |status: &str| {
                let holders = all.iter().filter(|one| one.ended_at.is_none());
                let holds = |one: &&resources::Resource| {
                    let holder = accounts::find(read, one.holder).unwrap().unwrap();
                    holder.status.slug() == status
                };
                holders.filter(holds).count()
            };
            assert_eq!(of("disabled"), 2);
            assert!(of("deleted") >= 3 && of("active") >= 25);
            for (role, email) in people::sign_ins() {
                let account = accounts::by_email(read, &email.parse().unwrap())?.unwrap();
                let holds = resources::held(read, organisation, account.id)?.len();
                assert_eq!(holds > 0, role != Role::Billing, "{email} holds {holds}");
            }
            let mails = outbox::counts(read, organisation)?;
            assert!(
                (20..=40).contains(&mails.sent) && mails.failed == 0,
                "{mails:?}"
            );
            Ok(())
        })
        .unwrap();
    }
}
