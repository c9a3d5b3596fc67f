"""What each health rung can prove, and the verdict on a started VM."""
