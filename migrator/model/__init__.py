"""The words that all stages share: graph, plan, manifest, evidence. No I/O, no stage logic."""
