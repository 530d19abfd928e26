"""Members, their profiles, and who is signed in where."""
