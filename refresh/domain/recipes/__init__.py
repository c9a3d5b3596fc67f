"""Recipes: what a build VM is made of, how its build is watched, and its temporary group."""
