"""Training: makes a released model folder out of labels."""
