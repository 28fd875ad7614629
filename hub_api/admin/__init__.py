"""What only an administrator does: tokens for programs."""
