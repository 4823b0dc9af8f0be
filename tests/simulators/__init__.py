"""Google, simulated: a real server on loopback that answers, and refuses, as Google does.

Start with `tests.simulators.google.Google`; `python -m tests.simulators` runs it alone.
"""
