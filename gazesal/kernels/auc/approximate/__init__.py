"""Areas within a tolerance: pixels of one bin of rank count as ties, and a bound is computed."""
