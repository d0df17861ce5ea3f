//! Settling, reading and judging with a server, relations and rows made by hand.
