"""How much a saliency map looks like where people looked: one family of metrics a module."""
