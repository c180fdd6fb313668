"""Tests of the pages of those who look after the library."""
