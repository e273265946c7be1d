"""The study itself, on chest X-rays."""

from gazesal.cxr.lung_hull import box_of_mask, clean_lung_mask, lung_hull

__all__ = ["box_of_mask", "clean_lung_mask", "lung_hull"]
