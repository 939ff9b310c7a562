//! Asynchronous Byzantine atomic broadcast on an uncertified DAG.
