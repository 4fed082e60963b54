//! A text as a code to scan (QR, ISO/IEC 18004), to be drawn with [`super::html::copy::scan`].

use qrcodegen::{QrCode, QrCodeEcc};

/// The modules of a code.
pub struct Scan(QrCode);

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What it holds may be a secret.
        write!(f, "Scan({})", self.size())
    }
}

impl Scan {
    /// The code that holds this text; none when it is too long for one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        QrCode::encode_text(text, QrCodeEcc::Medium).ok().map(Self)
    }

    /// How many modules a row has.
    #[must_use]
    pub fn size(&self) -> u16 {
        u16::try_from(self.0.size()).unwrap_or_default()
    }

    /// Whether the module in this column and row is dark.
    #[must_use]
    pub fn is_dark(&self, x: u16, y: u16) -> bool {
        self.0.get_module(i32::from(x), i32::from(y))
    }
}
