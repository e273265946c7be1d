"""Fixations, maps and image sizes from files, and a synthetic study on disk."""
