//! What a mail says: plain values in, text and HTML out.

/// One mail's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
}

impl Letter {
    /// Plain.
    #[must_use]
    pub fn text(&self) -> String {
        self.subject.clone()
    }

    /// Html.
    #[must_use]
    pub fn html(&self) -> String {
        self.subject.clone()
    }
}
