"""Records -> what people see: pure, shared by everything that shows the app's state."""
