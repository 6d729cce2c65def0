"""Post x campaign -> how it belongs to it (`via`) and what it says about it (`stance`).  Pure."""

from streams.classify.classifier import Classifier, Membership

__all__ = ["Classifier", "Membership"]
