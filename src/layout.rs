//! The frame around every page: navigation by rights, and what was just done.

use maud::{Markup, html};

use crate::app::Mode;
use crate::domain::id::AccountId;
use crate::domain::policy::{Asked, Protection};
use crate::domain::role::Permission;
use crate::error::Result;
use crate::kit::dates;
use crate::kit::html::frame::{Focus, Head, Leave, Split, document, focus, split};
use crate::kit::html::icon::Icon;
use crate::kit::html::notice::{note, toast};
use crate::kit::html::shell::{Entry, Group, Keys, Shell, Who, shell};
use crate::kit::html::time::day;
use crate::kit::html::{Tone, Yes};
use crate::kit::http::response::Response;
use crate::kit::time::DAY;
use crate::outbox;
use crate::routes::{HelpTopic, Route};
use crate::scope::Scope;
use crate::visit::Visit;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    Dashboard,
    /// Accounts and roles.
    Iam,
    /// What the organisation has.
    Resources,
    /// What it pays for it.
    Billing,
    /// Who did what.
    Audit,
    /// The outbox.
    Mail,
    /// What the organisation decides for itself.
    Settings,
    /// None of them.
    Elsewhere,
}

/// What stands around a page of somebody who is signed in.
#[derive(Clone, Copy, Debug, Default)]
pub enum Around<'p> {
    /// The navigation.
    #[default]
    Navigation,
    /// Nothing, as around a course of steps; and the way out of it, if there is one.
    Nothing(Option<Exit<'p>>),
}

/// The way out of a course of steps.
#[derive(Clone, Copy, Debug)]
pub enum Exit<'p> {
    /// To another page, with the link's label.
    To(&'p str, &'p str),
    /// Signing out.
    SignOut,
}

/// What a page says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// "Accounts · IAM"; the organisation's or the Portal's name follows.
    pub title: &'p str,
    /// Where it belongs.
    pub place: Place,
    /// Whether a form on it was refused.
    pub has_errors: bool,
    /// What stands beside the doorway, where it is not the usual; only before sign-in.
    pub panel: Option<&'p Markup>,
    /// What stands around it once somebody is signed in.
    pub around: Around<'p>,
}

impl<'p> Page<'p> {
    /// A page without errors.
    #[must_use]
    pub const fn new(title: &'p str, place: Place) -> Self {
        Self {
            title,
            place,
            has_errors: false,
            panel: None,
            around: Around::Navigation,
        }
    }

    /// The same, as one of a course of steps, with nothing around it but this way out.
    #[must_use]
    pub const fn alone(self, way: Option<Exit<'p>>) -> Self {
        Self {
            around: Around::Nothing(way),
            ..self
        }
    }

    /// The same, with other words beside the doorway.
    #[must_use]
    pub const fn beside(self, panel: &'p Markup) -> Self {
        Self {
            panel: Some(panel),
            ..self
        }
    }

    /// The same, when the form on it was refused.
    #[must_use]
    pub fn with_errors(self, has_errors: impl Into<Yes>) -> Self {
        let has_errors = has_errors.into() == Yes::Yes;
        Self { has_errors, ..self }
    }
}

/// The hue of an account's avatar: one of six, always the same.
#[must_use]
pub fn hue(id: AccountId) -> u8 {
    u8::try_from(id.number().rem_euclid(6)).unwrap_or_default()
}

/// A page for whoever asks, as the answer to their request.
pub fn page(visit: &Visit<'_>, status: u16, page: &Page<'_>, body: &Markup) -> Result<Response> {
    let flash = visit.flash();
    let markup = draw(visit, page, flash.as_deref(), body)?;
    let mut response = Response::html(status, markup.into_string());
    if flash.is_some() {
        response = response.with("Set-Cookie", &visit.app.settings.transport.clear("flash"));
    }
    Ok(visit.with_visitor(response))
}

/// Draws it: with the navigation when signed in, beside the doorway when not. Whoever must set up a second factor first
/// sees no navigation that would lead them nowhere.
fn draw(visit: &Visit<'_>, page: &Page<'_>, flash: Option<&str>, body: &Markup) -> Result<Markup> {
    if is_for_strangers(visit.route) {
        return Ok(stranger(visit, page, flash, body));
    }
    match (visit.scope(), visit.enroller(), page.around) {
        (Some(scope), _, Around::Navigation) => signed_in(visit, scope, page, flash, body),
        (_, Ok(_), _) => Ok(alone(visit, page, flash, body)),
        (_, Err(_), _) => Ok(stranger(visit, page, flash, body)),
    }
}

fn alone(visit: &Visit<'_>, page: &Page<'_>, flash: Option<&str>, body: &Markup) -> Markup {
    let brand = &visit.app.settings.brand;
    let title = format!("{} · {brand}", page.title);
    let home = if visit.must_enrol() {
        Route::TwoFactor
    } else {
        Route::Dashboard
    }
    .to_string();
    let way = match (page.around, visit.route) {
        (Around::Nothing(way), _) => way,
        (Around::Navigation, Route::Help(_)) => Some(Exit::To("Back to the set-up", &home)),
        (Around::Navigation, _) => Some(Exit::SignOut),
    };
    let (sign_out, csrf) = (Route::SignOut.to_string(), visit.csrf());
    let frame = Focus {
        brand,
        home: &home,
        leave: way.map(|way| match way {
            Exit::To(label, href) => Leave::To { label, href },
            Exit::SignOut => Leave::SignOut {
                action: &sign_out,
                csrf: &csrf,
            },
        }),
    };
    let head = Head {
        title: &title,
        theme: visit.theme(),
        has_errors: page.has_errors,
    };
    document(
        &head,
        &html! {
            (focus(&frame, &html! { (warning(visit)) (body) }))
            @if let Some(text) = flash { (toast(text)) }
        },
    )
}

/// What the operator has to say on every page.
fn warning(visit: &Visit<'_>) -> Markup {
    html! {
        @if let Some(warning) = visit.app.settings.warning { (note(Tone::Warn, &html! { p { (warning) } })) }
    }
}

/// Pages that show nothing of an organisation, whoever looks at them.
const fn is_for_strangers(route: &Route) -> bool {
    matches!(
        route,
        Route::SignIn
            | Route::SetUpHelp
            | Route::SetUp(_)
            | Route::Activate(_)
            | Route::AskForLink(_)
            | Route::ForgotPassword
            | Route::ResetPassword(_)
            | Route::SignInCode
            | Route::SignInLink(_)
    )
}

fn signed_in(
    visit: &Visit<'_>,
    scope: &Scope,
    page: &Page<'_>,
    flash: Option<&str>,
    body: &Markup,
) -> Result<Markup> {
    let csrf = visit.csrf();
    let title = format!("{} · {}", page.title, scope.organisation_name);
    let unsent = if scope.permissions.has(Permission::UsersManage) {
        visit.read(|read| Ok(outbox::unsent(read, scope.organisation)?))?
    } else {
        0
    };
    let [
        dashboard,
        accounts,
        resources,
        billing,
        audit,
        mail,
        settings,
        profile,
    ] = [
        Route::Dashboard,
        Route::Accounts,
        Route::Resources,
        Route::Billing,
        Route::Audit,
        Route::Mail,
        Route::Settings,
        Route::Profile,
    ]
    .map(|route| route.to_string());
    let help = Route::Help(HelpTopic::AddASubAccount).to_string();
    let entry = |label, href, icon, place, key| Entry {
        label,
        href,
        icon,
        current: page.place == place,
        waiting: None,
        key: Some(key),
    };
    let mut main = vec![entry(
        "Dashboard",
        dashboard.as_str(),
        Icon::LayoutDashboard,
        Place::Dashboard,
        'd',
    )];
    if scope.permissions.has(Permission::UsersList) {
        main.push(entry(
            "IAM",
            accounts.as_str(),
            Icon::Users,
            Place::Iam,
            'a',
        ));
    }
    if scope.permissions.has(Permission::ResourcesRead) {
        main.push(entry(
            "Resources",
            resources.as_str(),
            Icon::Server,
            Place::Resources,
            'r',
        ));
    }
    if scope.permissions.has(Permission::BillingManage) {
        main.push(entry(
            "Billing",
            billing.as_str(),
            Icon::ReceiptText,
            Place::Billing,
            'b',
        ));
    }
    if scope.permissions.has(Permission::AuditRead) {
        main.push(entry(
            "Audit log",
            audit.as_str(),
            Icon::ScrollText,
            Place::Audit,
            'l',
        ));
    }
    let mut organisation = Vec::new();
    if scope.permissions.has(Permission::UsersManage) {
        let waiting = u64::try_from(unsent).ok().filter(|count| *count > 0);
        organisation.push(Entry {
            waiting: waiting.map(|count| (count, "waiting or failed")),
            ..entry("Mail", mail.as_str(), Icon::Mail, Place::Mail, 'm')
        });
    }
    if scope.permissions.has(Permission::OrganisationManage) {
        organisation.push(entry(
            "Settings",
            settings.as_str(),
            Icon::Settings,
            Place::Settings,
            's',
        ));
    }
    let groups: Vec<Group<'_>> = [(None, &main), (Some("Organisation"), &organisation)]
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(label, entries)| Group { label, entries })
        .collect();
    let of_their_own = |label, href, icon, current| Entry {
        label,
        href,
        icon,
        current,
        waiting: None,
        key: None,
    };
    let own = [
        of_their_own(
            "Account",
            profile.as_str(),
            Icon::UserRound,
            *visit.route == Route::Profile,
        ),
        of_their_own("Help", help.as_str(), Icon::Info, false),
    ];
    let initials = scope.name.initials();
    let frame = Shell {
        brand: scope.organisation_name.as_str(),
        sub: &visit.app.settings.brand,
        home: &dashboard,
        ribbon: (visit.app.settings.mode == Mode::Demo).then_some("Demo"),
        groups: &groups,
        who: Who {
            name: scope.name.as_str(),
            sub: scope.role.label(),
            initials: &initials,
            hue: hue(scope.account),
            entries: &own,
            csrf: &csrf,
            sign_out: &Route::SignOut.to_string(),
            theme_action: &Route::Theme.to_string(),
            theme: visit.theme(),
        },
        banner: banner(visit, scope),
        toast: flash,
        keys: if scope.has_shortcuts {
            Keys::On
        } else {
            Keys::Off
        },
    };
    let head = Head {
        title: &title,
        theme: visit.theme(),
        has_errors: page.has_errors,
    };
    Ok(document(&head, &shell(&frame, body)))
}

/// What stands above every page: the operator's warning, and a gain that waits for the next sign-in.
fn banner(visit: &Visit<'_>, scope: &Scope) -> Option<Markup> {
    let gains = !scope
        .permissions
        .include(scope.role.permissions(scope.managers));
    let factor = factor_banner(visit, scope);
    let mail = mail_banner(visit, scope);
    if visit.app.settings.warning.is_none() && !gains && factor.is_none() && mail.is_none() {
        return None;
    }
    Some(html! {
        (warning(visit))
        @if let Some(mail) = mail { (mail) }
        @if gains {
            (note(Tone::Plain, &html! { p { "Your permission is now " (scope.role) ". Sign out and in to use it." } }))
        }
        @if let Some(factor) = factor { (factor) }
    })
}

/// That no mail leaves, for those who answer for the organisation; the Mail pages say it themselves.
fn mail_banner(visit: &Visit<'_>, scope: &Scope) -> Option<Markup> {
    let answers = scope.permissions.has(Permission::OrganisationManage);
    let says_it_itself = matches!(visit.route, Route::Mail | Route::Errand(_));
    if !answers || says_it_itself {
        return None;
    }
    outbox::views::banner(&visit.app.relay(), visit.now, &visit.zone())
}

/// What is asked of whoever has no second factor, and until when.
fn factor_banner(visit: &Visit<'_>, scope: &Scope) -> Option<Markup> {
    let set_up = html! { a href=(Route::TwoFactor) { "Set it up" } };
    match scope.protection {
        Protection::On | Protection::Without(Asked::Nothing) => None,
        Protection::Without(Asked::Recommended) => Some(note(
            Tone::Plain,
            &html! { p { "Two-factor is strongly recommended. " (set_up) "." } },
        )),
        Protection::Without(Asked::By(end)) => {
            let left = end.since(visit.now);
            let tone = if left > 2 * DAY {
                Tone::Plain
            } else {
                Tone::Warn
            };
            Some(note(
                tone,
                &html! {
                    p {
                        "Two-factor is required from " (day(end, &visit.zone())) " on (" "in " (dates::left(end, visit.now)) "). " (set_up) "."
                    }
                },
            ))
        }
    }
}

fn stranger(visit: &Visit<'_>, page: &Page<'_>, flash: Option<&str>, body: &Markup) -> Markup {
    let brand = &visit.app.settings.brand;
    let title = format!("{} · {brand}", page.title);
    let home = Route::SignIn.to_string();
    let step = Route::SignInCode.to_string();
    // Whoever owes the code came from there, and would have to begin anew at the sign-in page.
    let (label, href) = match visit.half() {
        Some(_) => ("Back to the code", &step),
        None => ("Sign in", &home),
    };
    let inside = html! { (warning(visit)) (body) };
    let head = Head {
        title: &title,
        theme: visit.theme(),
        has_errors: page.has_errors,
    };
    let framed = match visit.route {
        // Something to read, not to fill in: it wants the width.
        Route::Help(_) => focus(
            &Focus {
                brand,
                home: &home,
                leave: Some(Leave::To { label, href }),
            },
            &inside,
        ),
        _ => split(&doorway(brand, &home, page.panel), &inside),
    };
    document(
        &head,
        &html! {
            (framed)
            @if let Some(text) = flash { (toast(text)) }
        },
    )
}

fn doorway<'d>(brand: &'d str, home: &'d str, panel: Option<&Markup>) -> Split<'d> {
    let help = Route::Help(HelpTopic::AddASubAccount);
    Split {
        brand,
        home,
        panel: panel.cloned().unwrap_or_else(|| {
            html! {
                p { "One person, one account." }
                p { "Clean audit logs for who did what, and each role with just the rights it needs." }
            }
        }),
        foot: Some(html! { a href=(help) { "Help signing in" } }),
    }
}
