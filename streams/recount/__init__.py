"""A campaign counted again from the log: `streams recount`."""
