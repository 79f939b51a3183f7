"""What the product can train, as functions that say how far they are."""

from compecon.recipes.bundle import NAMES, BundlePlan, build_bundle

__all__ = ["NAMES", "BundlePlan", "build_bundle"]
