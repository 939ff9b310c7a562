//! Arguments and output of both programs.
