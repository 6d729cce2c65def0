"""What counted a batch: the program's version and each campaign's, as partitions note it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from streams import __version__
from streams.campaigns.model import Campaign


def revision(campaign: Campaign) -> str:
    """`version+digest`: a file that was changed without a new version is told apart, too."""
    digest = blake2b(msgspec.json.encode(campaign), digest_size=4).hexdigest()
    return f"{campaign.version}+{digest}"


def in_force(campaigns: Sequence[Campaign]) -> str:
    """JSON `{"campaigns": {name: revision}, "program": version}`: equal where all of it is."""
    revisions = {campaign.name: revision(campaign) for campaign in campaigns}
    return json.dumps({"campaigns": revisions, "program": __version__}, sort_keys=True)
