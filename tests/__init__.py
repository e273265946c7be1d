"""Tests of gazesal, laid out as the package is."""
