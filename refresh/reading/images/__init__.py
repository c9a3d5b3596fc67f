"""Galleries, versions and sources as Azure shows them, and plans of new versions."""
