//! Pure answers: a query and a view give a response.
