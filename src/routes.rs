//! Every address of the Portal, read and written in one place: a link is a value, so a dead one does not compile.

use std::fmt;

use crate::domain::id::{AccountId, ErrandId, ImportId, ResourceId, SessionId};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::role::{Permission, Role};

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// What needs attention.
    Dashboard,
    /// The form, and signing in.
    SignIn,
    /// The second step of signing in.
    SignInCode,
    /// The operator's link, which lets somebody in.
    SignInLink(String),
    /// Ending this session.
    SignOut,
    /// Set-up without its token: where to find it.
    SetUpHelp,
    /// First run.
    SetUp(String),
    /// The invitee's first password.
    Activate(String),
    /// The invitee asks for a new link.
    AskForLink(String),
    /// Asking for a reset link.
    ForgotPassword,
    /// Setting another password.
    ResetPassword(String),
    /// IAM, first tab.
    Accounts,
    /// The create form as a page.
    NewAccount,
    /// What several accounts are chosen for; then doing it.
    SelectedAccounts,
    /// One account.
    Account(AccountId),
    /// A new link, the older dead.
    ResendInvitation(AccountId),
    /// The activation link, to hand over by other means.
    CopyLink(AccountId),
    /// What another role means; then giving it.
    ChangeRole(AccountId),
    /// What switching off does; then doing it.
    DisableAccount(AccountId),
    /// What switching on does; then doing it.
    EnableAccount(AccountId),
    /// It is not to be switched off on a date any more.
    KeepAccount(AccountId),
    /// What deleting does; then doing it.
    DeleteAccount(AccountId),
    /// What erasing what is left of a deleted one does; then doing it.
    EraseAccount(AccountId),
    /// Which sessions there are; then ending them all.
    SignOutAccount(AccountId),
    /// What a reset does; then doing it.
    ResetAccountPassword(AccountId),
    /// What a reset of the second factor does; then doing it.
    ResetAccountTwoFactor(AccountId),
    /// Many at once: the form for a list, and the lists before it.
    Import,
    /// One list: what it means, how far it is, what became of it.
    ImportList(ImportId),
    /// Inviting those who are on it.
    BeginImport(ImportId),
    /// Throwing it away, as long as nobody was invited by it.
    DiscardImport(ImportId),
    /// Inviting nobody else by it.
    StopImport(ImportId),
    /// What became of each line, for a spreadsheet.
    ImportCsv(ImportId),
    /// IAM, second tab.
    Roles,
    /// One role.
    Role(Role),
    /// The outbox.
    Mail,
    /// A mail to oneself, to see whether mail arrives.
    TestMail,
    /// All failed mails once more.
    RetryFailed,
    /// One mail.
    Errand(ErrandId),
    /// A failed mail once more.
    RetryErrand(ErrandId),
    /// A mail's HTML, framed; only in the demonstration.
    ErrandBody(ErrandId),
    /// What the organisation decides for itself.
    Settings,
    /// Its name and time zone.
    SaveGeneral,
    /// Who manages users.
    SaveSecurity,
    /// What is asked of each role besides the password.
    SavePolicy,
    /// Whose addresses may be invited.
    SaveDomains,
    /// The list of first steps, put away.
    PutFirstStepsAway,
    /// Offering the ownership to another Master.
    OfferOwnership,
    /// Taking the offer back.
    WithdrawOwnership,
    /// Taking the ownership.
    AcceptOwnership,
    /// Not taking it.
    DeclineOwnership,
    /// What stands on its invoices, and who gets them.
    SaveBilling,
    /// What the organisation has and pays for.
    Resources,
    /// The same as rows for a spreadsheet.
    ResourcesCsv,
    /// A new one: the form, what it costs, then creating it.
    NewResource,
    /// One resource.
    Resource(ResourceId),
    /// Another name or note.
    DescribeResource(ResourceId),
    /// What another plan costs; then giving it.
    ChangePlan(ResourceId),
    /// To whom; then handing it over.
    HandOver(ResourceId),
    /// What ending does; then doing it.
    EndResource(ResourceId),
    /// All that one account holds, to another.
    HandOverAll(AccountId),
    /// The month so far, and the invoices.
    Billing,
    /// The month so far, line by line, for a spreadsheet.
    BillingCsv,
    /// The budget of a month.
    SaveBudget,
    /// One invoice.
    Invoice(InvoiceNumber),
    /// Its lines for a spreadsheet.
    InvoiceCsv(InvoiceNumber),
    /// It was paid.
    PayInvoice(InvoiceNumber),
    /// Who did what.
    Audit,
    /// One event, by its number.
    AuditEvent(i64),
    /// What is filtered, as rows for a spreadsheet.
    AuditCsv,
    /// The same as JSON lines, which can be verified.
    AuditJsonl,
    /// Everybody's own account.
    Profile,
    /// What the Portal keeps about them, as a file.
    ProfileData,
    /// Their name and telephone.
    SaveProfile,
    /// Their time zone and keys.
    SavePreferences,
    /// Their password.
    ChangePassword,
    /// Setting up a second factor; beginning to.
    TwoFactor,
    /// Confirming it with a code.
    ConfirmTwoFactor,
    /// Turning it off.
    DisableTwoFactor,
    /// New recovery codes.
    RenewCodes,
    /// Asking for another address.
    ChangeEmail,
    /// Confirming it, with the link that went there.
    ConfirmEmail(String),
    /// Ending one of their other sessions.
    EndSession(SessionId),
    /// Ending all of the others.
    EndOtherSessions,
    /// Light, dark, or the system's.
    Theme,
    /// How to.
    Help(HelpTopic),
    /// Embedded files.
    Asset(String),
    /// Whether the process lives.
    Healthz,
    /// Whether it can work.
    Readyz,
    /// What is measured, for whoever knows the token.
    Metrics,
}

/// What the help pages are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpTopic {
    /// The document that the product is built from.
    AddASubAccount,
    /// What each role may do, and to whom.
    SubAccountPermissions,
    /// Two-factor: setting it up, losing the phone, what the policy asks.
    TwoFactorSecurity,
}

impl HelpTopic {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::AddASubAccount,
        Self::SubAccountPermissions,
        Self::TwoFactorSecurity,
    ];

    /// The last part of the address.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::AddASubAccount => "add-a-sub-account",
            Self::SubAccountPermissions => "sub-account-permissions",
            Self::TwoFactorSecurity => "2fa-security",
        }
    }

    /// The page's title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::AddASubAccount => "Add a sub-account",
            Self::SubAccountPermissions => "Sub-account permissions",
            Self::TwoFactorSecurity => "2FA security",
        }
    }
}

/// Who may reach a route at all; the handler then asks for the rights over what it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever gave the password and owes the code.
    Halfway,
    /// Whoever is signed in, also when they must set up a second factor first.
    Enrolling,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in with this permission.
    With(Permission),
}

impl Route {
    /// Reads a path; `None` is a 404.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let route = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, None, None) => Self::Dashboard,
            ("sign-in", None, None, None) => Self::SignIn,
            ("sign-in", Some("code"), None, None) => Self::SignInCode,
            ("sign-in", Some("link"), Some(token), None) => Self::SignInLink(token.to_owned()),
            ("sign-out", None, None, None) => Self::SignOut,
            ("setup", None, None, None) => Self::SetUpHelp,
            ("setup", Some(token), None, None) => Self::SetUp(token.to_owned()),
            ("activate", Some(token), None, None) => Self::Activate(token.to_owned()),
            ("activate", Some(token), Some("ask"), None) => Self::AskForLink(token.to_owned()),
            ("forgot-password", None, None, None) => Self::ForgotPassword,
            ("reset-password", Some(token), None, None) => Self::ResetPassword(token.to_owned()),
            ("iam", Some("accounts"), None, None) => Self::Accounts,
            ("iam", Some("accounts"), Some("new"), None) => Self::NewAccount,
            ("iam", Some("accounts"), Some("selected"), None) => Self::SelectedAccounts,
            ("iam", Some("accounts"), Some(id), None) => Self::Account(id.parse().ok()?),
            ("iam", Some("accounts"), Some(id), Some(act)) => {
                Self::account_act(id.parse().ok()?, act)?
            }
            ("iam", Some("import"), None, None) => Self::Import,
            ("iam", Some("import"), Some(id), None) => Self::ImportList(id.parse().ok()?),
            ("iam", Some("import"), Some(id), Some(act)) => {
                Self::import_act(id.parse().ok()?, act)?
            }
            ("iam", Some("roles"), None, None) => Self::Roles,
            ("iam", Some("roles"), Some(key), None) => Self::Role(key.parse().ok()?),
            ("mail", None, None, None) => Self::Mail,
            ("mail", Some("test"), None, None) => Self::TestMail,
            ("mail", Some("retry"), None, None) => Self::RetryFailed,
            ("mail", Some(id), None, None) => Self::Errand(id.parse().ok()?),
            ("mail", Some(id), Some("retry"), None) => Self::RetryErrand(id.parse().ok()?),
            ("mail", Some(id), Some("body"), None) => Self::ErrandBody(id.parse().ok()?),
            ("settings", None, None, None) => Self::Settings,
            ("settings", Some("general"), None, None) => Self::SaveGeneral,
            ("settings", Some("security"), None, None) => Self::SaveSecurity,
            ("settings", Some("two-factor"), None, None) => Self::SavePolicy,
            ("settings", Some("domains"), None, None) => Self::SaveDomains,
            ("settings", Some("first-steps"), None, None) => Self::PutFirstStepsAway,
            ("settings", Some("billing"), None, None) => Self::SaveBilling,
            ("settings", Some("ownership"), Some(act), None) => Self::ownership_act(act)?,
            ("resources", None, None, None) => Self::Resources,
            ("resources.csv", None, None, None) => Self::ResourcesCsv,
            ("resources", Some("new"), None, None) => Self::NewResource,
            ("resources", Some(id), None, None) => Self::Resource(id.parse().ok()?),
            ("resources", Some(id), Some(act), None) => Self::resource_act(id.parse().ok()?, act)?,
            ("billing", None, None, None) => Self::Billing,
            ("billing.csv", None, None, None) => Self::BillingCsv,
            ("billing", Some("budget"), None, None) => Self::SaveBudget,
            ("billing", Some("invoices"), Some(number), None) => {
                match number.strip_suffix(".csv") {
                    Some(number) => Self::InvoiceCsv(number.parse().ok()?),
                    None => Self::Invoice(number.parse().ok()?),
                }
            }
            ("billing", Some("invoices"), Some(number), Some("paid")) => {
                Self::PayInvoice(number.parse().ok()?)
            }
            ("audit", None, None, None) => Self::Audit,
            ("audit", Some(number), None, None) => Self::AuditEvent(event_number(number)?),
            ("audit.csv", None, None, None) => Self::AuditCsv,
            ("audit.jsonl", None, None, None) => Self::AuditJsonl,
            ("account", None, None, None) => Self::Profile,
            ("account", Some("data.json"), None, None) => Self::ProfileData,
            ("account", Some("profile"), None, None) => Self::SaveProfile,
            ("account", Some("preferences"), None, None) => Self::SavePreferences,
            ("account", Some("password"), None, None) => Self::ChangePassword,
            ("account", Some("two-factor"), None, None) => Self::TwoFactor,
            ("account", Some("two-factor"), Some("confirm"), None) => Self::ConfirmTwoFactor,
            ("account", Some("two-factor"), Some("disable"), None) => Self::DisableTwoFactor,
            ("account", Some("two-factor"), Some("codes"), None) => Self::RenewCodes,
            ("account", Some("email"), None, None) => Self::ChangeEmail,
            ("account", Some("email"), Some(token), None) => Self::ConfirmEmail(token.to_owned()),
            ("account", Some("sessions"), Some("end-others"), None) => Self::EndOtherSessions,
            ("account", Some("sessions"), Some(id), Some("end")) => {
                Self::EndSession(id.parse().ok()?)
            }
            ("theme", None, None, None) => Self::Theme,
            ("help", Some(topic), None, None) => {
                Self::Help(HelpTopic::ALL.into_iter().find(|t| t.key() == topic)?)
            }
            ("assets", Some(name), None, None) => Self::Asset(name.to_owned()),
            ("healthz", None, None, None) => Self::Healthz,
            ("readyz", None, None, None) => Self::Readyz,
            ("metrics", None, None, None) => Self::Metrics,
            _ => return None,
        };
        parts.next().is_none().then_some(route)
    }

    fn account_act(id: AccountId, act: &str) -> Option<Self> {
        match act {
            "resend" => Some(Self::ResendInvitation(id)),
            "copy-link" => Some(Self::CopyLink(id)),
            "role" => Some(Self::ChangeRole(id)),
            "disable" => Some(Self::DisableAccount(id)),
            "enable" => Some(Self::EnableAccount(id)),
            "keep" => Some(Self::KeepAccount(id)),
            "delete" => Some(Self::DeleteAccount(id)),
            "erase" => Some(Self::EraseAccount(id)),
            "sign-out" => Some(Self::SignOutAccount(id)),
            "reset-password" => Some(Self::ResetAccountPassword(id)),
            "reset-two-factor" => Some(Self::ResetAccountTwoFactor(id)),
            "hand-over" => Some(Self::HandOverAll(id)),
            _ => None,
        }
    }

    fn import_act(id: ImportId, act: &str) -> Option<Self> {
        match act {
            "begin" => Some(Self::BeginImport(id)),
            "discard" => Some(Self::DiscardImport(id)),
            "stop" => Some(Self::StopImport(id)),
            "result.csv" => Some(Self::ImportCsv(id)),
            _ => None,
        }
    }

    fn resource_act(id: ResourceId, act: &str) -> Option<Self> {
        match act {
            "edit" => Some(Self::DescribeResource(id)),
            "plan" => Some(Self::ChangePlan(id)),
            "hand-over" => Some(Self::HandOver(id)),
            "end" => Some(Self::EndResource(id)),
            _ => None,
        }
    }

    fn ownership_act(act: &str) -> Option<Self> {
        match act {
            "offer" => Some(Self::OfferOwnership),
            "withdraw" => Some(Self::WithdrawOwnership),
            "accept" => Some(Self::AcceptOwnership),
            "decline" => Some(Self::DeclineOwnership),
            _ => None,
        }
    }

    /// Who may reach it.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self {
            Self::SignIn
            | Self::SignInLink(_)
            | Self::SignOut
            | Self::SetUpHelp
            | Self::SetUp(_)
            | Self::Activate(_)
            | Self::AskForLink(_)
            | Self::ForgotPassword
            | Self::ResetPassword(_)
            | Self::Theme
            | Self::Help(_)
            | Self::Asset(_)
            | Self::Healthz
            | Self::Readyz
            | Self::Metrics => Access::Public,
            Self::SignInCode => Access::Halfway,
            Self::TwoFactor | Self::ConfirmTwoFactor => Access::Enrolling,
            Self::Dashboard
            | Self::Profile
            | Self::ProfileData
            | Self::DisableTwoFactor
            | Self::RenewCodes
            | Self::SaveProfile
            | Self::SavePreferences
            | Self::ChangePassword
            | Self::ChangeEmail
            | Self::ConfirmEmail(_)
            | Self::EndSession(_)
            | Self::EndOtherSessions => Access::SignedIn,
            Self::Accounts | Self::Roles | Self::Role(_) => Access::With(Permission::UsersList),
            Self::Account(_) => Access::With(Permission::UsersRead),
            Self::NewAccount
            | Self::SelectedAccounts
            | Self::ResendInvitation(_)
            | Self::CopyLink(_)
            | Self::DisableAccount(_)
            | Self::EnableAccount(_)
            | Self::KeepAccount(_)
            | Self::DeleteAccount(_)
            | Self::SignOutAccount(_)
            | Self::ResetAccountPassword(_)
            | Self::ResetAccountTwoFactor(_)
            | Self::Import
            | Self::ImportList(_)
            | Self::BeginImport(_)
            | Self::DiscardImport(_)
            | Self::StopImport(_)
            | Self::ImportCsv(_)
            | Self::Mail
            | Self::TestMail
            | Self::RetryFailed
            | Self::Errand(_)
            | Self::RetryErrand(_)
            | Self::ErrandBody(_) => Access::With(Permission::UsersManage),
            Self::ChangeRole(_) => Access::With(Permission::RolesAssign),
            Self::Resources | Self::ResourcesCsv | Self::Resource(_) => {
                Access::With(Permission::ResourcesRead)
            }
            Self::NewResource
            | Self::DescribeResource(_)
            | Self::ChangePlan(_)
            | Self::HandOver(_)
            | Self::HandOverAll(_)
            | Self::EndResource(_) => Access::With(Permission::ResourcesManage),
            Self::Billing
            | Self::BillingCsv
            | Self::SaveBudget
            | Self::Invoice(_)
            | Self::InvoiceCsv(_)
            | Self::PayInvoice(_) => Access::With(Permission::BillingManage),
            Self::Audit | Self::AuditEvent(_) | Self::AuditCsv | Self::AuditJsonl => {
                Access::With(Permission::AuditRead)
            }
            Self::EraseAccount(_)
            | Self::Settings
            | Self::SaveGeneral
            | Self::SaveSecurity
            | Self::SavePolicy
            | Self::SaveBilling
            | Self::SaveDomains
            | Self::PutFirstStepsAway
            | Self::OfferOwnership
            | Self::WithdrawOwnership
            | Self::AcceptOwnership
            | Self::DeclineOwnership => Access::With(Permission::OrganisationManage),
        }
    }

    /// Whether it can be looked at by itself, and so come back to.
    #[must_use]
    pub const fn is_page(&self) -> bool {
        !matches!(
            self,
            Self::SignInCode
                | Self::SignInLink(_)
                | Self::SignOut
                | Self::AskForLink(_)
                | Self::SelectedAccounts
                | Self::KeepAccount(_)
                | Self::ResendInvitation(_)
                | Self::CopyLink(_)
                | Self::TestMail
                | Self::RetryFailed
                | Self::BeginImport(_)
                | Self::DiscardImport(_)
                | Self::StopImport(_)
                | Self::ImportCsv(_)
                | Self::RetryErrand(_)
                | Self::ErrandBody(_)
                | Self::SaveGeneral
                | Self::SaveSecurity
                | Self::SavePolicy
                | Self::SaveBilling
                | Self::SaveDomains
                | Self::PutFirstStepsAway
                | Self::SaveBudget
                | Self::PayInvoice(_)
                | Self::ResourcesCsv
                | Self::BillingCsv
                | Self::InvoiceCsv(_)
                | Self::AuditCsv
                | Self::AuditJsonl
                | Self::ConfirmTwoFactor
                | Self::DisableTwoFactor
                | Self::RenewCodes
                | Self::OfferOwnership
                | Self::WithdrawOwnership
                | Self::AcceptOwnership
                | Self::DeclineOwnership
                | Self::ProfileData
                | Self::SaveProfile
                | Self::SavePreferences
                | Self::ChangePassword
                | Self::ChangeEmail
                | Self::EndSession(_)
                | Self::EndOtherSessions
                | Self::Theme
                | Self::Asset(_)
                | Self::Healthz
                | Self::Readyz
                | Self::Metrics
        )
    }

    /// The name of the route for the log: never a token or an id.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Dashboard => "/",
            Self::SignIn => "/sign-in",
            Self::SignInCode => "/sign-in/code",
            Self::SignInLink(_) => "/sign-in/link/{token}",
            Self::SignOut => "/sign-out",
            Self::SetUpHelp => "/setup",
            Self::SetUp(_) => "/setup/{token}",
            Self::Activate(_) => "/activate/{token}",
            Self::AskForLink(_) => "/activate/{token}/ask",
            Self::ForgotPassword => "/forgot-password",
            Self::ResetPassword(_) => "/reset-password/{token}",
            Self::Accounts => "/iam/accounts",
            Self::NewAccount => "/iam/accounts/new",
            Self::SelectedAccounts => "/iam/accounts/selected",
            Self::Account(_) => "/iam/accounts/{id}",
            Self::ResendInvitation(_) => "/iam/accounts/{id}/resend",
            Self::CopyLink(_) => "/iam/accounts/{id}/copy-link",
            Self::ChangeRole(_) => "/iam/accounts/{id}/role",
            Self::DisableAccount(_) => "/iam/accounts/{id}/disable",
            Self::EnableAccount(_) => "/iam/accounts/{id}/enable",
            Self::KeepAccount(_) => "/iam/accounts/{id}/keep",
            Self::DeleteAccount(_) => "/iam/accounts/{id}/delete",
            Self::EraseAccount(_) => "/iam/accounts/{id}/erase",
            Self::SignOutAccount(_) => "/iam/accounts/{id}/sign-out",
            Self::ResetAccountPassword(_) => "/iam/accounts/{id}/reset-password",
            Self::ResetAccountTwoFactor(_) => "/iam/accounts/{id}/reset-two-factor",
            Self::Import => "/iam/import",
            Self::ImportList(_) => "/iam/import/{id}",
            Self::BeginImport(_) => "/iam/import/{id}/begin",
            Self::DiscardImport(_) => "/iam/import/{id}/discard",
            Self::StopImport(_) => "/iam/import/{id}/stop",
            Self::ImportCsv(_) => "/iam/import/{id}/result.csv",
            Self::Roles => "/iam/roles",
            Self::Role(_) => "/iam/roles/{key}",
            Self::Mail => "/mail",
            Self::TestMail => "/mail/test",
            Self::RetryFailed => "/mail/retry",
            Self::Errand(_) => "/mail/{id}",
            Self::RetryErrand(_) => "/mail/{id}/retry",
            Self::ErrandBody(_) => "/mail/{id}/body",
            Self::Settings => "/settings",
            Self::SaveGeneral => "/settings/general",
            Self::SaveSecurity => "/settings/security",
            Self::SavePolicy => "/settings/two-factor",
            Self::OfferOwnership => "/settings/ownership/offer",
            Self::WithdrawOwnership => "/settings/ownership/withdraw",
            Self::AcceptOwnership => "/settings/ownership/accept",
            Self::DeclineOwnership => "/settings/ownership/decline",
            Self::SaveBilling => "/settings/billing",
            Self::SaveDomains => "/settings/domains",
            Self::PutFirstStepsAway => "/settings/first-steps",
            Self::Resources => "/resources",
            Self::ResourcesCsv => "/resources.csv",
            Self::NewResource => "/resources/new",
            Self::Resource(_) => "/resources/{id}",
            Self::DescribeResource(_) => "/resources/{id}/edit",
            Self::ChangePlan(_) => "/resources/{id}/plan",
            Self::HandOver(_) => "/resources/{id}/hand-over",
            Self::EndResource(_) => "/resources/{id}/end",
            Self::HandOverAll(_) => "/iam/accounts/{id}/hand-over",
            Self::Billing => "/billing",
            Self::BillingCsv => "/billing.csv",
            Self::SaveBudget => "/billing/budget",
            Self::Invoice(_) => "/billing/invoices/{number}",
            Self::InvoiceCsv(_) => "/billing/invoices/{number}.csv",
            Self::PayInvoice(_) => "/billing/invoices/{number}/paid",
            Self::Audit => "/audit",
            Self::AuditEvent(_) => "/audit/{number}",
            Self::AuditCsv => "/audit.csv",
            Self::AuditJsonl => "/audit.jsonl",
            Self::Profile => "/account",
            Self::ProfileData => "/account/data.json",
            Self::SaveProfile => "/account/profile",
            Self::SavePreferences => "/account/preferences",
            Self::ChangePassword => "/account/password",
            Self::TwoFactor => "/account/two-factor",
            Self::ConfirmTwoFactor => "/account/two-factor/confirm",
            Self::DisableTwoFactor => "/account/two-factor/disable",
            Self::RenewCodes => "/account/two-factor/codes",
            Self::ChangeEmail => "/account/email",
            Self::ConfirmEmail(_) => "/account/email/{token}",
            Self::EndSession(_) => "/account/sessions/{id}/end",
            Self::EndOtherSessions => "/account/sessions/end-others",
            Self::Theme => "/theme",
            Self::Help(_) => "/help/{topic}",
            Self::Asset(_) => "/assets/{name}",
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
        }
    }
}

/// The number of an event, as we write it.
fn event_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetUp(token) => write!(f, "/setup/{token}"),
            Self::Activate(token) => write!(f, "/activate/{token}"),
            Self::AskForLink(token) => write!(f, "/activate/{token}/ask"),
            Self::ResetPassword(token) => write!(f, "/reset-password/{token}"),
            Self::Account(id) => write!(f, "/iam/accounts/{id}"),
            Self::ResendInvitation(id) => write!(f, "/iam/accounts/{id}/resend"),
            Self::CopyLink(id) => write!(f, "/iam/accounts/{id}/copy-link"),
            Self::ChangeRole(id) => write!(f, "/iam/accounts/{id}/role"),
            Self::DisableAccount(id) => write!(f, "/iam/accounts/{id}/disable"),
            Self::EnableAccount(id) => write!(f, "/iam/accounts/{id}/enable"),
            Self::KeepAccount(id) => write!(f, "/iam/accounts/{id}/keep"),
            Self::DeleteAccount(id) => write!(f, "/iam/accounts/{id}/delete"),
            Self::EraseAccount(id) => write!(f, "/iam/accounts/{id}/erase"),
            Self::SignOutAccount(id) => write!(f, "/iam/accounts/{id}/sign-out"),
            Self::ResetAccountPassword(id) => write!(f, "/iam/accounts/{id}/reset-password"),
            Self::ResetAccountTwoFactor(id) => write!(f, "/iam/accounts/{id}/reset-two-factor"),
            Self::ImportList(id) => write!(f, "/iam/import/{id}"),
            Self::BeginImport(id) => write!(f, "/iam/import/{id}/begin"),
            Self::DiscardImport(id) => write!(f, "/iam/import/{id}/discard"),
            Self::StopImport(id) => write!(f, "/iam/import/{id}/stop"),
            Self::ImportCsv(id) => write!(f, "/iam/import/{id}/result.csv"),
            Self::Resource(id) => write!(f, "/resources/{id}"),
            Self::DescribeResource(id) => write!(f, "/resources/{id}/edit"),
            Self::ChangePlan(id) => write!(f, "/resources/{id}/plan"),
            Self::HandOver(id) => write!(f, "/resources/{id}/hand-over"),
            Self::EndResource(id) => write!(f, "/resources/{id}/end"),
            Self::HandOverAll(id) => write!(f, "/iam/accounts/{id}/hand-over"),
            Self::Invoice(number) => write!(f, "/billing/invoices/{number}"),
            Self::InvoiceCsv(number) => write!(f, "/billing/invoices/{number}.csv"),
            Self::PayInvoice(number) => write!(f, "/billing/invoices/{number}/paid"),
            Self::AuditEvent(number) => write!(f, "/audit/{number}"),
            Self::SignInLink(token) => write!(f, "/sign-in/link/{token}"),
            Self::ConfirmEmail(token) => write!(f, "/account/email/{token}"),
            Self::EndSession(id) => write!(f, "/account/sessions/{id}/end"),
            Self::Role(role) => write!(f, "/iam/roles/{}", role.key()),
            Self::Errand(id) => write!(f, "/mail/{id}"),
            Self::RetryErrand(id) => write!(f, "/mail/{id}/retry"),
            Self::ErrandBody(id) => write!(f, "/mail/{id}/body"),
            Self::Help(topic) => write!(f, "/help/{}", topic.key()),
            Self::Asset(name) => write!(f, "/assets/{name}"),
            Self::Dashboard
            | Self::TestMail
            | Self::RetryFailed
            | Self::SignIn
            | Self::SignInCode
            | Self::TwoFactor
            | Self::ConfirmTwoFactor
            | Self::DisableTwoFactor
            | Self::RenewCodes
            | Self::SavePolicy
            | Self::SignOut
            | Self::SetUpHelp
            | Self::ForgotPassword
            | Self::Accounts
            | Self::NewAccount
            | Self::SelectedAccounts
            | Self::Import
            | Self::Roles
            | Self::Mail
            | Self::Settings
            | Self::SaveGeneral
            | Self::SaveSecurity
            | Self::OfferOwnership
            | Self::WithdrawOwnership
            | Self::AcceptOwnership
            | Self::DeclineOwnership
            | Self::SaveBilling
            | Self::SaveDomains
            | Self::PutFirstStepsAway
            | Self::Resources
            | Self::ResourcesCsv
            | Self::NewResource
            | Self::Billing
            | Self::BillingCsv
            | Self::SaveBudget
            | Self::Audit
            | Self::AuditCsv
            | Self::AuditJsonl
            | Self::Profile
            | Self::ProfileData
            | Self::SaveProfile
            | Self::SavePreferences
            | Self::ChangePassword
            | Self::ChangeEmail
            | Self::EndOtherSessions
            | Self::Theme
            | Self::Healthz
            | Self::Readyz
            | Self::Metrics => f.write_str(self.name()),
        }
    }
}

impl maud::Render for Route {
    fn render_to(&self, buffer: &mut String) {
        maud::Render::render_to(&self.to_string(), buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_read_back_as_its_route() {
        let account = "acc_bbbbbbbbbbbbb".parse().unwrap();
        let errand = "mail_bbbbbbbbbbbbb".parse().unwrap();
        let resource = "res_bbbbbbbbbbbbb".parse().unwrap();
        let import = "imp_bbbbbbbbbbbbb".parse().unwrap();
        let invoice = "INV-2026-010".parse().unwrap();
        let token = || "t0ken".to_owned();
        for route in [
            Route::Dashboard,
            Route::SignIn,
            Route::SignOut,
            Route::SetUpHelp,
            Route::SetUp(token()),
            Route::Activate(token()),
            Route::AskForLink(token()),
            Route::ForgotPassword,
            Route::ResetPassword(token()),
            Route::Accounts,
            Route::NewAccount,
            Route::SelectedAccounts,
            Route::Account(account),
            Route::ResendInvitation(account),
            Route::CopyLink(account),
            Route::ChangeRole(account),
            Route::DisableAccount(account),
            Route::EnableAccount(account),
            Route::KeepAccount(account),
            Route::DeleteAccount(account),
            Route::EraseAccount(account),
            Route::SignOutAccount(account),
            Route::ResetAccountPassword(account),
            Route::Settings,
            Route::SaveGeneral,
            Route::SaveSecurity,
            Route::OfferOwnership,
            Route::WithdrawOwnership,
            Route::AcceptOwnership,
            Route::DeclineOwnership,
            Route::SaveBilling,
            Route::SaveDomains,
            Route::PutFirstStepsAway,
            Route::Resources,
            Route::ResourcesCsv,
            Route::NewResource,
            Route::Resource(resource),
            Route::DescribeResource(resource),
            Route::ChangePlan(resource),
            Route::HandOver(resource),
            Route::EndResource(resource),
            Route::HandOverAll(account),
            Route::Billing,
            Route::BillingCsv,
            Route::SaveBudget,
            Route::Invoice(invoice),
            Route::InvoiceCsv(invoice),
            Route::PayInvoice(invoice),
            Route::Audit,
            Route::AuditEvent(1),
            Route::AuditEvent(i64::MAX),
            Route::AuditCsv,
            Route::AuditJsonl,
            Route::Profile,
            Route::ProfileData,
            Route::SaveProfile,
            Route::SavePreferences,
            Route::ChangePassword,
            Route::ChangeEmail,
            Route::ConfirmEmail(token()),
            Route::EndSession("ses_bbbbbbbbbbbbb".parse().unwrap()),
            Route::EndOtherSessions,
            Route::Import,
            Route::ImportList(import),
            Route::BeginImport(import),
            Route::DiscardImport(import),
            Route::StopImport(import),
            Route::ImportCsv(import),
            Route::Roles,
            Route::Role(Role::Admin),
            Route::Mail,
            Route::TestMail,
            Route::RetryFailed,
            Route::Errand(errand),
            Route::RetryErrand(errand),
            Route::ErrandBody(errand),
            Route::Theme,
            Route::Help(HelpTopic::AddASubAccount),
            Route::Asset("portal.css".to_owned()),
            Route::Healthz,
            Route::Readyz,
            Route::Metrics,
        ] {
            assert_eq!(
                Route::parse(&route.to_string()),
                Some(route.clone()),
                "{route}"
            );
        }
        for wrong in [
            "",
            "sign-in",
            "//",
            "/sign-in/",
            "/iam",
            "/iam/accounts/acc_x",
            "/iam/accounts/acc_bbbbbbbbbbbbb/owner",
            "/iam/import/acc_bbbbbbbbbbbbb",
            "/iam/import/imp_bbbbbbbbbbbbb/result",
            "/settings/ownership",
            "/account/sessions",
            "/mail/x",
            "/resources/x",
            "/resources/res_bbbbbbbbbbbbb/delete",
            "/audit/0",
            "/audit/-1",
            "/audit/+1",
            "/audit/01",
            "/audit/9223372036854775808",
            "/audit/x",
            "/billing/invoices",
            "/billing/invoices/INV-2026-1",
            "/billing/invoices/INV-2026-010.pdf",
            "/help/x",
            "/assets/a/b",
            "/setup/a/b",
        ] {
            assert_eq!(Route::parse(wrong), None, "{wrong}");
        }
    }
}
