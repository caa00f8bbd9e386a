"""What is traded over a tie."""
