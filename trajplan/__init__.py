"""trajplan: plan balloon kyphoplasty access on CT. Research and education, not a medical device."""

__version__ = "0.1.0"

DISCLAIMER = "Research and education only. Not a medical device. Not for clinical use."
