"""A simulated day: raw posts as a platform's stream delivers them, and the exact counts they make.

>>> day = simulate(load_scenario("metoo-day"), posts=1000, seed=1)
>>> lines = list(day)
>>> day.truth.document()["posts"]
1000
"""

from streams.ingest.simulate.scenario import Scenario, ScenarioError, load_scenario, scenario_names
from streams.ingest.simulate.simulation import Simulation, simulate
from streams.ingest.simulate.truth import Truth

__all__ = [
    "Scenario",
    "ScenarioError",
    "Simulation",
    "Truth",
    "load_scenario",
    "scenario_names",
    "simulate",
]
