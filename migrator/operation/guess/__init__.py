"""How an application is run, guessed from its files alone: nothing is imported, nothing started."""
