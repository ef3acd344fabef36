"""Benchmarks: run by hand (`make bench`), never asserted by a clock in a test."""
