"""What answers mean: responses to scores to Observations, and plans to CarePlans, without I/O or clock."""
