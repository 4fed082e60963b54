//! Icons: one for each symbol of the sprite `assets/icons.svg` (Lucide, ISC; the licence lies beside it).

use maud::{Markup, Render, html};

use crate::kit::http::assets::ICONS_SVG;

/// A symbol of the sprite. Always decoration: the words stand beside it, or in the `aria-label` of what holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is named as the symbol it draws, and the gallery shows them"
)]
pub enum Icon {
    ArrowLeft,
    ArrowRightLeft,
    Ban,
    Building2,
    Check,
    ChevronDown,
    ChevronLeft,
    ChevronRight,
    ChevronUp,
    ChevronsUpDown,
    CircleAlert,
    CircleCheck,
    CircleX,
    Clock,
    Copy,
    CreditCard,
    Database,
    Download,
    Ellipsis,
    ExternalLink,
    Eye,
    EyeOff,
    FileText,
    History,
    Inbox,
    Info,
    KeyRound,
    Keyboard,
    LayoutDashboard,
    LifeBuoy,
    Link,
    Lock,
    LockOpen,
    LogIn,
    LogOut,
    Mail,
    Menu,
    Monitor,
    Moon,
    Pencil,
    Plus,
    Printer,
    ReceiptText,
    RefreshCw,
    ScrollText,
    Search,
    Send,
    Server,
    Settings,
    ShieldAlert,
    ShieldCheck,
    ShieldOff,
    Smartphone,
    Sun,
    SunMoon,
    Tag,
    Trash2,
    TriangleAlert,
    Upload,
    UserRound,
    UserRoundCog,
    UserRoundPlus,
    Users,
    X,
}

impl Icon {
    /// Every icon, in the order of the sprite.
    pub const ALL: [Self; 64] = [
        Self::ArrowLeft,
        Self::ArrowRightLeft,
        Self::Ban,
        Self::Building2,
        Self::Check,
        Self::ChevronDown,
        Self::ChevronLeft,
        Self::ChevronRight,
        Self::ChevronUp,
        Self::ChevronsUpDown,
        Self::CircleAlert,
        Self::CircleCheck,
        Self::CircleX,
        Self::Clock,
        Self::Copy,
        Self::CreditCard,
        Self::Database,
        Self::Download,
        Self::Ellipsis,
        Self::ExternalLink,
        Self::Eye,
        Self::EyeOff,
        Self::FileText,
        Self::History,
        Self::Inbox,
        Self::Info,
        Self::KeyRound,
        Self::Keyboard,
        Self::LayoutDashboard,
        Self::LifeBuoy,
        Self::Link,
        Self::Lock,
        Self::LockOpen,
        Self::LogIn,
        Self::LogOut,
        Self::Mail,
        Self::Menu,
        Self::Monitor,
        Self::Moon,
        Self::Pencil,
        Self::Plus,
        Self::Printer,
        Self::ReceiptText,
        Self::RefreshCw,
        Self::ScrollText,
        Self::Search,
        Self::Send,
        Self::Server,
        Self::Settings,
        Self::ShieldAlert,
        Self::ShieldCheck,
        Self::ShieldOff,
        Self::Smartphone,
        Self::Sun,
        Self::SunMoon,
        Self::Tag,
        Self::Trash2,
        Self::TriangleAlert,
        Self::Upload,
        Self::UserRound,
        Self::UserRoundCog,
        Self::UserRoundPlus,
        Self::Users,
        Self::X,
    ];

    /// The name of its symbol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ArrowLeft => "arrow-left",
            Self::ArrowRightLeft => "arrow-right-left",
            Self::Ban => "ban",
            Self::Building2 => "building-2",
            Self::Check => "check",
            Self::ChevronDown => "chevron-down",
            Self::ChevronLeft => "chevron-left",
            Self::ChevronRight => "chevron-right",
            Self::ChevronUp => "chevron-up",
            Self::ChevronsUpDown => "chevrons-up-down",
            Self::CircleAlert => "circle-alert",
            Self::CircleCheck => "circle-check",
            Self::CircleX => "circle-x",
            Self::Clock => "clock",
            Self::Copy => "copy",
            Self::CreditCard => "credit-card",
            Self::Database => "database",
            Self::Download => "download",
            Self::Ellipsis => "ellipsis",
            Self::ExternalLink => "external-link",
            Self::Eye => "eye",
            Self::EyeOff => "eye-off",
            Self::FileText => "file-text",
            Self::History => "history",
            Self::Inbox => "inbox",
            Self::Info => "info",
            Self::KeyRound => "key-round",
            Self::Keyboard => "keyboard",
            Self::LayoutDashboard => "layout-dashboard",
            Self::LifeBuoy => "life-buoy",
            Self::Link => "link",
            Self::Lock => "lock",
            Self::LockOpen => "lock-open",
            Self::LogIn => "log-in",
            Self::LogOut => "log-out",
            Self::Mail => "mail",
            Self::Menu => "menu",
            Self::Monitor => "monitor",
            Self::Moon => "moon",
            Self::Pencil => "pencil",
            Self::Plus => "plus",
            Self::Printer => "printer",
            Self::ReceiptText => "receipt-text",
            Self::RefreshCw => "refresh-cw",
            Self::ScrollText => "scroll-text",
            Self::Search => "search",
            Self::Send => "send",
            Self::Server => "server",
            Self::Settings => "settings",
            Self::ShieldAlert => "shield-alert",
            Self::ShieldCheck => "shield-check",
            Self::ShieldOff => "shield-off",
            Self::Smartphone => "smartphone",
            Self::Sun => "sun",
            Self::SunMoon => "sun-moon",
            Self::Tag => "tag",
            Self::Trash2 => "trash-2",
            Self::TriangleAlert => "triangle-alert",
            Self::Upload => "upload",
            Self::UserRound => "user-round",
            Self::UserRoundCog => "user-round-cog",
            Self::UserRoundPlus => "user-round-plus",
            Self::Users => "users",
            Self::X => "x",
        }
    }
}

impl Render for Icon {
    fn render(&self) -> Markup {
        html! {
            svg.icon aria-hidden="true" { use href={ (ICONS_SVG) "#" (self.name()) } {} }
        }
    }
}

/// The mark: a doorway, in the colour of the accent.
#[must_use]
pub fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 28 28" aria-hidden="true" {
            rect width="28" height="28" rx="7.5" fill="currentColor" {}
            path d="M7.5 28V14a6.5 6.5 0 0 1 13 0v14h-3.2V14a3.3 3.3 0 0 0-6.6 0v14z" {}
        }
    }
}

/// The eye of password fields, drawn out: they stand on pages that need no other icon, and those do without the
/// sprite then.
#[must_use]
pub fn eye() -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" aria-hidden="true" {
            path d="M2.062 12.348a1 1 0 0 1 0-.696 10.75 10.75 0 0 1 19.876 0 1 1 0 0 1 0 .696 10.75 10.75 0 0 1-19.876 0" {}
            circle cx="12" cy="12" r="3" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_sprite() {
        let sprite = include_str!("../../../assets/icons.svg");
        let drawn: Vec<&str> = sprite
            .split("<symbol id=\"")
            .skip(1)
            .filter_map(|part| part.split('"').next())
            .collect();
        let listed: Vec<&str> = Icon::ALL.iter().map(|icon| icon.name()).collect();
        assert_eq!(listed, drawn);
    }

    #[test]
    fn the_eye_is_that_of_the_sprite() {
        let sprite = include_str!("../../../assets/icons.svg");
        let (_, symbol) = sprite.split_once("<symbol id=\"eye\" ").unwrap();
        let (symbol, _) = symbol.split_once("</symbol>").unwrap();
        let drawn = eye().into_string();
        let drawn = drawn.replace("></path>", "/>").replace("></circle>", "/>");
        let shapes = symbol.split_once('>').unwrap().1;
        assert!(drawn.ends_with(&format!(">{shapes}</svg>")), "{drawn}");
        assert!(
            drawn.contains("viewBox=\"0 0 24 24\"") && symbol.starts_with("viewBox=\"0 0 24 24\"")
        );
    }

    #[test]
    fn an_icon_is_hidden_from_screen_readers_and_drawn_from_the_sprite() {
        let drawn = Icon::Plus.render().into_string();
        assert_eq!(
            drawn,
            format!(
                "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{ICONS_SVG}#plus\"></use></svg>"
            )
        );
    }
}
