"""What several commands use: the command line, the Azure CLI, the app's API. Nothing here is a command."""
