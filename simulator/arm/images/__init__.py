"""Galleries, image versions and managed images."""
