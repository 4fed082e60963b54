//! What is done to resources: asked first, with the price, then done for that price or not at all.
//!
//! Each deed leads back to the list as it was, when the menu of one of its rows led to it, else to the resource's page;
//! which of the two travels in the form.

use maud::Markup;

use super::{cost, has_page, list_at, list_before, viewer};
use crate::accounts::pages as account_pages;
use crate::accounts::{self, Account};
use crate::catalogue::{self, Offer, Prices};
use crate::domain::id::{AccountId, OrganisationId, PlanId, ResourceId};
use crate::domain::money::Money;
use crate::domain::month::{Month, Span};
use crate::domain::role::Role;
use crate::domain::text::ResourceName;
use crate::error::{Error, Result};
use crate::kit::db::Read;
use crate::kit::http::form::Form;
use crate::kit::http::request::Method;
use crate::kit::http::response::Response;
use crate::kit::time::MINUTE;
use crate::layout::{self, Page, Place};
use crate::lifecycle::views::FROM_FIELD;
use crate::resources::views::deeds::{
    self as views, Ask, CONFIRM_FIELD, Change, Draft, Estate, NewPlan, PRICE_FIELD,
};
use crate::resources::views::{Line, Viewer};
use crate::resources::{
    self, HOLDER_FIELD, NAME_FIELD, NOTE_FIELD, NewResource, PLAN_FIELD, Resource, charges,
};
use crate::routes::Route;
use crate::scope::{Allowed, ManageResources};
use crate::visit::Visit;

/// A form that is sent twice is sent twice within this time.
const TWICE: i64 = MINUTE;

/// How far a form of two steps has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Typed: to be shown with its price.
    Typed,
    /// Seen, and to be typed anew.
    Anew,
    /// Seen, and to be done.
    Confirmed,
}

impl Step {
    fn of(form: &Form) -> Result<Self> {
        match form.typed(CONFIRM_FIELD) {
            "" => Ok(Self::Typed),
            "no" => Ok(Self::Anew),
            "yes" => Ok(Self::Confirmed),
            _ => Err(Error::Malformed("It is confirmed or it is not.")),
        }
    }
}

/// The price that was shown; none where nothing was.
fn shown_price(form: &Form) -> Result<Option<Money>> {
    match form.typed(PRICE_FIELD) {
        "" => Ok(None),
        typed => typed
            .parse()
            .map(|amount| Some(Money(amount)))
            .map_err(|_| Error::Malformed("A price is a whole number of minor units.")),
    }
}

/// The offer, if it costs what was shown.
fn agreed(read: &Read<'_>, viewer: &Viewer, slug: &str, shown: Option<Money>) -> Result<Offer> {
    let offer = resources::offer(read, slug)?;
    match shown {
        Some(shown) if shown != offer.price => Err(Error::invalid(
            PRICE_FIELD,
            format!(
                "{} costs {} now, no longer {}. Nothing is changed yet: confirm it again if you want it for that.",
                offer.plan.name,
                viewer.price(offer.price),
                viewer.money(shown)
            ),
        )),
        _ => Ok(offer),
    }
}

/// The list that led here: known by the browser when the page is opened, and by the form from then on.
fn list(visit: &Visit<'_>, form: &Form) -> Option<String> {
    match visit.request.method {
        Method::Get | Method::Head => list_before(visit),
        Method::Post => list_at(form.typed(FROM_FIELD)),
    }
}

/// After the deed: back to where it came from, with what happened.
fn done(visit: &Visit<'_>, form: &Form, otherwise: &Route, message: &str) -> Response {
    let to = match list(visit, form) {
        Some(list) => Response::see_other(&list),
        None => visit.redirect(otherwise),
    };
    visit.with_flash(to, message)
}

/// Draws one of the pages: `draw` has what all of them are drawn from.
fn page(
    visit: &Visit<'_>,
    title: &str,
    viewer: &Viewer,
    form: &Form,
    draw: impl FnOnce(&Ask<'_>) -> Markup,
) -> Result<Response> {
    let list = list(visit, form);
    let titled = (title, Place::Resources, list.as_deref());
    page_from(visit, titled, viewer, form, draw)
}

fn page_from(
    visit: &Visit<'_>,
    (title, place, list): (&str, Place, Option<&str>),
    viewer: &Viewer,
    form: &Form,
    draw: impl FnOnce(&Ask<'_>) -> Markup,
) -> Result<Response> {
    let ask = Ask {
        viewer,
        form,
        list,
        csrf: &visit.csrf(),
    };
    let title = match place {
        Place::Iam => format!("{title} · IAM"),
        _ => format!("{title} · Resources"),
    };
    let status = if form.has_problems() { 422 } else { 200 };
    let page = Page::new(&title, place).with_errors(form.has_problems());
    layout::page(visit, status, &page, &draw(&ask))
}

/// What runs under this name. Names differ by more than the case of their letters.
fn named(
    read: &Read<'_>,
    organisation: OrganisationId,
    name: &ResourceName,
) -> Result<Option<Resource>> {
    let all = resources::all(read, organisation)?;
    Ok(all.into_iter().find(|one| {
        one.ended_at.is_none() && one.name.as_str().eq_ignore_ascii_case(name.as_str())
    }))
}

/// The form for a new one.
pub fn new(visit: &Visit<'_>) -> Result<Response> {
    visit.allow::<ManageResources>()?;
    draw_new(visit, &Form::default(), None)
}

fn draw_new(visit: &Visit<'_>, form: &Form, taken_by: Option<ResourceId>) -> Result<Response> {
    let viewer = viewer(visit)?;
    let offers = visit.read(|read| Ok(catalogue::offers(read)?))?;
    page(visit, "Create resource", &viewer, form, |ask| {
        views::new(ask, &offers, taken_by)
    })
}

/// What it costs, and then creating it.
pub fn create(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let mut form = visit.form(&[
        NAME_FIELD,
        NOTE_FIELD,
        PLAN_FIELD,
        CONFIRM_FIELD,
        PRICE_FIELD,
        FROM_FIELD,
    ])?;
    let (step, shown) = (Step::of(&form)?, shown_price(&form)?);
    if step == Step::Anew {
        return draw_new(visit, &form, None);
    }
    let name = form.get::<ResourceName>(NAME_FIELD);
    let plan = form.check(PLAN_FIELD, chosen);
    let note = form.check(NOTE_FIELD, resources::note);
    let (Some(name), Some(plan), Some(note)) = (name, plan, note) else {
        return draw_new(visit, &form, None);
    };
    let new = NewResource { name, note, plan };
    match step {
        Step::Typed | Step::Anew => match visit.read(|read| free(read, &by, &new)) {
            Ok(offer) => confirm_new(visit, &form, &new, &offer),
            Err(error) => not_created(visit, &by, form, &new, error),
        },
        Step::Confirmed => {
            let viewer = viewer(visit)?;
            let created = visit.write(|tx| {
                agreed(tx, &viewer, &new.plan, shown)?;
                resources::create(tx, &by, &new)
            });
            match created {
                Ok(id) => Ok(created_now(visit, id, &new)),
                Err(error) => not_created(visit, &by, form, &new, error),
            }
        }
    }
}

fn chosen(slug: &str) -> std::result::Result<String, String> {
    if slug.is_empty() {
        return Err("Choose a plan.".to_owned());
    }
    Ok(slug.to_owned())
}

/// The offer, if nothing that runs has the name: said before anybody reads what it costs.
fn free(read: &Read<'_>, by: &Allowed<ManageResources>, new: &NewResource) -> Result<Offer> {
    let offer = resources::offer(read, &new.plan)?;
    match named(read, by.organisation(), &new.name)? {
        Some(_) => Err(Error::invalid(NAME_FIELD, resources::NAME_TAKEN)),
        None => Ok(offer),
    }
}

fn created_now(visit: &Visit<'_>, id: ResourceId, new: &NewResource) -> Response {
    visit.redirect_with(&Route::Resource(id), &format!("Created {}.", new.name))
}

fn confirm_new(
    visit: &Visit<'_>,
    form: &Form,
    new: &NewResource,
    offer: &Offer,
) -> Result<Response> {
    let viewer = viewer(visit)?;
    let prices = visit.read(|read| Ok(catalogue::prices(read)?))?;
    let draft = Draft {
        name: &new.name,
        note: &new.note,
        offer,
        rest: rest(&viewer, &prices, offer.plan.id),
    };
    page(visit, "Create resource", &viewer, form, |ask| {
        views::confirm_new(ask, &draft)
    })
}

/// What a plan costs from now until the end of the month.
fn rest(viewer: &Viewer, prices: &Prices, plan: PlanId) -> Money {
    let month = Month::of(viewer.now);
    let ahead = Span {
        from: viewer.now,
        until: month.span().until,
    };
    charges::of_plan(plan, prices, month, ahead)
}

/// The form again, or what it costs now; or the page of what the same form created a moment ago.
fn not_created(
    visit: &Visit<'_>,
    by: &Allowed<ManageResources>,
    mut form: Form,
    new: &NewResource,
    error: Error,
) -> Result<Response> {
    let Error::Invalid { field, sentence } = error else {
        return Err(error);
    };
    let taken_by = match field {
        NAME_FIELD => visit.read(|read| named(read, by.organisation(), &new.name))?,
        _ => None,
    };
    let is_confirmed = Step::of(&form)? == Step::Confirmed;
    if let Some(one) = taken_by.as_ref().filter(|_| is_confirmed)
        && is_the_same(visit, one, by, new)?
    {
        return Ok(created_now(visit, one.id, new));
    }
    form.problem(field, sentence);
    if field == PRICE_FIELD {
        let offer = visit.read(|read| resources::offer(read, &new.plan))?;
        return confirm_new(visit, &form, new, &offer);
    }
    draw_new(visit, &form, taken_by.map(|one| one.id))
}

/// Whether this is what the same form, sent twice, made a moment ago.
fn is_the_same(
    visit: &Visit<'_>,
    one: &Resource,
    by: &Allowed<ManageResources>,
    new: &NewResource,
) -> Result<bool> {
    let plan = visit.read(|read| resources::plan(read, one))?;
    Ok(Some(one.created_by) == by.by().account()
        && visit.now.since(one.created_at) < TWICE
        && one.name == new.name
        && one.note == new.note
        && plan.slug() == new.plan)
}

/// What it is about, while it runs.
fn line(
    read: &Read<'_>,
    by: &Allowed<ManageResources>,
    viewer: &Viewer,
    id: ResourceId,
) -> Result<Line> {
    line_of(read, viewer, resources::changeable(read, by, id)?)
}

fn line_of(read: &Read<'_>, viewer: &Viewer, resource: Resource) -> Result<Line> {
    let prices = catalogue::prices(read)?;
    let runs = resources::runs_of(read, resource.id)?;
    let month = Month::of(viewer.now);
    let person = |id| accounts::find(read, id)?.ok_or(Error::NotFound);
    Ok(Line {
        plan: resources::plan(read, &resource)?,
        creator: person(resource.created_by)?,
        holder: person(resource.holder)?,
        cost: viewer
            .may_see_amounts_of(resource.holder)
            .then(|| cost(viewer, &runs, &prices, (month, viewer.now))),
        resource,
    })
}

/// The form for another name or note.
pub fn edit(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    draw_edit(visit, &by, id, &Form::default(), None)
}

fn draw_edit(
    visit: &Visit<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
    form: &Form,
    taken_by: Option<ResourceId>,
) -> Result<Response> {
    let viewer = viewer(visit)?;
    let line = visit.read(|read| line(read, by, &viewer, id))?;
    page(visit, "Name and note", &viewer, form, |ask| {
        views::edit(ask, &line, taken_by)
    })
}

/// Saving them.
pub fn describe(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let mut form = visit.form(&[NAME_FIELD, NOTE_FIELD, FROM_FIELD])?;
    visit.read(|read| resources::changeable(read, &by, id))?;
    let name = form.get::<ResourceName>(NAME_FIELD);
    let note = form.check(NOTE_FIELD, resources::note);
    let (Some(name), Some(note)) = (name, note) else {
        return draw_edit(visit, &by, id, &form, None);
    };
    match visit.write_if(|tx| resources::describe(tx, &by, id, (&name, &note))) {
        Ok(changed) => {
            let message = match changed {
                Some(()) => format!("Saved {name}."),
                None => "Nothing was changed.".to_owned(),
            };
            Ok(done(visit, &form, &Route::Resource(id), &message))
        }
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            let taken_by = visit.read(|read| named(read, by.organisation(), &name))?;
            draw_edit(visit, &by, id, &form, taken_by.map(|one| one.id))
        }
        Err(error) => Err(error),
    }
}

/// What it has, what that costs, and what else there is of its kind.
struct Choices {
    line: Line,
    price: Money,
    offers: Vec<Offer>,
    prices: Prices,
}

impl Choices {
    fn load(
        read: &Read<'_>,
        by: &Allowed<ManageResources>,
        viewer: &Viewer,
        id: ResourceId,
    ) -> Result<Self> {
        let line = line(read, by, viewer, id)?;
        let prices = catalogue::prices(read)?;
        let kind = &line.plan.kind;
        Ok(Self {
            price: prices.at(line.plan.id, viewer.now).unwrap_or_default(),
            offers: catalogue::offers(read)?
                .into_iter()
                .filter(|offer| offer.plan.kind == *kind)
                .collect(),
            prices,
            line,
        })
    }

    fn new_plan(&self) -> NewPlan<'_> {
        NewPlan {
            line: &self.line,
            price: self.price,
            offers: &self.offers,
        }
    }
}

/// The form for another plan.
pub fn choose_plan(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    draw_plans(visit, &by, id, &Form::default())
}

fn draw_plans(
    visit: &Visit<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
    form: &Form,
) -> Result<Response> {
    let viewer = viewer(visit)?;
    let choices = visit.read(|read| Choices::load(read, by, &viewer, id))?;
    page(visit, "Change plan", &viewer, form, |ask| {
        views::choose_plan(ask, &choices.new_plan())
    })
}

/// What it costs, and then giving it.
pub fn change_plan(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let mut form = visit.form(&[PLAN_FIELD, CONFIRM_FIELD, PRICE_FIELD, FROM_FIELD])?;
    let (step, shown) = (Step::of(&form)?, shown_price(&form)?);
    if step == Step::Anew {
        return draw_plans(visit, &by, id, &form);
    }
    let viewer = viewer(visit)?;
    let choices = visit.read(|read| Choices::load(read, &by, &viewer, id))?;
    let Some(slug) = form.check(PLAN_FIELD, chosen) else {
        return draw_plans(visit, &by, id, &form);
    };
    let refused = if step == Step::Confirmed {
        let changed = visit.write_if(|tx| {
            if choices.line.plan.slug() != slug {
                agreed(tx, &viewer, &slug, shown)?;
            }
            resources::change_plan(tx, &by, id, &slug)
        });
        match changed {
            // A form that is sent twice finds the plan it asked for.
            Ok(_) => {
                let (resource, plan) = visit.read(|read| {
                    let resource = resources::changeable(read, &by, id)?;
                    let plan = resources::plan(read, &resource)?;
                    Ok((resource, plan))
                })?;
                let message = format!("{} has the plan {} now.", resource.name, plan.name);
                return Ok(done(visit, &form, &Route::Resource(id), &message));
            }
            Err(error) => error,
        }
    } else {
        match visit.read(|read| other_plan(read, &choices, &slug)) {
            Ok(offer) => return confirm_plan(visit, &viewer, &form, &choices, &offer),
            Err(error) => error,
        }
    };
    let Error::Invalid { field, sentence } = refused else {
        return Err(refused);
    };
    form.problem(field, sentence);
    if field == PRICE_FIELD {
        let offer = visit.read(|read| resources::offer(read, &slug))?;
        return confirm_plan(visit, &viewer, &form, &choices, &offer);
    }
    draw_plans(visit, &by, id, &form)
}

/// The offer, if it is another plan of the same kind.
fn other_plan(read: &Read<'_>, choices: &Choices, slug: &str) -> Result<Offer> {
    if choices.line.plan.slug() == slug {
        return Err(Error::invalid(
            PLAN_FIELD,
            "It has this plan already. Choose another, or cancel.",
        ));
    }
    let offer = resources::offer(read, slug)?;
    if offer.plan.kind != choices.line.plan.kind {
        return Err(Error::invalid(PLAN_FIELD, resources::KEEPS_KIND));
    }
    Ok(offer)
}

fn confirm_plan(
    visit: &Visit<'_>,
    viewer: &Viewer,
    form: &Form,
    choices: &Choices,
    offer: &Offer,
) -> Result<Response> {
    let change = Change {
        new: choices.new_plan(),
        offer,
        rest: (
            rest(viewer, &choices.prices, choices.line.plan.id),
            rest(viewer, &choices.prices, offer.plan.id),
        ),
    };
    page(visit, "Change plan", viewer, form, |ask| {
        views::confirm_plan(ask, &change)
    })
}

/// Who can be given something of this holder's: the Active accounts, by name.
pub fn receivers(
    read: &Read<'_>,
    organisation: OrganisationId,
    holder: AccountId,
) -> Result<Vec<Account>> {
    let mut people = Vec::new();
    for role in Role::ALL {
        people.extend(accounts::active(read, organisation, role)?);
    }
    people.retain(|account| account.id != holder);
    people.sort_by_cached_key(|account| (account.label().to_lowercase(), account.id));
    Ok(people)
}

/// The account that was chosen.
fn receiver(form: &mut Form) -> Result<Option<AccountId>> {
    match form.typed(HOLDER_FIELD) {
        "" => {
            form.problem(HOLDER_FIELD, "Choose an account.");
            Ok(None)
        }
        typed => typed
            .parse()
            .map(Some)
            .map_err(|()| Error::Malformed("There is no such account.")),
    }
}

/// To whom.
pub fn choose_holder(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    draw_holders(visit, &by, id, &Form::default())
}

fn draw_holders(
    visit: &Visit<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
    form: &Form,
) -> Result<Response> {
    let viewer = viewer(visit)?;
    let (line, people) = visit.read(|read| {
        let line = line(read, by, &viewer, id)?;
        let people = receivers(read, by.organisation(), line.holder.id)?;
        Ok((line, people))
    })?;
    page(visit, "Hand over", &viewer, form, |ask| {
        views::choose_holder(ask, &line, &people)
    })
}

/// Handing it over.
pub fn hand_over(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let mut form = visit.form(&[HOLDER_FIELD, FROM_FIELD])?;
    let resource = visit.read(|read| resources::changeable(read, &by, id))?;
    let Some(to) = receiver(&mut form)? else {
        return draw_holders(visit, &by, id, &form);
    };
    match visit.write_if(|tx| resources::hand_over(tx, &by, id, to)) {
        // A form that is sent twice finds the holder it asked for.
        Ok(_) => {
            let message = format!("{} is held by {} now.", resource.name, label(visit, to)?);
            Ok(done(visit, &form, &Route::Resource(id), &message))
        }
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            draw_holders(visit, &by, id, &form)
        }
        Err(error) => Err(error),
    }
}

fn label(visit: &Visit<'_>, id: AccountId) -> Result<String> {
    let account = visit.read(|read| Ok(accounts::find(read, id)?))?;
    Ok(account.ok_or(Error::NotFound)?.label())
}

/// All that an account holds: to whom.
pub fn choose_heir(visit: &Visit<'_>, from: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    draw_heirs(visit, &by, from, &Form::default())
}

/// The account whose resources they are; another organisation's is none.
fn giver(visit: &Visit<'_>, by: &Allowed<ManageResources>, from: AccountId) -> Result<Account> {
    visit.read(|read| accounts::find_in(read, by.organisation(), from)?.ok_or(Error::NotFound))
}

/// Its page, or the list, where it has none any more.
fn home(viewer: &Viewer, account: &Account) -> Route {
    if has_page(viewer, account) {
        Route::Account(account.id)
    } else {
        Route::Resources
    }
}

fn draw_heirs(
    visit: &Visit<'_>,
    by: &Allowed<ManageResources>,
    from: AccountId,
    form: &Form,
) -> Result<Response> {
    let viewer = viewer(visit)?;
    let account = giver(visit, by, from)?;
    let (held, people) = visit.read(|read| {
        let prices = catalogue::prices(read)?;
        let held = resources::held(read, by.organisation(), from)?
            .into_iter()
            .map(|resource| {
                let price = prices.at(resource.plan, viewer.now).unwrap_or_default();
                Ok((line_of(read, &viewer, resource)?, price))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok((held, receivers(read, by.organisation(), from)?))
    })?;
    let estate = Estate {
        account: &account,
        held: &held,
        people: &people,
        about: &home(&viewer, &account),
    };
    let list = list_of_accounts(visit, form);
    let titled = ("Hand over", Place::Iam, list.as_deref());
    page_from(visit, titled, &viewer, form, |ask| {
        views::choose_heir(ask, &estate)
    })
}

/// The list of accounts or of resources that led here.
fn list_of_accounts(visit: &Visit<'_>, form: &Form) -> Option<String> {
    let accounts = match visit.request.method {
        Method::Get | Method::Head => account_pages::list_before(visit),
        Method::Post => account_pages::list_at(form.typed(FROM_FIELD)),
    };
    accounts.or_else(|| list(visit, form))
}

/// Handing all of it over.
pub fn hand_over_all(visit: &Visit<'_>, from: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let mut form = visit.form(&[HOLDER_FIELD, FROM_FIELD])?;
    let account = giver(visit, &by, from)?;
    let Some(to) = receiver(&mut form)? else {
        return draw_heirs(visit, &by, from, &form);
    };
    if to == from {
        let sentence = format!(
            "{} holds them already. Choose another account.",
            account.label()
        );
        form.problem(HOLDER_FIELD, sentence);
        return draw_heirs(visit, &by, from, &form);
    }
    match visit.write_if(|tx| resources::hand_over_all(tx, &by, from, to)) {
        Ok(count) => {
            let to = label(visit, to)?;
            let message = match count {
                None => format!(
                    "{} holds nothing that runs. Nothing was handed over.",
                    account.label()
                ),
                Some(1) => format!("{to} holds what {} held: 1 resource.", account.label()),
                Some(count) => {
                    format!(
                        "{to} holds what {} held: {count} resources.",
                        account.label()
                    )
                }
            };
            let back = match list_of_accounts(visit, &form) {
                Some(list) => Response::see_other(&list),
                None => visit.redirect(&home(&viewer(visit)?, &account)),
            };
            Ok(visit.with_flash(back, &message))
        }
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            draw_heirs(visit, &by, from, &form)
        }
        Err(error) => Err(error),
    }
}

/// What ending does.
pub fn confirm_end(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let viewer = viewer(visit)?;
    let line = visit.read(|read| line(read, &by, &viewer, id))?;
    page(visit, "End resource", &viewer, &Form::default(), |ask| {
        views::confirm_end(ask, &line)
    })
}

/// Doing it.
pub fn end(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ManageResources>()?;
    let form = visit.form(&[FROM_FIELD])?;
    let resource =
        visit.read(|read| resources::find(read, by.organisation(), id)?.ok_or(Error::NotFound))?;
    // A form that is sent twice finds it ended.
    if resource.ended_at.is_none() {
        visit.write(|tx| resources::end(tx, &by, id))?;
    }
    let message = format!("{} has ended, and costs nothing any more.", resource.name);
    Ok(done(visit, &form, &Route::Resource(id), &message))
}
