"""Campaigns: what is counted together, one TOML file each; `metoo` is shipped."""

from streams.campaigns.model import Campaign, CampaignError, load

__all__ = ["Campaign", "CampaignError", "load"]
