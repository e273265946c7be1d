"""Compiled kernels: arrays in, arrays out, without checks and without random numbers."""
