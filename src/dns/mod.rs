//! DNS wire and text forms.
