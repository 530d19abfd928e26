"""The words that every stage shares: graph, plan, manifest, evidence. No I/O, no logic of a stage."""
