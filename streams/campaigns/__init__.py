"""Campaigns: what is counted together, one TOML file each; `metoo` is shipped."""

from streams.campaigns.model import Campaign, CampaignError, Matching, load, parse

__all__ = ["Campaign", "CampaignError", "Matching", "load", "parse"]
