//! Shoup's threshold RSA.
