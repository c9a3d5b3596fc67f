"""Reads through gateways that activities and HTTP functions share; nothing here changes anything in Azure."""
